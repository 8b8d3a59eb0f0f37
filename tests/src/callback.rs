//! Callbacks that a story makes itself: a provider's, a forger's, or one that
//! was seen before.

use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM, sign};
use sha2::{Digest, Sha256};

use crate::{Answer, World};

/// Fields of a form.
pub type Fields = Vec<(String, String)>;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Twilio's status callback.
#[must_use]
pub fn status(sid: &str, status: &str) -> Fields {
    fields(&[
        ("MessageSid", sid),
        ("MessageStatus", status),
        ("AccountSid", DEFAULT_ACCOUNT_SID),
        ("From", DEFAULT_FROM),
        ("ApiVersion", "2010-04-01"),
    ])
}

/// Twilio's inbound message.
#[must_use]
pub fn inbound(sid: &str, from: &str, body: &str) -> Fields {
    fields(&[
        ("MessageSid", sid),
        ("AccountSid", DEFAULT_ACCOUNT_SID),
        ("From", from),
        ("To", DEFAULT_FROM),
        ("Body", body),
        ("NumMedia", "0"),
    ])
}

/// The signature that Twilio would give.
#[must_use]
pub fn signature(url: &str, fields: &Fields) -> String {
    sign(DEFAULT_AUTH_TOKEN, url, fields)
}

impl World {
    /// Posts a form with a signature, or without one.
    pub async fn call_back(&self, url: &str, fields: &Fields, signature: Option<&str>) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = self
            .http()
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        if let Some(signature) = signature {
            request = request.header("x-twilio-signature", signature);
        }
        Answer::to(request).await
    }

    /// Posts a form as Twilio does.
    pub async fn call_back_signed(&self, url: &str, fields: &Fields) -> Answer {
        self.call_back(url, fields, Some(&signature(url, fields))).await
    }

    /// Posts JSON as Twilio signs it: by its hash in the address. `token` is
    /// what it is signed with.
    pub async fn call_back_json(&self, url: &str, body: &str, token: &str) -> Answer {
        let hash = hex::encode(Sha256::digest(body.as_bytes()));
        let url = format!("{url}&bodySHA256={hash}");
        let request = self
            .http()
            .post(&url)
            .header("content-type", "application/json")
            .header("x-twilio-signature", sign(token, &url, &[]))
            .body(body.to_owned());
        Answer::to(request).await
    }
}
