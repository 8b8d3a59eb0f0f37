//! Consent by purpose: what a person agreed to on a channel, and took back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Channel, Purpose};

/// What a person said last about one purpose on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    pub channel: Channel,
    pub purpose: Purpose,
    pub status: ConsentStatus,
    pub at: Timestamp,
    /// Where it was said: a form, a till, a message.
    pub source: String,
    /// What it said: the form's words or the person's.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ConsentStatus {
    Granted,
    Revoked,
}

impl ConsentStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Revoked => "revoked",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Granted, Self::Revoked].into_iter().find(|s| s.as_str() == text)
    }
}

/// Why a message of a purpose must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal<'a> {
    Revoked(&'a Consent),
    /// The organization sends this purpose only with a consent, and has none.
    Absent(Purpose),
}

/// Asks the consents of one address and channel. What was said last counts;
/// where a grant and a revocation have the same time, the revocation does.
#[must_use]
pub fn refuses<'a>(
    purpose: Purpose,
    consents: &'a [Consent],
    required: &[Purpose],
) -> Option<Refusal<'a>> {
    let said = consents.iter().filter(|c| c.purpose == purpose);
    match said.max_by_key(|c| (c.at, c.status == ConsentStatus::Revoked)) {
        Some(last) if last.status == ConsentStatus::Revoked => Some(Refusal::Revoked(last)),
        Some(_) => None,
        None => required.contains(&purpose).then_some(Refusal::Absent(purpose)),
    }
}

impl Refusal<'_> {
    /// For people.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Revoked(c) => format!(
                "the person took back their consent to {} messages on {} ({}: “{}”)",
                c.purpose.as_str(),
                c.at,
                c.source,
                c.text
            ),
            Self::Absent(purpose) => {
                format!("{} messages need a consent, and none is recorded", purpose.as_str())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ConsentStatus::{Granted, Revoked};
    use Purpose::{Promotional, Transactional};

    fn consent(purpose: Purpose, status: ConsentStatus, second: i64) -> Consent {
        Consent {
            channel: Channel::Sms,
            purpose,
            status,
            at: Timestamp::from_second(1_795_000_000 + second).expect("in range"),
            source: "form".into(),
            text: "x".into(),
        }
    }

    #[test]
    fn what_was_said_last_of_the_purpose_counts() {
        let promotional = |status, second| consent(Promotional, status, second);
        let (yes, no) = (promotional(Granted, 1), promotional(Revoked, 1));
        let needed = [Promotional];
        for (name, purpose, said, required, refused) in [
            ("nothing said, none needed", Promotional, vec![], &[][..], false),
            ("nothing said, one needed", Promotional, vec![], &needed, true),
            ("needed for another purpose", Transactional, vec![], &needed, false),
            ("granted", Promotional, vec![yes.clone()], &needed, false),
            ("revoked, none needed", Promotional, vec![no.clone()], &[], true),
            ("revoked for another purpose", Transactional, vec![no.clone()], &needed, false),
            (
                "granted for another",
                Promotional,
                vec![consent(Transactional, Granted, 1)],
                &needed,
                true,
            ),
            (
                "granted later",
                Promotional,
                vec![no.clone(), promotional(Granted, 2)],
                &needed,
                false,
            ),
            (
                "revoked later",
                Promotional,
                vec![promotional(Revoked, 2), yes.clone()],
                &needed,
                true,
            ),
            ("both at once", Promotional, vec![no, yes], &needed, true),
        ] {
            assert_eq!(refuses(purpose, &said, required).is_some(), refused, "{name}");
        }
    }
}
