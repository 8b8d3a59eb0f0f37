//! How long an issuer's keys are good for, and when it is asked for others.
//!
//! Keys are asked for again when they are old, so that one which was withdrawn ends, and when a token names
//! one that is not known, so that a new one works at once. Who sends tokens with made-up names must not make
//! us call the issuer each time: there is a shortest time between two requests.

use jiff::{SignedDuration, Timestamp};

use crate::claims::TokenError;
use crate::jwks::KeySet;
use crate::jws::{PublicKey, Unverified};

/// Older keys are asked for again.
const FRESH: SignedDuration = SignedDuration::from_mins(60);
/// Older keys are not used, even where the issuer does not answer.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);
/// Between two requests for keys.
const BETWEEN: SignedDuration = SignedDuration::from_secs(60);
/// The same while there are none at all.
const BETWEEN_WITHOUT: SignedDuration = SignedDuration::from_secs(2);

#[derive(Debug, Clone, Default)]
pub struct Keyring {
    keys: Option<(KeySet, Timestamp)>,
    asked_at: Option<Timestamp>,
}

/// What is to be done about a token.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup {
    Use(PublicKey),
    /// Ask the issuer for its keys, then look again.
    Ask,
    /// The issuer has no such key, as far as may be known now.
    Unknown,
    /// There are no keys, and it is too early to ask again.
    Unavailable,
}

impl Keyring {
    #[must_use]
    pub fn find(&self, token: &Unverified<'_>, now: Timestamp) -> Lookup {
        let usable = self.keys.as_ref().filter(|(_, at)| now - OLDEST < *at);
        let may_ask = self.may_ask(usable.is_some(), now);
        let Some((keys, at)) = usable else {
            return if may_ask { Lookup::Ask } else { Lookup::Unavailable };
        };
        let stale = *at + FRESH <= now;
        match keys.for_token(token) {
            Ok(_) | Err(_) if stale && may_ask => Lookup::Ask,
            Ok(key) => Lookup::Use(key.clone()),
            Err(TokenError::UnknownKey) if may_ask => Lookup::Ask,
            Err(_) => Lookup::Unknown,
        }
    }

    /// The issuer is about to be asked.
    pub fn asked(&mut self, now: Timestamp) {
        self.asked_at = Some(now);
    }

    /// It answered; what it did not name any more is gone.
    pub fn answered(&mut self, keys: KeySet, now: Timestamp) {
        self.keys = Some((keys, now));
    }

    fn may_ask(&self, has_keys: bool, now: Timestamp) -> bool {
        let between = if has_keys { BETWEEN } else { BETWEEN_WITHOUT };
        self.asked_at.is_none_or(|at| at + between <= now)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn token(kid: &str) -> String {
        let header = format!("{{\"alg\":\"ES256\",\"kid\":\"{kid}\"}}");
        format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header))
    }

    fn set(kids: &[&str]) -> KeySet {
        let key = |kid: &&str| {
            format!(
                "{{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"{kid}\",\
                 \"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\
                 \"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}}"
            )
        };
        let keys = kids.iter().map(key).collect::<Vec<_>>().join(",");
        KeySet::parse(&format!("{{\"keys\":[{keys}]}}")).expect("a set")
    }

    fn look(ring: &Keyring, kid: &str, minute: i64) -> &'static str {
        let token = token(kid);
        match ring.find(&Unverified::parse(&token).expect("a token"), at(minute)) {
            Lookup::Use(_) => "use",
            Lookup::Ask => "ask",
            Lookup::Unknown => "unknown",
            Lookup::Unavailable => "unavailable",
        }
    }

    #[test]
    fn an_unknown_key_is_asked_for_once_a_minute() {
        let mut ring = Keyring::default();
        assert_eq!(look(&ring, "a", 0), "ask");
        ring.asked(at(0));
        assert_eq!(look(&ring, "a", 0), "unavailable", "the answer has not come");
        ring.answered(set(&["a"]), at(0));
        assert_eq!(look(&ring, "a", 0), "use");
        assert_eq!(look(&ring, "b", 0), "unknown", "asked just now");
        assert_eq!(look(&ring, "b", 1), "ask");
        ring.asked(at(1));
        ring.answered(set(&["b"]), at(1));
        assert_eq!(look(&ring, "b", 1), "use");
        assert_eq!(look(&ring, "a", 1), "unknown", "withdrawn");
    }

    #[test]
    fn old_keys_are_asked_for_again_and_used_for_a_day_while_nobody_answers() {
        let mut ring = Keyring::default();
        ring.asked(at(0));
        ring.answered(set(&["a"]), at(0));
        assert_eq!(look(&ring, "a", 59), "use");
        assert_eq!(look(&ring, "a", 60), "ask");
        ring.asked(at(60));
        assert_eq!(look(&ring, "a", 60), "use", "it did not answer");
        assert_eq!(look(&ring, "a", 61), "ask");
        ring.asked(at(24 * 60));
        assert_eq!(look(&ring, "a", 24 * 60), "unavailable");
    }
}
