//! What a run comes to: how many messages, who is left out and why. Counted from
//! the registrations, by the rules that planning goes by.

use std::collections::BTreeMap;

use carillon_domain::OrgId;
use carillon_domain::campaign::{Campaign, Step};
use carillon_domain::wall_clock::Moment;
use carillon_domain::workshop::Workshop;
use carillon_store::{Store, StoreError};
use jiff::Timestamp;

use super::{PAST, Reading, Said, ahead, people, zone};

/// Registrations looked at a time.
const A_TIME: u32 = 200;

/// What comes of a campaign for the registrations that were asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outlook {
    /// By the place of the step.
    pub steps: Vec<OfStep>,
    /// Everybody who is registered.
    pub people: u32,
    pub skipped: BTreeMap<(String, Option<u16>), u32>,
}

/// Of one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfStep {
    /// `None` once it is past.
    pub moment: Option<Moment>,
    pub scheduled: u32,
    pub segments: u64,
}

impl Outlook {
    #[must_use]
    pub fn scheduled(&self) -> u32 {
        self.steps.iter().map(|step| step.scheduled).sum()
    }

    /// Somebody without a number is left out of all steps, and told once.
    fn skip(&mut self, code: &str, step: Option<u16>) {
        *self.skipped.entry((code.to_owned(), step)).or_default() += 1;
    }
}

/// Of the registrations from `from` to the campaign's last; `each` is told each
/// recipient.
///
/// # Errors
/// When the table does not answer.
pub async fn of(
    store: &Store,
    (c, steps): (&Campaign, &[Step]),
    (w, organization): (&Workshop, &str),
    from: u32,
    now: Timestamp,
    mut each: impl FnMut(&Step, &Said),
) -> Result<Outlook, StoreError> {
    let (org, zone): (OrgId, _) = (w.org, zone(w));
    let last = c.last(w.registrations);
    let readings: Vec<_> = steps.iter().map(|s| Reading::new(s, c.max_segments)).collect();
    let mut outlook = Outlook {
        steps: readings
            .iter()
            .map(|r| OfStep { moment: ahead(r.step, w, &zone, now), ..OfStep::default() })
            .collect(),
        ..Outlook::default()
    };
    let mut next = from;
    while next <= last {
        let to = last.min(next + A_TIME - 1);
        let limit = i32::try_from(A_TIME).unwrap_or(i32::MAX);
        let registrations = store.registrations(org, w.id, (next, to), limit).await?;
        next = to + 1;
        let ids: Vec<_> =
            registrations.iter().filter(|r| r.is_active()).map(|r| r.contact).collect();
        let contacts = store.contacts(org, &ids, false).await?;
        for (_, contact) in people(&registrations, &contacts) {
            outlook.people += 1;
            if contact.is_none_or(|c| c.phone.is_none()) {
                let code = if contact.is_some() { "no_phone" } else { "contact_gone" };
                outlook.skip(code, None);
                continue;
            }
            for (place, reading) in readings.iter().enumerate() {
                let step = reading.step.place;
                if outlook.steps[place].moment.is_none() {
                    outlook.skip(PAST, Some(step));
                    continue;
                }
                match reading.of(contact, (w, &zone), organization) {
                    Ok(said) => {
                        outlook.steps[place].scheduled += 1;
                        outlook.steps[place].segments += u64::from(said.segments);
                        each(reading.step, &said);
                    }
                    Err(skip) => outlook.skip(skip.code(), Some(step)),
                }
            }
        }
    }
    Ok(outlook)
}
