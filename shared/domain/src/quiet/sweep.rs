//! Walks over time from change to change: rules times zones.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::hours::Window;
use super::promotional::Row;
use super::week::Week;

/// Nothing is looked for further ahead: a rule repeats every week, and a
/// window that does not open in two is never open.
pub(super) const HORIZON_DAYS: i64 = 14;
const HORIZON: i64 = HORIZON_DAYS * 24 * 60 * 60;

/// A change of rule or clock is hours apart from the next; this many is more
/// than two weeks have.
const MAX_STEPS: usize = 500;

/// Why it is closed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule<'a> {
    Quiet(&'a Window, &'a Week),
    Promotional(&'static Row),
}

impl Rule<'_> {
    fn week(&self) -> &Week {
        match self {
            Self::Quiet(_, week) => week,
            Self::Promotional(row) => &row.week,
        }
    }
}

/// Rules that all hold, in zones that all may be the person's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sweep<'a> {
    pub(super) quiet: Option<(&'a Window, &'a Week)>,
    /// Those of the place, and those that hold for who has moved away.
    pub(super) rows: [&'a [&'static Row]; 2],
    pub(super) channel: crate::Channel,
    pub(super) zones: &'a [TimeZone],
}

/// How it stands at a moment.
#[derive(Debug, Clone, Copy)]
enum State<'a> {
    /// At least until then.
    Open(i64),
    /// At least until then, because of this.
    Closed(i64, Rule<'a>, &'a TimeZone),
}

/// The end of a closed time: when, and the last rule and zone to open.
pub(super) struct Opens<'a> {
    pub(super) at: Timestamp,
    pub(super) rule: Rule<'a>,
    pub(super) zone: &'a TimeZone,
}

pub(super) enum Found<'a> {
    Open,
    Opens(Opens<'a>),
    /// Not within the horizon.
    Never,
}

impl<'a> Sweep<'a> {
    /// The first moment from `now` on when all is open.
    pub(super) fn opens(&self, now: Timestamp) -> Found<'a> {
        let (start, mut time) = (now.as_second(), now.as_second());
        let mut last = None;
        for _ in 0..MAX_STEPS {
            match (self.state(time), last) {
                (State::Open(_), None) => return Found::Open,
                (State::Open(_), Some((rule, zone))) => {
                    return Found::Opens(Opens { at: timestamp(time), rule, zone });
                }
                (State::Closed(until, rule, zone), _) => {
                    time = until;
                    last = Some((rule, zone));
                }
            }
            if time > start + HORIZON {
                break;
            }
        }
        Found::Never
    }

    /// The first moment after an open one when something is closed.
    pub(super) fn closes(&self, open: Timestamp) -> Option<Timestamp> {
        let (start, mut time) = (open.as_second(), open.as_second());
        for _ in 0..MAX_STEPS {
            match self.state(time) {
                State::Open(until) => time = until,
                State::Closed(..) => return Some(timestamp(time)),
            }
            if time > start + HORIZON {
                break;
            }
        }
        None
    }

    fn rules(&self) -> impl Iterator<Item = Rule<'a>> {
        let channel = self.channel;
        let rows = self.rows.into_iter().flatten().filter(move |row| row.holds_for(channel));
        let quiet = self.quiet.map(|(window, week)| Rule::Quiet(window, week));
        quiet.into_iter().chain(rows.map(|row| Rule::Promotional(row)))
    }

    /// Open is as long as all are; closed as long as any is that is closed now.
    fn state(&self, time: i64) -> State<'a> {
        let mut open_until = i64::MAX;
        let mut closed: Option<(i64, Rule<'a>, &'a TimeZone)> = None;
        for zone in self.zones {
            let now = timestamp(time);
            let offset = i64::from(zone.to_offset(now).seconds());
            let clock_change =
                zone.following(now).next().map_or(i64::MAX, |t| t.timestamp().as_second());
            for rule in self.rules() {
                let (week, local) = (rule.week(), time + offset);
                let change = week.next_change(local).map_or(i64::MAX, |l| l - offset);
                let until = change.min(clock_change);
                if week.is_open(local) {
                    open_until = open_until.min(until);
                } else if closed.is_none_or(|(longest, ..)| until > longest) {
                    closed = Some((until, rule, zone));
                }
            }
        }
        closed
            .map_or(State::Open(open_until), |(until, rule, zone)| State::Closed(until, rule, zone))
    }
}

fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}
