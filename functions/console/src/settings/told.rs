//! Who is told of trouble: a line of the form for each, and one blank.

use carillon_domain::settings::{MOST_NOTIFIED, Notify, Trouble};
use serde_json::{Value, json};

use crate::api::Problem;
use crate::sent::{Errors, Sent};

/// How somebody is told; a message unless the form says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Sms,
    Email,
    Webhook,
}

impl Way {
    const ALL: [Self; 3] = [Self::Sms, Self::Email, Self::Webhook];

    const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Sms => "An SMS of the organization",
            Self::Email => "A mail",
            Self::Webhook => "A call to an address",
        }
    }

    fn sent(text: &str) -> Self {
        Self::ALL.into_iter().find(|way| way.name() == text).unwrap_or(Self::Sms)
    }
}

#[derive(Debug, Clone)]
pub struct Told {
    way: Way,
    /// A number or an address.
    pub to: String,
    about: Vec<Trouble>,
}

/// What each is called.
const TROUBLES: [(Trouble, &str); 5] = [
    (Trouble::Integration, "An account fails"),
    (Trouble::Unknown, "Nobody can tell whether something was sent"),
    (Trouble::DeadLetter, "Something was given up"),
    (Trouble::Spend, "Spend nears its limit"),
    (Trouble::CampaignFinished, "A campaign is finished"),
];

impl Told {
    pub(super) fn stored(all: &[Notify]) -> Vec<Self> {
        let line = |one: &Notify| {
            let (way, to) = match one {
                Notify::Sms { to, .. } => (Way::Sms, to.clone()),
                Notify::Email { to, .. } => (Way::Email, to.clone()),
                Notify::Webhook { url, .. } => (Way::Webhook, url.clone()),
            };
            Self { way, to, about: one.about().to_vec() }
        };
        all.iter().map(line).collect()
    }

    pub(super) fn sent(sent: &Sent) -> Vec<Self> {
        let line = |(n, to): (&str, &str)| {
            let is_about = |trouble: &Trouble| sent.has(&format!("about.{n}.{}", trouble.as_str()));
            Self {
                way: Way::sent(sent.text(&format!("by.{n}"))),
                to: to.trim().to_owned(),
                about: Trouble::ALL.into_iter().filter(is_about).collect(),
            }
        };
        sent.under("told").filter(|(_, to)| !to.trim().is_empty()).map(line).collect()
    }

    pub(super) fn json(&self) -> Value {
        let about: Vec<_> = self.about.iter().map(|trouble| trouble.as_str()).collect();
        let place = if self.way == Way::Webhook { "url" } else { "to" };
        json!({"by": self.way.name(), place: self.to, "about": about})
    }

    /// Ways to choose from: name, words, whether it is this one.
    pub fn ways(&self) -> [(&'static str, &'static str, bool); 3] {
        Way::ALL.map(|way| (way.name(), way.words(), way == self.way))
    }

    /// What one is told of: name, words, whether it has a cross.
    pub fn troubles(&self) -> [(&'static str, &'static str, bool); 5] {
        TROUBLES.map(|(trouble, words)| (trouble.as_str(), words, self.about.contains(&trouble)))
    }

    /// Those there are, and room for another.
    pub(super) fn with_blank(mut told: Vec<Self>) -> Vec<Self> {
        if told.len() < MOST_NOTIFIED {
            let about = Trouble::ALL.to_vec();
            told.push(Self { way: Way::Sms, to: String::new(), about });
        }
        told
    }
}

/// Errors of lines at their lines: `notify[1].to` as `told.1`.
pub(super) fn wrong(problem: &Problem, errors: &mut Errors) {
    for error in &problem.errors {
        let place = error.field.strip_prefix("notify[").and_then(|rest| rest.split(']').next());
        if let Some(place) = place {
            errors.add(&format!("told.{place}"), &error.detail);
            errors.whole = Some("Somebody cannot be told of trouble so; look below.".to_owned());
        }
    }
}
