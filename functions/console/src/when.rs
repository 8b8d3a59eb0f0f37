//! Times as people read them: in their own zone, with the organization's on hover, and how far away.

use askama::Template;
use askama::filters::HtmlSafe;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Whose times, and when it is.
#[derive(Debug, Clone)]
pub struct Times {
    pub now: Timestamp,
    organization: TimeZone,
    reader: TimeZone,
}

/// A moment on a page.
#[derive(Template)]
#[template(
    source = r#"<time datetime="{{ iso }}" title="{{ title }}">{{ text }}</time>"#,
    ext = "html"
)]
pub struct When {
    pub iso: String,
    pub text: String,
    pub title: String,
}

impl When {
    fn none() -> Self {
        Self { iso: String::new(), text: "–".to_owned(), title: String::new() }
    }
}

/// It escapes by itself.
impl HtmlSafe for When {}

impl Times {
    pub fn new(now: Timestamp, organization: TimeZone, reader: Option<TimeZone>) -> Self {
        let reader = reader.unwrap_or_else(|| organization.clone());
        Self { now, organization, reader }
    }

    /// `14:05` today, `Fri 27 Nov, 14:05` this year, else with its year.
    pub fn at(&self, at: &Timestamp) -> When {
        let local = at.to_zoned(self.reader.clone());
        let today = self.now.to_zoned(self.reader.clone());
        let text = if local.date() == today.date() {
            local.strftime("%H:%M").to_string()
        } else {
            short(&local, &today)
        };
        self.when(*at, text)
    }

    pub fn maybe(&self, at: &Option<Timestamp>) -> When {
        at.as_ref().map_or_else(When::none, |at| self.at(at))
    }

    /// `Fri 27 Nov, 11:00`, on the clock of a zone that the page names, with the reader's own on hover.
    pub fn there(&self, at: &Option<Timestamp>, zone: &str) -> When {
        let Some(at) = at else { return When::none() };
        let zone = TimeZone::get(zone).unwrap_or_else(|_| self.organization.clone());
        let local = at.to_zoned(zone.clone());
        let text = short(&local, &self.now.to_zoned(zone));
        let here = at.to_zoned(self.reader.clone());
        let title = format!("{} {}", here.strftime("%A %-d %B %Y, %H:%M:%S"), city(&self.reader));
        When { iso: at.to_string(), text, title }
    }

    /// With its seconds: `27 Nov, 14:05:09`
    pub fn exact(&self, at: &Timestamp) -> When {
        let local = at.to_zoned(self.reader.clone());
        self.when(*at, local.strftime("%-d %b, %H:%M:%S").to_string())
    }

    /// `Fri 27 Nov, 11:00 Sydney (in 6 days)`: in the organization's zone, in which it was said.
    pub fn words(&self, at: &Timestamp) -> String {
        self.said(at, &self.organization)
    }

    /// The same in another zone, such as a workshop's.
    pub fn words_there(&self, at: &Timestamp, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap_or_else(|_| self.organization.clone());
        self.said(at, &zone)
    }

    fn said(&self, at: &Timestamp, zone: &TimeZone) -> String {
        let (local, today) = (at.to_zoned(zone.clone()), self.now.to_zoned(zone.clone()));
        format!("{} {} ({})", short(&local, &today), city(zone), self.away(at))
    }

    /// `1 Nov 2026, 11:00`, in the organization's zone: within a sentence.
    pub fn plain(&self, at: &Timestamp) -> String {
        at.to_zoned(self.organization.clone()).strftime("%-d %b %Y, %H:%M").to_string()
    }

    /// `in 6 days`, `3 min ago`
    pub fn away(&self, at: &Timestamp) -> String {
        let seconds = at.duration_since(self.now).as_secs();
        let (n, unit) = match seconds.abs() {
            0..45 => return "now".to_owned(),
            s @ 45..5_400 => ((s + 30) / 60, "min"),
            s @ 5_400..129_600 => ((s + 1_800) / 3_600, "hour"),
            s => ((s + 43_200) / 86_400, "day"),
        };
        let plural = if n == 1 || unit == "min" { "" } else { "s" };
        if seconds > 0 {
            format!("in {n} {unit}{plural}")
        } else {
            format!("{n} {unit}{plural} ago")
        }
    }

