//! What may stand against a message, and the words for it. The sender asks
//! before each call, the preview asks without one; both by these.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::ledger::{Limits, Wait, Want};
use crate::message::{Message, Source, SuppressionReason};
use crate::quiet::Ask;
use crate::settings::Settings;
use crate::{Channel, PhoneNumber, ProviderName, Purpose};

/// Reason of a message that waits because its person has had enough today.
pub const CONTACT_CAP: &str = "contact_cap";

/// What quiet hours are asked for a message.
#[must_use]
pub fn quiet_ask<'a>(
    channel: Channel,
    purpose: Purpose,
    to: &'a PhoneNumber,
    settings: &'a Settings,
    override_quiet_hours: bool,
    contact_zone: Option<&'a TimeZone>,
) -> Ask<'a> {
    Ask {
        channel,
        purpose,
        to,
        contact_zone,
        organization_zone: &settings.time_zone,
        quiet_hours: settings.quiet_hours.as_ref(),
        override_quiet_hours,
    }
}

/// Whether a message is the one confirmation of the opt-out that stands against
/// it: by law and custom the person may be told, once, that we have understood.
/// `source` is the message that the suppression comes from.
#[must_use]
pub fn confirms(m: &Message, reason: SuppressionReason, source: &Option<String>) -> bool {
    let Source::Answer { to } = m.source else { return false };
    reason == SuppressionReason::StopKeyword && source.as_deref() == Some(&to.to_string())
}

/// What a message takes of rate and spend. `price` is the account's for one
/// part, in millionths, and its currency: another than the limit's counts nothing.
#[must_use]
pub fn want(segments: u16, price: Option<(u64, &str)>, limits: &Limits) -> Want {
    let parts = segments.max(1);
    let micros = match price {
        Some((micros, currency)) if limits.currency.as_deref() == Some(currency) => {
            micros * u64::from(parts)
        }
        _ => 0,
    };
    Want { parts, micros }
}

impl Wait {
    /// For people; `account` is the one that would be used.
    #[must_use]
    pub fn detail(self, settings: &Settings, account: ProviderName) -> String {
        let most = |limit: Option<u32>| limit.map_or_else(String::new, |n| n.to_string());
        let money = |limit: &Option<crate::integration::Money>| {
            limit.as_ref().map_or_else(String::new, |m| format!("{} {}", m.amount, m.currency))
        };
        match self {
            Self::Rate => format!("the rate of {} is used up until then", account.as_str()),
            Self::MaxPerHour => {
                format!("{} messages an hour are allowed", most(settings.max_per_hour))
            }
            Self::MaxPerDay => format!("{} messages a day are allowed", most(settings.max_per_day)),
            Self::SpendPerDay => {
                format!("{} may be spent a day", money(&settings.spend_limit_per_day))
            }
            Self::SpendPerMonth => {
                format!("{} may be spent a month", money(&settings.spend_limit_per_month))
            }
            Self::ProviderDown => {
                format!("calls to {} fail; it is tried again then", account.as_str())
            }
        }
    }
}

/// What becomes of a message that would wait past its end, in words: `wait` is
/// what it would wait for. `None` where it can wait.
#[must_use]
pub fn expires_first(
    expires_at: Option<Timestamp>,
    until: Timestamp,
    wait: &str,
) -> Option<String> {
    expires_at
        .is_some_and(|end| end <= until)
        .then(|| format!("it would have expired before it could be sent: {wait}"))
}

/// Why a message waits whose person has had `most` today.
#[must_use]
pub fn contact_cap(most: u32) -> String {
    format!("this person has had {most} messages today, which is the limit")
}
