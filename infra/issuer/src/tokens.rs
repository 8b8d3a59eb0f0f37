//! What tokens say.

use serde_json::{Value, json};

use crate::{Issuer, Person};

/// Seconds that tokens are good for.
pub const GOOD_FOR: i64 = 3600;

impl Issuer {
    pub(crate) fn id_claims(&self, person: &Person, nonce: Option<&str>) -> Value {
        let now = self.now().as_second();
        let mut claims = json!({
            "iss": self.options().url, "sub": person.subject, "aud": self.options().client_id,
            "iat": now, "exp": now + GOOD_FOR,
            "email": person.email, "email_verified": person.email_verified, "name": person.name,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        claims
    }

    /// As RFC 9068 has them.
    #[must_use]
    pub fn access_claims(&self, subject: &str, seconds: i64) -> Value {
        let now = self.now().as_second();
        json!({
            "iss": self.options().url, "sub": subject, "aud": self.options().audience,
            "client_id": self.options().client_id, "iat": now, "exp": now + seconds,
            "jti": crate::random::text(),
        })
    }
}