    /// The day of the organization: `Friday 27 November`.
    pub fn today(&self) -> String {
        self.now.to_zoned(self.organization.clone()).strftime("%A %-d %B").to_string()
    }

    /// The organization's zone as people call it: `Sydney`.
    pub fn city(&self) -> String {
        city(&self.organization)
    }

    /// What a form's `datetime-local` says, in the organization's zone.
    pub fn read(&self, text: &str) -> Option<Timestamp> {
        let local: DateTime = text.parse().ok()?;
        self.organization.to_ambiguous_timestamp(local).compatible().ok()
    }

    /// For a form's `datetime-local`.
    pub fn field(&self, at: &Timestamp) -> String {
        at.to_zoned(self.organization.clone()).strftime("%Y-%m-%dT%H:%M").to_string()
    }

    fn when(&self, at: Timestamp, text: String) -> When {
        let there = at.to_zoned(self.organization.clone());
        let title = format!("{} {}", there.strftime("%A %-d %B %Y, %H:%M:%S"), self.city());
        When { iso: at.to_string(), text, title }
    }
}

fn short(local: &Zoned, today: &Zoned) -> String {
    let form = if local.year() == today.year() { "%a %-d %b, %H:%M" } else { "%-d %b %Y, %H:%M" };
    local.strftime(form).to_string()
}

fn city(zone: &TimeZone) -> String {
    let name = zone.iana_name().unwrap_or("UTC");
    name.rsplit('/').next().unwrap_or(name).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times() -> Times {
        let now = "2026-11-21T09:00:00Z".parse().expect("a time");
        Times::new(now, TimeZone::get("Australia/Sydney").expect("a zone"), None)
    }

    #[test]
    fn a_time_is_said_in_words() {
        let at = "2026-11-27T00:00:00Z".parse().expect("a time");
        assert_eq!(times().words(&at), "Fri 27 Nov, 11:00 Sydney (in 6 days)");
        let when = times().at(&at);
        assert_eq!(when.text, "Fri 27 Nov, 11:00");
        assert_eq!(when.title, "Friday 27 November 2026, 11:00:00 Sydney");
    }

    #[test]
    fn how_far_away_a_time_is() {
        for (seconds, text) in [
            (0, "now"),
            (60, "in 1 min"),
            (-180, "3 min ago"),
            (3_600, "in 60 min"),
            (7_200, "in 2 hours"),
            (-86_400, "24 hours ago"),
            (6 * 86_400, "in 6 days"),
        ] {
            let at = times().now + jiff::SignedDuration::from_secs(seconds);
            assert_eq!(times().away(&at), text, "{seconds}");
        }
    }

    #[test]
    fn a_form_speaks_the_organizations_time() {
        let at = times().read("2026-11-27T11:00").expect("a time");
        assert_eq!(at.to_string(), "2026-11-27T00:00:00Z");
        assert_eq!(times().field(&at), "2026-11-27T11:00");
        assert_eq!(times().read("tomorrow"), None);
        // In the hour that does not exist, it is the hour after.
        assert!(times().read("2026-10-04T02:30").is_some());
    }

    #[test]
    fn who_is_elsewhere_reads_his_own_time() {
        let reader = TimeZone::get("Asia/Kolkata").expect("a zone");
        let times = Times::new(
            times().now,
            TimeZone::get("Australia/Sydney").expect("a zone"),
            Some(reader),
        );
        let when = times.at(&"2026-11-27T00:00:00Z".parse().expect("a time"));
        assert_eq!(when.text, "Fri 27 Nov, 05:30");
        assert_eq!(when.title, "Friday 27 November 2026, 11:00:00 Sydney");
        // What is of one place stands on its clock, and the reader's is on hover.
        let at = Some("2026-11-27T00:00:00Z".parse().expect("a time"));
        let when = times.there(&at, "Europe/London");
        assert_eq!(when.text, "Fri 27 Nov, 00:00");
        assert_eq!(when.title, "Friday 27 November 2026, 05:30:00 Kolkata");
        assert_eq!(times.there(&at, "Mars/Olympus").text, "Fri 27 Nov, 11:00");
    }
}
