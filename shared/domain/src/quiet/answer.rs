//! May it go now?

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::hours::{QuietHours, Window};
use super::places::{self, Place};
use super::promotional::Row;
use super::sweep::{Found, HORIZON_DAYS, Opens, Rule, Sweep};
use super::week::Week;
use super::zones::{self, Zones};
use crate::{Channel, PhoneNumber, Purpose};

/// What is known of a message and its recipient.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub channel: Channel,
    pub purpose: Purpose,
    pub to: &'a PhoneNumber,
    /// Stored with the contact; counts before all else.
    pub contact_zone: Option<&'a TimeZone>,
    /// IANA name.
    pub organization_zone: &'a str,
    pub quiet_hours: Option<&'a QuietHours>,
    /// Lifts the organization's window off a transactional message; never a
    /// country's, and nothing off a promotional one.
    pub override_quiet_hours: bool,
}

/// A time when a message may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    pub at: Timestamp,
    /// Start of the next closed time; `None`: not within two weeks.
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Now, and up to `until`, where the provider's own attempts must end too.
    /// `None`: not closed within two weeks.
    Open { until: Option<Timestamp> },
    /// When `opens` comes. `detail` names the window and the zone that open
    /// last: `21:00–08:00 Australia/Sydney`.
    Closed { opens: Opening, reason: Reason, detail: String },
    /// Nobody can tell when. `detail` says what to do about it.
    Unknown { reason: Reason, detail: String },
}

/// As the decisions of a message name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    QuietHours,
    PromotionalHours,
    UnknownTimeZone,
    NeverOpen,
}

impl Reason {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QuietHours => "quiet_hours",
            Self::PromotionalHours => "promotional_hours",
            Self::UnknownTimeZone => "unknown_time_zone",
            Self::NeverOpen => "never_open",
        }
    }
}

/// Whether a message may go at `now`; when nothing restricts it, always.
#[must_use]
pub fn at(now: Timestamp, ask: &Ask<'_>) -> Answer {
    let rules = Rules::of(ask);
    if rules.is_empty(ask.channel) {
        return Answer::Open { until: None };
    }
    let zones = ask.zones();
    let sweep = rules.over(ask.channel, &zones);
    if sweep.zones.is_empty() {
        return unknown_zone(ask);
    }
    match sweep.opens(now) {
        Found::Open => Answer::Open { until: sweep.closes(now) },
        Found::Opens(Opens { at, rule, zone }) => {
            let (reason, detail) = why(rule, zone);
            Answer::Closed { opens: Opening { at, until: sweep.closes(at) }, reason, detail }
        }
        Found::Never => never(sweep.zones),
    }
}

impl<'a> Ask<'a> {
    pub(super) fn zones(&self) -> Zones<'a> {
        zones::of_person(self.contact_zone, self.to, self.organization_zone)
    }
}

type Rows = [&'static [&'static Row]; 2];
const NO_ROWS: Rows = [&[], &[]];

/// The rules that hold for a message.
struct Rules {
    quiet: Option<(Window, Week)>,
    rows: Rows,
}

impl Rules {
    fn of(ask: &Ask<'_>) -> Self {
        let promotional = ask.purpose == Purpose::Promotional;
        let lifted = ask.override_quiet_hours && !promotional;
        let quiet = ask.quiet_hours.filter(|_| !lifted).and_then(|q| q.window(ask.channel));
        let quiet = quiet.map(|window| (window, window.week()));
        let rows = if promotional { promotional_rows(ask) } else { NO_ROWS };
        Self { quiet, rows }
    }

    fn is_empty(&self, channel: Channel) -> bool {
        self.quiet.is_none() && !self.rows.iter().copied().flatten().any(|r| r.holds_for(channel))
    }

    fn over<'a>(&'a self, channel: Channel, zones: &'a Zones<'_>) -> Sweep<'a> {
        let quiet = self.quiet.as_ref().map(|(window, week)| (window, week));
        Sweep { quiet, rows: self.rows, channel, zones: zones.as_slice() }
    }
}

/// A contact of the United States whose zone is not one of his area code has
/// moved: his state is not known, and the hours that suit all states hold too.
fn promotional_rows(ask: &Ask<'_>) -> Rows {
    let Some(place) = places::of(ask.to) else { return NO_ROWS };
    let has_moved = ask
        .contact_zone
        .is_some_and(|zone| place.region.starts_with("US-") && !place.zones().contains(zone));
    let elsewhere = if has_moved { places::nationwide() } else { None };
    [rows(Some(place)), rows(elsewhere)]
}

fn rows(place: Option<&'static Place>) -> &'static [&'static Row] {
    place.map_or(&[], |place| &place.rows)
}

fn why(rule: Rule<'_>, zone: &TimeZone) -> (Reason, String) {
    let zone = zone.iana_name().unwrap_or("its time zone");
    match rule {
        Rule::Quiet(window, _) => (Reason::QuietHours, format!("{window} {zone}")),
        Rule::Promotional(row) => {
            let region = row.region.replace("US-?", "the US (state not known)");
            let open = row.open.replace('-', "–");
            let detail = format!("promotional messages in {region} only {open} {zone}");
            (Reason::PromotionalHours, detail)
        }
    }
}

fn unknown_zone(ask: &Ask<'_>) -> Answer {
    let detail = format!(
        "The number {} does not say where the person is, so nobody knows whether it is night \
         there. Set the organization's time zone (PATCH /v1/settings, “time_zone”; it is “{}”).",
        ask.to.masked(),
        ask.organization_zone,
    );
    Answer::Unknown { reason: Reason::UnknownTimeZone, detail }
}

fn never(zones: &[TimeZone]) -> Answer {
    let names: Vec<_> = zones.iter().filter_map(TimeZone::iana_name).collect();
    let detail = format!(
        "In the next {HORIZON_DAYS} days there is no moment when it may go in {}. Make the quiet \
         hours shorter.",
        names.join(", ")
    );
    Answer::Unknown { reason: Reason::NeverOpen, detail }
}
