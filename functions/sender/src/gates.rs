//! What stands against a call. Some gates decide on the message itself (it
//! expires, is suppressed, waits for the morning); others on the whole run
//! (sending is switched off, a cap is full), and then its pack comes again.

use carillon_domain::campaign::Standing;
use carillon_domain::ledger::{Wait, Want};
use carillon_domain::message::{Message, SuppressionReason};
use carillon_domain::{Failure, FailureReason, PhoneNumber, ProviderName, consent, gates, quiet};
use carillon_providers::Account;
use carillon_runtime::broadcast::resume::PAUSED;
use carillon_store::Mechanism;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::terms::Terms;
use crate::{Run, SendError};

/// How often a message whose zone nobody knows is looked at again.
const LOOK_AGAIN_FOR_ZONE: SignedDuration = SignedDuration::from_hours(1);
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
        let detail = why.detail(&terms.settings, name);
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
    match terms.standing {
        Standing::Go => {}
        Standing::Paused => {
            let detail = "somebody paused it, and can resume it".to_owned();
            let until = now + LOOK_AGAIN;
            return Ok(Gate::Hold(Hold { until, reason: PAUSED, detail }));
        }
        Standing::Withdrawn(why) => {
            // What can be claimed can be withdrawn.
            let _waited = message.withdraw(why, now);
            return Ok(Gate::Decided);
        }
    }
    if terms.suspended {
        let detail = "the organization is suspended".to_owned();
        let until = now + LOOK_AGAIN;
        return Ok(Gate::Hold(Hold { until, reason: "organization_suspended", detail }));
    }
    if !terms.settings.sending_enabled {
        let detail = "sending is switched off for the organization".to_owned();
        let until = now + LOOK_AGAIN;
        return Ok(Gate::Hold(Hold { until, reason: "sending_disabled", detail }));
    }
    let to = PhoneNumber::parse(&message.address, None).map_err(|_| SendError::Address)?;
    let zone = message.zone();
    let quiet_from = match quiet::at(now, &quiet_ask(message, &to, &zone, terms)) {
        quiet::Answer::Open { until } => until,
        quiet::Answer::Closed { opens, reason, detail } => {
            let until = quiet::spread(&opens, message.id.as_bytes());
            message.defer(reason.as_str(), until, until, detail, now);
            return Ok(Gate::Decided);
        }
        quiet::Answer::Unknown { reason, detail } => {
            let until = now + LOOK_AGAIN_FOR_ZONE;
            message.defer(reason.as_str(), until, until, detail, now);
            return Ok(Gate::Decided);
        }
    };
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
    let price = account.settings.price_of_part(to);
    gates::want(message.content.segments, price, &terms.limits)
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
    let suppression = asked.suppression;
    let suppression =
        suppression.filter(|s| !gates::confirms(message, s.reason, &s.source_message_id));
    if let Some(s) = suppression.filter(|_| !run.ctx.store.lacks(Mechanism::OptOutGate)) {
        message.suppress(s.reason, s.detail(), now);
        return Ok(false);
    }
    let required = &terms.settings.consent_required;
    if let Some(refusal) = consent::refuses(message.purpose, &asked.consents, required) {
        message.suppress(SuppressionReason::NoConsent, refusal.detail(), now);
        return Ok(false);
    }
    let Some(most) = terms.settings.max_per_contact_per_day else { return Ok(true) };
    let to = PhoneNumber::parse(&message.address, None).map_err(|_| SendError::Address)?;
    let zone = message.zone();
    let ask = quiet_ask(message, &to, &zone, terms);
    let day = quiet::local_day(now, &ask).to_string();
    let store = &run.ctx.store;
    if store.take_place(run.org, address, &day, message.id, most, now).await? {
        return Ok(true);
    }
    let until = match quiet::next_day_opens(now, &ask) {
        Some(opens) => quiet::spread(&opens, message.id.as_bytes()),
        None => now + LOOK_AGAIN_FOR_ZONE,
    };
    message.defer(gates::CONTACT_CAP, until, until, gates::contact_cap(most), now);
    Ok(false)
}

fn quiet_ask<'a>(
    message: &Message,
    to: &'a PhoneNumber,
    zone: &'a Option<TimeZone>,
    terms: &'a Terms,
) -> quiet::Ask<'a> {
    let (channel, purpose) = (message.channel, message.purpose);
    let lifted = message.override_quiet_hours;
    gates::quiet_ask(channel, purpose, to, &terms.settings, lifted, zone.as_ref())
}

/// The message was refused for good: it does not count for its day.
pub async fn give_place_back(
    run: &Run<'_>,
    terms: &Terms,
    message: &Message,
    now: Timestamp,
) -> Result<(), SendError> {
    if terms.settings.max_per_contact_per_day.is_some() {
        let to = PhoneNumber::parse(&message.address, None).map_err(|_| SendError::Address)?;
        let zone = message.zone();
        let day = quiet::local_day(now, &quiet_ask(message, &to, &zone, terms)).to_string();
        let address = message.id.address();
        run.ctx.store.give_place_back(run.org, address, &day, message.id).await?;
    }
    Ok(())
}
