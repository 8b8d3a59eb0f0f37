//! What somebody sends to the webhook's address, as a form or as JSON: read the
//! same each time, in bounded pieces, and the same in both forms.

use carillon_domain::ProviderName;
use carillon_domain::receipt::{InboundMessage, Receipt};
use carillon_providers::{Callback, CallbackEvent, provider};
use serde_json::{Map, Value};

use crate::input::parts;

/// Media that one message can have.
const MAX_MEDIA: usize = 10;

/// The address after the host; the content type; the body.
pub fn check(data: &[u8]) {
    let [address, content_type, body] = parts(data);
    let (Ok(address), Ok(content_type)) =
        (std::str::from_utf8(address), std::str::from_utf8(content_type))
    else {
        return;
    };
    let url = format!("https://carillon.example/webhooks/{}", address.trim_start_matches('/'));
    let header = |name: &str| (name == "content-type").then_some(content_type);
    for name in ProviderName::ALL {
        let callback = Callback { url: &url, header: &header, body };
        let events = provider(name).read_callback(&callback);
        assert_eq!(provider(name).read_callback(&callback), events);
        for event in events.iter().flatten() {
            assert_bounded(event, name, body.len() + url.len());
        }
        if let Some(account) = provider(name).callback_account(&callback) {
            assert!(!account.account.is_empty());
            assert!(account.addresses.iter().all(|address| !address.is_empty()));
        }
        if name == ProviderName::Twilio && events.is_ok() && !content_type.contains("json") {
            let twin = as_json(body);
            let header = |name: &str| (name == "content-type").then_some("application/json");
            let callback = Callback { url: &url, header: &header, body: twin.as_bytes() };
            assert_eq!(provider(name).read_callback(&callback), events, "the same as JSON");
        }
    }
}

fn assert_bounded(event: &CallbackEvent, name: ProviderName, size: usize) {
    match event {
        CallbackEvent::Receipt(receipt) => {
            assert_eq!(receipt.provider, name);
            assert!(receipt.message.is_some() || receipt.provider_message_id.is_some());
            let stored = serde_json::to_string(receipt).expect("a receipt is queued");
            assert_eq!(&serde_json::from_str::<Receipt>(&stored).expect("and read"), receipt);
        }
        CallbackEvent::Inbound(message) => {
            assert_eq!(message.provider, name);
            assert!(message.media.len() <= MAX_MEDIA);
            assert!(message.from.starts_with('+') && !message.to.is_empty());
            // A byte that is none of a text becomes three.
            assert!(message.body.len() <= 3 * size);
            let stored = serde_json::to_string(message).expect("a message is queued");
            assert_eq!(
                &serde_json::from_str::<InboundMessage>(&stored).expect("and read"),
                message
            );
            let _ = message.said();
        }
        CallbackEvent::Ignored => {}
    }
}

/// The form's fields as one flat object; of several of a name, the first.
fn as_json(body: &[u8]) -> String {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        fields.entry(name).or_insert(Value::String(value.into_owned()));
    }
    Value::Object(fields).to_string()
}
