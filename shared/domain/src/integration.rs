//! An organization's account with a provider.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Channel, PhoneNumber};

/// The providers there are. What each can do and how it is spoken to is in
/// `shared/providers`; nothing here knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProviderName {
    Twilio,
    Fast2sms,
}

impl ProviderName {
    pub const ALL: [Self; 2] = [Self::Twilio, Self::Fast2sms];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Fast2sms => "fast2sms",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == text)
    }

    #[must_use]
    pub const fn channel(self) -> Channel {
        match self {
            Self::Twilio | Self::Fast2sms => Channel::Sms,
        }
    }
}

/// An amount as a decimal string, so that no cent is lost in a float.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Money {
    pub amount: String,
    pub currency: String,
}

impl Money {
    /// Millionths of the currency's unit; `None` when `amount` is not a
    /// non-negative decimal below a million.
    #[must_use]
    pub fn micros(&self) -> Option<u64> {
        let (whole, part) = self.amount.split_once('.').unwrap_or((&self.amount, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 6 || part.len() > 6 || !digits(whole) || !digits(part)
        {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let part: u64 = format!("{part:0<6}").parse().ok()?;
        Some(whole * 1_000_000 + part)
    }

    #[must_use]
    pub fn from_micros(micros: u64, currency: &str) -> Self {
        let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let trimmed = text.trim_end_matches('0');
        // Two decimals at least, as money is written.
        let keep = trimmed.len().max(text.len() - 4);
        Self { amount: text[..keep].to_owned(), currency: currency.to_owned() }
    }
}

/// What an admin sets on an integration. The provider's own fields (sender,
/// service, route) are in `provider`, checked by the provider's room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IntegrationSettings {
    /// Parts a second that the sender identity may send.
    #[serde(default = "one")]
    pub rate_per_second: u32,
    /// Price of a part by number prefix, `+61`; the longest prefix counts.
    #[serde(default)]
    pub price_table: BTreeMap<String, Money>,
    /// Lower goes first.
    #[serde(default = "ten")]
    pub priority: u32,
    /// Whether an Unknown message is looked up with the provider.
    #[serde(default = "yes")]
    pub look_up: bool,
    #[serde(flatten)]
    pub provider: BTreeMap<String, String>,
}

impl Default for IntegrationSettings {
    fn default() -> Self {
        Self {
            rate_per_second: one(),
            price_table: BTreeMap::new(),
            priority: ten(),
            look_up: yes(),
            provider: BTreeMap::new(),
        }
    }
}

impl IntegrationSettings {
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        self.provider.get(field).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// Price of one part to this number, in micros, with its currency.
    #[must_use]
    pub fn price_of_part(&self, to: &PhoneNumber) -> Option<(u64, &str)> {
        self.price_table
            .iter()
            .filter(|(prefix, _)| to.as_str().starts_with(prefix.as_str()))
            .max_by_key(|(prefix, _)| prefix.len())
            .and_then(|(_, money)| Some((money.micros()?, money.currency.as_str())))
    }
}

const fn one() -> u32 {
    1
}
const fn ten() -> u32 {
    10
}
const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_to_a_millionth() {
        let micros =
            |amount: &str| Money { amount: amount.into(), currency: "USD".into() }.micros();
        for (amount, expected) in [
            ("0.0079", Some(7_900)),
            ("1", Some(1_000_000)),
            ("0.000001", Some(1)),
            ("12.50", Some(12_500_000)),
            ("", None),
            (".5", None),
            ("-1", None),
            ("1e3", None),
            ("0.0000001", None),
        ] {
            assert_eq!(micros(amount), expected, "{amount}");
        }
        for (value, text) in
            [(7_900, "0.0079"), (1_000_000, "1.00"), (12_500_000, "12.50"), (1, "0.000001")]
        {
            assert_eq!(Money::from_micros(value, "USD").amount, text);
        }
    }

    #[test]
    fn the_longest_prefix_sets_the_price() {
        let mut settings = IntegrationSettings::default();
        for (prefix, amount) in [("+1", "0.01"), ("+1808", "0.02")] {
            let money = Money { amount: amount.into(), currency: "USD".into() };
            settings.price_table.insert(prefix.into(), money);
        }
        let to = |n: &str| PhoneNumber::parse(n, None).expect(n);
        assert_eq!(settings.price_of_part(&to("+18082345678")), Some((20_000, "USD")));
        assert_eq!(settings.price_of_part(&to("+14155550100")), Some((10_000, "USD")));
        assert_eq!(settings.price_of_part(&to("+61412345678")), None);
    }
}
