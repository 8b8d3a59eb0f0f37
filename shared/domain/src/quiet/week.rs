//! A week on the wall clock: at which minutes something is open. Knows nothing
//! of time zones; seconds here count from 1970-01-01 00:00 local time.

const MINUTES: u16 = 24 * 60;
const DAY: i64 = 24 * 60 * 60;

/// Open from one minute of a day up to another; nothing when they are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Span {
    from: u16,
    to: u16,
}

/// At most two spans a day, in order; Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Week([[Span; 2]; 7]);

impl Week {
    /// Closed from one minute of the day up to another, over midnight when the
    /// end comes first.
    pub(super) const fn closed_daily(start: u16, end: u16) -> Self {
        let day = if start <= end {
            [Span { from: 0, to: start }, Span { from: end, to: MINUTES }]
        } else {
            [Span { from: end, to: start }, Span { from: 0, to: 0 }]
        };
        Self([day; 7])
    }

    /// `Mon-Fri 10:00-13:00; Mon-Fri 14:00-20:00; Sat 09:00-13:00`.
    /// `None` when it is not of this form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut week = Self::default();
        for part in text.split(';') {
            let (days, hours) = part.trim().split_once(' ')?;
            let (from, to) = hours.split_once('-')?;
            let span = Span { from: minute(from)?, to: minute(to)? };
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            let (first, last) = (weekday(first)?, weekday(last)?);
            if first > last || span.from >= span.to {
                return None;
            }
            for day in &mut week.0[first..=last] {
                let free = day.iter_mut().find(|s| s.from == s.to)?;
                *free = span;
            }
            let in_order = |[a, b]: &[Span; 2]| b.from == b.to || a.to < b.from;
            if !week.0.iter().all(in_order) {
                return None;
            }
        }
        Some(week)
    }

    pub(super) fn is_open(&self, local: i64) -> bool {
        let minute = local.rem_euclid(DAY) / 60;
        let is_in = |s: &Span| (i64::from(s.from)..i64::from(s.to)).contains(&minute);
        self.day(local.div_euclid(DAY)).iter().any(is_in)
    }

    /// The first second after this one when it is otherwise; `None`: never.
    pub(super) fn next_change(&self, local: i64) -> Option<i64> {
        let open = self.is_open(local);
        let today = local.div_euclid(DAY);
        (today..=today + 7)
            .flat_map(|day| {
                let edges = self.day(day).iter().flat_map(|s| [s.from, s.to]);
                // Midnight is an edge of the day before that was open.
                std::iter::once(0).chain(edges).map(move |m| day * DAY + i64::from(m) * 60)
            })
            .find(|edge| *edge > local && self.is_open(*edge) != open)
    }

    fn day(&self, day: i64) -> &[Span; 2] {
        // 1970-01-01 was a Thursday.
        &self.0[usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default()]
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60).then_some(hour * 60 + minute).filter(|m| *m <= MINUTES)
}

fn weekday(text: &str) -> Option<usize> {
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().position(|d| *d == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_is_read_or_refused() {
        for good in
            ["Mon-Sun 08:00-21:00", "Mon-Fri 10:00-13:00; Mon-Fri 14:00-20:00; Sun 00:00-24:00"]
        {
            assert!(Week::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "08:00-21:00",
            "Mon 21:00-08:00",
            "Mon 08:00-08:00",
            "Sun-Mon 08:00-09:00",
            "Mon 08:60-09:00",
            "Mon 08:00-24:01",
            "Day 08:00-09:00",
            "Mon 08:00-10:00; Mon 09:00-11:00",
            "Mon 10:00-11:00; Mon 08:00-09:00",
            "Mon 01:00-02:00; Mon 03:00-04:00; Mon 05:00-06:00",
        ] {
            assert!(Week::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_next_change_is_the_first_second_that_differs() {
        for text in
            ["Mon-Sat 08:00-20:00", "Mon-Sun 00:00-24:00", "Sun 12:00-21:00", "Tue-Wed 00:00-24:00"]
        {
            let week = Week::parse(text).expect(text);
            for hour in 0..(7 * 24) {
                let local = hour * 3600 + 59;
                let differs = |s: &i64| week.is_open(*s) != week.is_open(local);
                let naive = (local..local + 8 * DAY).skip(1).step_by(60).find(differs);
                assert_eq!(week.next_change(local), naive, "{text} {hour}");
            }
        }
    }
}
