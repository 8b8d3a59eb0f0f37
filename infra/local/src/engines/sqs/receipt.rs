//! Receipt handles: which message, and the how-manieth time it was received.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::SqsError;

pub(super) struct Held {
    /// The engine that handed the message out; one of an earlier process knows other messages.
    pub instance: u64,
    pub number: u64,
    pub receive: u32,
}

impl Held {
    pub fn handle(&self, queue: &str) -> String {
        let Self { instance, number, receive } = self;
        URL_SAFE_NO_PAD.encode(format!("{instance}/{number}/{receive}/{queue}"))
    }

    /// # Errors
    /// `ReceiptHandleIsInvalid` for anything that was never handed out for this queue.
    pub fn read(queue: &str, handle: &str) -> Result<Self, SqsError> {
        let read = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(handle).ok()?).ok()?;
            let mut parts = text.splitn(4, '/');
            let instance = parts.next()?.parse().ok()?;
            let number = parts.next()?.parse().ok()?;
            let receive = parts.next()?.parse().ok()?;
            (parts.next()? == queue).then_some(Self { instance, number, receive })
        };
        read().ok_or_else(|| {
            let message =
                format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
            SqsError::new("ReceiptHandleIsInvalid", message)
        })
    }
}
