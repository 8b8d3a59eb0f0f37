//! Dates and times as people read them in a message: `Fri 27 Nov, 7:00 PM`. In the
//! languages of the table below, each as its speakers write it; in English for
//! every other one. The year is left out: nobody plans a message that far ahead.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

/// How one language writes a day and a time.
struct Words {
    language: &'static str,
    /// From Monday.
    days: [&'static str; 7],
    /// From January.
    months: [&'static str; 12],
    /// Day of the week, day of the month, month.
    date: fn(&str, i8, &str) -> String,
    /// For the morning and the afternoon; 24 hours where there are none.
    halves: Option<[&'static str; 2]>,
}

#[rustfmt::skip]
const LANGUAGES: [Words; 7] = [
    Words {
        language: "en",
        days: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        months: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        date: |weekday, day, month| format!("{weekday} {day} {month}"),
        halves: Some(["AM", "PM"]),
    },
    Words {
        language: "de",
        days: ["Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."],
        months: ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
        date: |weekday, day, month| format!("{weekday}, {day}. {month}"),
        halves: None,
    },
    Words {
        language: "es",
        days: ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
        months: ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"],
        date: |weekday, day, month| format!("{weekday} {day} {month}"),
        halves: None,
    },
    Words {
        language: "fr",
        days: ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
        months: ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
        date: |weekday, day, month| format!("{weekday} {day} {month}"),
        halves: None,
    },
    Words {
        language: "hi",
        days: ["सोम", "मंगल", "बुध", "गुरु", "शुक्र", "शनि", "रवि"],
        months: ["जन॰", "फ़र॰", "मार्च", "अप्रैल", "मई", "जून", "जुल॰", "अग॰", "सित॰", "अक्टू॰", "नव॰", "दिस॰"],
        date: |weekday, day, month| format!("{weekday}, {day} {month}"),
        halves: Some(["am", "pm"]),
    },
    Words {
        language: "it",
        days: ["lun", "mar", "mer", "gio", "ven", "sab", "dom"],
        months: ["gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"],
        date: |weekday, day, month| format!("{weekday} {day} {month}"),
        halves: None,
    },
    Words {
        language: "pt",
        days: ["seg.", "ter.", "qua.", "qui.", "sex.", "sáb.", "dom."],
        months: ["jan.", "fev.", "mar.", "abr.", "mai.", "jun.", "jul.", "ago.", "set.", "out.", "nov.", "dez."],
        date: |weekday, day, month| format!("{weekday}, {day} de {month}"),
        halves: None,
    },
];

/// Of the language without script and region.
fn words(language: Option<&str>) -> &'static Words {
    let base = language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
    let found = LANGUAGES.iter().find(|words| words.language.eq_ignore_ascii_case(base));
    found.unwrap_or(&LANGUAGES[0])
}

/// `Fri 27 Nov`.
#[must_use]
pub fn date(date: Date, language: Option<&str>) -> String {
    let words = words(language);
    let weekday = match date.weekday() {
        Weekday::Monday => words.days[0],
        Weekday::Tuesday => words.days[1],
        Weekday::Wednesday => words.days[2],
        Weekday::Thursday => words.days[3],
        Weekday::Friday => words.days[4],
        Weekday::Saturday => words.days[5],
        Weekday::Sunday => words.days[6],
    };
    let month = usize::try_from(date.month() - 1).unwrap_or_default();
    (words.date)(weekday, date.day(), words.months.get(month).copied().unwrap_or_default())
}

/// `7:00 PM`, `19:00`.
#[must_use]
pub fn time(time: Time, language: Option<&str>) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    match words(language).halves {
        None => format!("{hour:02}:{minute:02}"),
        Some([morning, afternoon]) => {
            let half = if hour < 12 { morning } else { afternoon };
            let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
            format!("{hour}:{minute:02} {half}")
        }
    }
}

/// `Fri 27 Nov, 7:00 PM`: a moment, on the clock of that zone.
#[must_use]
pub fn date_and_time(at: Timestamp, zone: &TimeZone, language: Option<&str>) -> String {
    let there = zone.to_datetime(at);
    format!("{}, {}", date(there.date(), language), time(there.time(), language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_writes_a_moment_its_way() {
        let evening = "2026-11-27T13:30:00Z";
        for (language, expected) in [
            (Some("en"), "Fri 27 Nov, 7:00 PM"),
            (Some("en-GB"), "Fri 27 Nov, 7:00 PM"),
            (Some("de"), "Fr., 27. Nov., 19:00"),
            (Some("es-419"), "vie 27 nov, 19:00"),
            (Some("FR"), "ven. 27 nov., 19:00"),
            (Some("hi-IN"), "शुक्र, 27 नव॰, 7:00 pm"),
            (Some("it"), "ven 27 nov, 19:00"),
            (Some("pt_BR"), "sex., 27 de nov., 19:00"),
            // Languages we cannot write, and no language.
            (Some("ta"), "Fri 27 Nov, 7:00 PM"),
            (Some(""), "Fri 27 Nov, 7:00 PM"),
            (None, "Fri 27 Nov, 7:00 PM"),
        ] {
            let kolkata = TimeZone::get("Asia/Kolkata").expect("a zone");
            let at = evening.parse().expect("a moment");
            assert_eq!(date_and_time(at, &kolkata, language), expected, "{language:?}");
        }
    }

    #[test]
    fn noon_and_midnight_are_twelve() {
        for (hour, minute, expected) in
            [(0, 0, "12:00 AM"), (0, 5, "12:05 AM"), (12, 0, "12:00 PM"), (23, 59, "11:59 PM")]
        {
            assert_eq!(time(Time::constant(hour, minute, 0, 0), None), expected);
        }
    }

    #[test]
    fn every_day_of_a_year_has_its_words_in_every_language() {
        let first = Date::constant(2026, 1, 1);
        for words in &LANGUAGES {
            let days: std::collections::BTreeSet<_> = first
                .series(jiff::Span::new().days(1))
                .take(365)
                .map(|day| date(day, Some(words.language)))
                .collect();
            assert_eq!(days.len(), 365, "{}", words.language);
        }
    }
}
