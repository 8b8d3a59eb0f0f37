//! Codes that wait for their exchange: each is good once, for a minute.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::random;

const GOOD_FOR: SignedDuration = SignedDuration::from_secs(60);

/// What a code stands for.
#[derive(Debug, Clone)]
pub struct Granted {
    pub subject: String,
    pub nonce: Option<String>,
    /// `S256` of what the client must show.
    pub challenge: String,
    pub redirect_uri: String,
}

#[derive(Default)]
pub struct Codes(HashMap<String, (Granted, Timestamp)>);

impl Codes {
    pub fn give(&mut self, granted: Granted, now: Timestamp) -> String {
        self.0.retain(|_, (_, until)| *until > now);
        let code = random::text();
        self.0.insert(code.clone(), (granted, now + GOOD_FOR));
        code
    }

    /// Gone after this, whatever comes of it.
    pub fn take(&mut self, code: &str, now: Timestamp) -> Option<Granted> {
        self.0.remove(code).filter(|(_, until)| *until > now).map(|(granted, _)| granted)
    }
}
