//! What stands against a call. Some gates decide on the message itself (it
//! expires, is suppressed, waits for the morning); others on the whole run
//! (sending is switched off, a cap is full), and then its pack comes again.

use carillon_domain::consent;
use carillon_domain::ledger::{Wait, Want};
use carillon_domain::message::{Message, SuppressionReason};
use carillon_domain::{Failure, FailureReason, PhoneNumber, ProviderName};
use carillon_providers::Account;
use jiff::{SignedDuration, Timestamp};

use crate::terms::Terms;
use crate::{Run, SendError};

/// How often a switch that is off is looked at.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// Not now, for a reason that is not this message's alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub until: Timestamp,
    pub reason: &'static str,
    pub detail: String,
}

impl Hold {
    /// What the ledger said.
    pub fn by_ledger(until: Timestamp, why: Wait, name: ProviderName, terms: &Terms) -> Self {
        let s = &terms.settings;
        let most = |limit: Option<u32>| limit.map_or_else(String::new, |n| n.to_string());
        let money = |limit: &Option<carillon_domain::integration::Money>| {
            limit.as_ref().map_or_else(String::new, |m| format!("{} {}", m.amount, m.currency))
        };
        let detail = match why {
            Wait::Rate => format!("the rate of {} is used up until then", name.as_str()),
            Wait::MaxPerHour => format!("{} messages an hour are allowed", most(s.max_per_hour)),
            Wait::MaxPerDay => format!("{} messages a day are allowed", most(s.max_per_day)),
            Wait::SpendPerDay => {
                format!("{} may be spent a day", money(&s.spend_limit_per_day))
            }
            Wait::SpendPerMonth => {
                format!("{} may be spent a month", money(&s.spend_limit_per_month))
            }
            Wait::ProviderDown => {
                format!("calls to {} fail; it is tried again then", name.as_str())
            }
        };
        Self { until, reason: why.as_str(), detail }
    }

    /// Whether the reason is worth a write on each message of a pack: a rate is
    /// not, it is what a queue is for.
    pub fn is_told(&self) -> bool {
        self.reason != Wait::Rate.as_str()
    }
}

/// The account that is to be used for a message.
#[derive(Debug, Clone)]
pub struct Chosen {
    pub name: ProviderName,
    pub account: Account,
    pub to: PhoneNumber,
    pub want: Want,
    /// An account that would come first is not used now, and why.
    pub instead_of: Option<ProviderName>,
    /// The provider must not deliver later: quiet hours begin then.
    pub quiet_from: Option<Timestamp>,
}

pub enum Gate {
    Pass(Box<Chosen>),
    /// Decided on the message, which is to be stored.
    Decided,
    Hold(Hold),
}

/// The gates that cost nothing to ask: before a slot is taken.
pub async fn before_slot(
    run: &Run<'_>,
    terms: &Terms,
    message: &mut Message,
    now: Timestamp,
) -> Result<Gate, SendError> {
    if message.expires_at.is_some_and(|end| end <= now) {
        message.expire(now);
        return Ok(Gate::Decided);
    }
    if !terms.settings.sending_enabled {
        let detail = "sending is switched off for the organization".to_owned();
        let until = now + LOOK_AGAIN;
        return Ok(Gate::Hold(Hold { until, reason: "sending_disabled", detail }));
    }
    let to = PhoneNumber::parse(&message.address, None).map_err(|_| SendError::Address)?;
    let mut instead_of = None;
    let mut down = None;
    for (name, account) in terms.accounts.serving(message.channel, &to, message.integration) {
        if let Some(until) = run.purse.is_down(name).await {
            instead_of.get_or_insert(name);
            down = Some(down.map_or(until, |other: Timestamp| other.min(until)));
            continue;
        }
        let want = want(account, message, &to, terms);
        let (account, to) = (account.clone(), to.clone());
        let quiet_from = None;
        let chosen = Chosen { name, account, to, want, instead_of, quiet_from };
        return Ok(Gate::Pass(Box::new(chosen)));
    }
    if let (Some(until), Some(name)) = (down, instead_of) {
        return Ok(Gate::Hold(Hold::by_ledger(until, Wait::ProviderDown, name, terms)));
    }
    if let Some(off) = terms.accounts.switched_off(message.channel, &to, message.integration) {
        let detail = format!("the integration {} is switched off", off.as_str());
        let until = now + LOOK_AGAIN;
        return Ok(Gate::Hold(Hold { until, reason: "integration_disabled", detail }));
    }
    let detail = "no integration serves this number; set one up under /v1/integrations";
    let failure = Failure::new("no_integration", FailureReason::Misconfigured, true, detail);
    message.give_up(failure, now);
    Ok(Gate::Decided)
}

/// What a message takes of rate and spend with this account.
pub fn want(account: &Account, message: &Message, to: &PhoneNumber, terms: &Terms) -> Want {
    let parts = message.content.segments.max(1);
    let micros = match account.settings.price_of_part(to) {
        Some((micros, currency)) if terms.limits.currency.as_deref() == Some(currency) => {
            micros * u64::from(parts)
        }
        _ => 0,
    };
    Want { parts, micros }
}

/// The gates that are asked at most seconds before the call, of the table as it
/// is now. False: decided on the message.
pub async fn before_claim(
    run: &Run<'_>,
    terms: &Terms,
    message: &mut Message,
    now: Timestamp,
) -> Result<bool, SendError> {
    let address = message.id.address();
    let asked = run.ctx.store.gates_of(run.org, address, message.channel).await?;
    if let Some(s) = asked.suppression {
        message.suppress(s.reason, s.detail(), now);
        return Ok(false);
    }
    let required = &terms.settings.consent_required;
    if let Some(refusal) = consent::refuses(message.purpose, &asked.consents, required) {
        message.suppress(SuppressionReason::NoConsent, refusal.detail(), now);
        return Ok(false);
    }
    let Some(most) = terms.settings.max_per_contact_per_day else { return Ok(true) };
    let day = day(terms, now);
    let store = &run.ctx.store;
    if store.take_place(run.org, address, &day, message.id, most, now).await? {
        return Ok(true);
    }
    let until = carillon_domain::ledger::renewed(Wait::MaxPerDay, now, &terms.limits.zone);
    let detail = format!("this person has had {most} messages today, which is the limit");
    message.defer("contact_cap", until, until, detail, now);
    Ok(false)
}

/// The day that a message counts for.
fn day(terms: &Terms, now: Timestamp) -> String {
    now.to_zoned(terms.limits.zone.clone()).strftime("%Y-%m-%d").to_string()
}

/// The message was refused for good: it does not count for its day.
pub async fn give_place_back(
    run: &Run<'_>,
    terms: &Terms,
    message: &Message,
    now: Timestamp,
) -> Result<(), SendError> {
    if terms.settings.max_per_contact_per_day.is_some() {
        let day = day(terms, now);
        let address = message.id.address();
        run.ctx.store.give_place_back(run.org, address, &day, message.id).await?;
    }
    Ok(())
}
