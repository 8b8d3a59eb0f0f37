//! Ready texts: what a booking's notices say, and a few for workshops. Plain
//! ones, that fit one SMS with usual values, to be edited.

use crate::content::Variable;

/// A text to begin with.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    pub key: &'static str,
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    pub language: &'static str,
    pub body: &'static str,
    /// Key, label, and what stands there where no value is given.
    variables: &'static [(&'static str, &'static str, Option<&'static str>)],
}

/// Keys of what every organization has from the beginning.
pub const FIRST: [&str; 3] = ["booking_confirmation", "session_reminder", "feedback_request"];

const CLIENT: (&str, &str, Option<&str>) = ("client_name", "Client's first name", Some("there"));
const COACH: (&str, &str, Option<&str>) = ("coach_name", "Coach, or the organization", None);
const WHEN: (&str, &str, Option<&str>) = ("session_datetime", "Date and time, written out", None);
const WHERE: (&str, &str, Option<&str>) = ("location", "Where", Some("TBD"));
const FEEDBACK: (&str, &str, Option<&str>) = ("feedback_link", "Link to the feedback page", None);

pub const LIBRARY: [Ready; 9] = [
    Ready {
        key: "booking_confirmation",
        name: "Booking confirmation",
        description: "At once, when a session is booked.",
        language: "en",
        body: "Hi {{ client_name }}, your session with {{ coach_name }} is booked: \
               {{ session_datetime }}. Location: {{ location }}.",
        variables: &[CLIENT, COACH, WHEN, WHERE],
    },
    Ready {
        key: "session_reminder",
        name: "Session reminder",
        description: "Some hours before a session.",
        language: "en",
        body: "Hi {{ client_name }}, a reminder of your session with {{ coach_name }}: \
               {{ session_datetime }}. Location: {{ location }}. Reply C to confirm, R to \
               reschedule.",
        variables: &[CLIENT, COACH, WHEN, WHERE],
    },
    Ready {
        key: "feedback_request",
        name: "Feedback request",
        description: "Some hours after a session.",
        language: "en",
        body: "Hi {{ client_name }}, thank you for your session with {{ coach_name }}. How was \
               it? {{ feedback_link }}",
        variables: &[CLIENT, COACH, FEEDBACK],
    },
    Ready {
        key: "booking_moved",
        name: "Booking moved",
        description: "When a session has another time; sent where this template exists.",
        language: "en",
        body: "Hi {{ client_name }}, your session with {{ coach_name }} has moved to \
               {{ session_datetime }}. Location: {{ location }}.",
        variables: &[CLIENT, COACH, WHEN, WHERE],
    },
    Ready {
        key: "booking_reassigned",
        name: "Booking reassigned",
        description: "When a session has another coach; sent where this template exists.",
        language: "en",
        body: "Hi {{ client_name }}, your session on {{ session_datetime }} is now with \
               {{ coach_name }}. Location: {{ location }}.",
        variables: &[CLIENT, COACH, WHEN, WHERE],
    },
    Ready {
        key: "booking_cancelled",
        name: "Booking cancelled",
        description: "When a session is cancelled; sent where this template exists.",
        language: "en",
        body: "Hi {{ client_name }}, your session with {{ coach_name }} on \
               {{ session_datetime }} is cancelled.",
        variables: &[CLIENT, COACH, WHEN],
    },
    Ready {
        key: "workshop_morning",
        name: "Workshop: the same day",
        description: "On the morning of a workshop.",
        language: "en",
        body: "Hi {{ contact.first_name | default('there') }}, {{ workshop.title }} is today at \
               {{ workshop.time }}. See you there! {{ organization.name }}",
        variables: &[],
    },
    Ready {
        key: "workshop_soon",
        name: "Workshop: soon",
        description: "An hour or so before a workshop.",
        language: "en",
        body: "{{ workshop.title }} begins at {{ workshop.time }}, \
               {{ contact.first_name | default('friend') }}. Have a pen at hand.",
        variables: &[],
    },
    Ready {
        key: "workshop_thanks",
        name: "Workshop: thanks",
        description: "After a workshop.",
        language: "en",
        body: "Thank you for being at {{ workshop.title }}, \
               {{ contact.first_name | default('friend') }}! {{ organization.name }}",
        variables: &[],
    },
];

impl Ready {
    #[must_use]
    pub fn variables(&self) -> Vec<Variable> {
        let variable = |(key, label, default): &(&str, &str, Option<&str>)| Variable {
            key: (*key).to_owned(),
            label: Some((*label).to_owned()),
            required: true,
            default: default.map(str::to_owned),
        };
        self.variables.iter().map(variable).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::personal;
    use crate::segments::{self, Encoding};
    use crate::template::Template;

    #[test]
    fn every_text_is_sound_and_names_its_variables() {
        let mut keys = BTreeSet::new();
        for ready in &LIBRARY {
            assert!(keys.insert(ready.key), "{} is there twice", ready.key);
            let template = Template::parse(ready.body).expect(ready.key);
            personal::check(&template).expect(ready.key);
            let named: BTreeSet<String> = ready.variables().into_iter().map(|v| v.key).collect();
            let own = template.variables().into_iter().filter(|name| !name.contains('.'));
            assert_eq!(own.collect::<BTreeSet<_>>(), named, "{}", ready.key);
            let counted = segments::count(ready.body);
            assert_eq!((counted.encoding, counted.segments > 2), (Encoding::Gsm7, false));
        }
        assert!(FIRST.iter().all(|key| keys.contains(key)));
    }
}
