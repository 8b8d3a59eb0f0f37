//! What the sender would decide about a draft, in the order in which it asks and
//! by the same rules. Reserves nothing: others may take the last place first.

use carillon_domain::ledger::{Ask, Grant, Ledger, Limits, Wait};
use carillon_domain::message::{Decision, DecisionKind, SuppressionReason};
use carillon_domain::settings::Settings;
use carillon_domain::{FailureReason, Lane, ProviderName, consent, gates, quiet};
use carillon_providers::Account;
use carillon_runtime::accounts::Accounts;
use carillon_store::GateRows;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::draft::Draft;

/// Time that a run of the sender has.
const RUN: SignedDuration = SignedDuration::from_secs(60);

/// What stands in the table.
pub struct Standing<'a> {
    pub settings: &'a Settings,
    pub suspended: bool,
    pub accounts: &'a Accounts,
    pub gates: GateRows,
    pub ledger: Ledger,
    /// Messages that the person gets on the day of this one.
    pub had_today: usize,
}

pub fn quiet_ask<'a>(
    draft: &'a Draft,
    zone: &'a Option<TimeZone>,
    settings: &'a Settings,
) -> quiet::Ask<'a> {
    let (channel, purpose, lifted) = (draft.channel, draft.purpose, draft.override_quiet_hours);
    gates::quiet_ask(channel, purpose, &draft.to, settings, lifted, zone.as_ref())
}

/// All that stands against a message that goes `at` then; the first is what
/// would happen.
pub fn decide(draft: &Draft, standing: &Standing<'_>, at: Timestamp) -> Vec<Decision> {
    let settings = standing.settings;
    let zone = draft.zone();
    let ask = quiet_ask(draft, &zone, settings);
    let mut found = Found { at, expires_at: draft.expires_at, decisions: Vec::new() };
    if standing.suspended {
        found.deferred("organization_suspended", None, "the organization is suspended".to_owned());
    }
    if !settings.sending_enabled {
        let detail = "sending is switched off for the organization".to_owned();
        found.deferred("sending_disabled", None, detail);
    }
    match quiet::at(at, &ask) {
        quiet::Answer::Open { .. } => {}
        quiet::Answer::Closed { opens, reason, detail } => {
            found.deferred(reason.as_str(), Some(opens.at), detail);
        }
        quiet::Answer::Unknown { reason, detail } => {
            found.deferred(reason.as_str(), None, detail);
        }
    }
    accounts_and_limits(draft, standing, &mut found);
    if let Some(s) = &standing.gates.suppression {
        found.add(DecisionKind::Suppressed, s.reason.as_str(), None, s.detail());
    }
    let required = &settings.consent_required;
    if let Some(refusal) = consent::refuses(draft.purpose, &standing.gates.consents, required) {
        let reason = SuppressionReason::NoConsent.as_str();
        found.add(DecisionKind::Suppressed, reason, None, refusal.detail());
    }
    if let Some(most) = settings.max_per_contact_per_day
        && standing.had_today >= usize::try_from(most).unwrap_or(usize::MAX)
    {
        let until = quiet::next_day_opens(at, &ask).map(|opens| opens.at);
        found.deferred(gates::CONTACT_CAP, until, gates::contact_cap(most));
    }
    found.decisions
}

struct Found {
    at: Timestamp,
    expires_at: Timestamp,
    decisions: Vec<Decision>,
}

impl Found {
    fn add(&mut self, kind: DecisionKind, reason: &str, until: Option<Timestamp>, detail: String) {
        self.decisions.push(Decision {
            at: self.at,
            kind,
            reason: reason.to_owned(),
            until,
            detail,
        });
    }

    fn deferred(&mut self, reason: &str, until: Option<Timestamp>, detail: String) {
        let too_late =
            until.and_then(|until| gates::expires_first(Some(self.expires_at), until, &detail));
        self.add(DecisionKind::Deferred, reason, until, detail);
        if let Some(detail) = too_late {
            self.add(DecisionKind::Expired, reason, None, detail);
        }
    }
}

/// The first account that is not down, and what its ledger says.
fn accounts_and_limits(draft: &Draft, standing: &Standing<'_>, found: &mut Found) {
    let (accounts, asked) = (standing.accounts, draft.integration);
    let mut down: Option<(Timestamp, ProviderName)> = None;
    for (name, account) in accounts.serving(draft.channel, &draft.to, asked) {
        match reserve(draft, standing, (name, account), found.at) {
            Grant::Later { until, why: Wait::ProviderDown } => {
                if down.is_none_or(|(earlier, _)| until < earlier) {
                    down = Some((until, down.map_or(name, |(_, first)| first)));
                }
            }
            // A rate is kept by waiting seconds, not told.
            Grant::Slots { .. } | Grant::Later { why: Wait::Rate, .. } => return,
            Grant::Later { until, why } => {
                let detail = why.detail(standing.settings, name);
                return found.deferred(why.as_str(), Some(until), detail);
            }
        }
    }
    if let Some((until, name)) = down {
        let why = Wait::ProviderDown;
        let detail = why.detail(standing.settings, name);
        return found.deferred(why.as_str(), Some(until), detail);
    }
    if let Some(off) = accounts.switched_off(draft.channel, &draft.to, asked) {
        let detail = format!("the integration {} is switched off", off.as_str());
        return found.deferred("integration_disabled", None, detail);
    }
    let detail = "no integration serves this number".to_owned();
    found.add(DecisionKind::GaveUp, FailureReason::Misconfigured.as_str(), None, detail);
}

/// As a sender would, on a copy that nobody stores.
fn reserve(
    draft: &Draft,
    standing: &Standing<'_>,
    (identity, account): (ProviderName, &Account),
    at: Timestamp,
) -> Grant {
    let limits = Limits::of(standing.settings);
    let price = account.settings.price_of_part(&draft.to);
    let wants = [gates::want(draft.content.segments, price, &limits)];
    let ask = Ask {
        holder: "preview",
        identity,
        rate: account.settings.rate_per_second,
        lane: Lane::Transactional,
        wants: &wants,
        now: at,
        until: at + RUN,
    };
    standing.ledger.clone().reserve(&ask, &limits)
}
