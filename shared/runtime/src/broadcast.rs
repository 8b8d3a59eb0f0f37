//! Broadcasts: steps of a campaign for the people of a workshop. Both who asks
//! what a run would come to and who plans it ask here, so that the answer is what
//! is done.

pub mod finish;
pub mod join;
pub mod merge;
pub mod outlook;
pub mod resume;
pub mod withdraw;

use std::collections::HashMap;

use carillon_domain::campaign::{Campaign, Frozen, Step, When};
use carillon_domain::contact::Contact;
use carillon_domain::content::TemplateContent;
use carillon_domain::personal::{self, About, Known, Unwritten};
use carillon_domain::template::Template;
use carillon_domain::wall_clock::{self, Moment};
use carillon_domain::workshop::{Registration, Workshop};
use carillon_domain::{ContactId, PhoneNumber, segments};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Of a recipient's frozen variables, in bytes: a batch of them is one row.
const LARGEST: usize = 1_900;

/// Why somebody does not get a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// There is no such contact any more.
    Gone,
    NoPhone,
    /// A number that takes no texts, for one.
    Phone(&'static str),
    Unwritten(Unwritten),
    TooManySegments,
    TooLarge,
}

impl Skip {
    /// Stable: for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Gone => "contact_gone",
            Self::NoPhone => "no_phone",
            Self::Phone(code) => code,
            Self::Unwritten(why) => why.code(),
            Self::TooManySegments => "too_many_segments",
            Self::TooLarge => "variables_too_large",
        }
    }
}

/// The step's time had passed when it was to be planned.
pub const PAST: &str = "past";

/// A step, read once for many people.
pub struct Reading<'a> {
    pub step: &'a Step,
    pub content: TemplateContent,
    /// The text in the template's own language.
    pub source: String,
    template: Option<Template>,
    max_segments: u16,
}

impl<'a> Reading<'a> {
    #[must_use]
    pub fn new(step: &'a Step, max_segments: u16) -> Self {
        let content = step.content();
        let source = content.source(None).map(|(_, text)| text.into_owned()).unwrap_or_default();
        let template = Template::parse(&source).ok();
        Self { step, content, source, template, max_segments }
    }

    /// What the step says to somebody, and to which number.
    ///
    /// # Errors
    /// Why he does not get it.
    pub fn of(
        &self,
        contact: Option<&Contact>,
        (workshop, zone): (&Workshop, &TimeZone),
        organization: &str,
    ) -> Result<Said, Skip> {
        let contact = contact.ok_or(Skip::Gone)?;
        let phone = contact.phone.as_ref().ok_or(Skip::NoPhone)?;
        let to = PhoneNumber::parse_mobile(phone.as_str(), None);
        let to = to.map_err(|error| Skip::Phone(error.code()))?;
        let known = Known::of(contact);
        let about = About {
            contact: Some(known.person()),
            workshop: Some(personal::Workshop {
                title: &workshop.title,
                starts_at: workshop.starts_at,
                zone,
            }),
            organization: Some(organization),
        };
        let (mapping, given) = (&self.step.mapping, &self.step.given);
        let written = personal::write(&self.content, mapping, given, &about);
        let written = written.map_err(Skip::Unwritten)?;
        let counted = segments::count(&written.body);
        if counted.segments > self.max_segments {
            return Err(Skip::TooManySegments);
        }
        let again = self.template.as_ref().and_then(|t| t.render(&written.variables).ok());
        let is_same = again.as_deref() == Some(written.body.as_str());
        let frozen = Frozen {
            to,
            contact: contact.id,
            zone: contact.time_zone.clone(),
            variables: written.variables,
            body: (!is_same).then_some(written.body),
        };
        let size = serde_json::to_string(&frozen.variables).map_or(0, |text| text.len());
        if size + frozen.body.as_ref().map_or(0, String::len) > LARGEST {
            return Err(Skip::TooLarge);
        }
        Ok(Said { frozen, segments: counted.segments })
    }
}

/// What somebody gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub frozen: Frozen,
    pub segments: u16,
}

/// The workshop's zone; its name was checked when it was stored.
#[must_use]
pub fn zone(workshop: &Workshop) -> TimeZone {
    wall_clock::zone(&workshop.time_zone).unwrap_or(TimeZone::UTC)
}

/// When a step is sent; `None` once that is too late to plan it.
#[must_use]
pub fn ahead(step: &Step, workshop: &Workshop, zone: &TimeZone, now: Timestamp) -> Option<Moment> {
    let moment = step.moment(workshop, zone).ok()?;
    let is_ahead = match step.when {
        When::At(_) => true,
        When::Workshop(_) => moment.at > now,
    };
    is_ahead.then_some(moment)
}

/// The registrations of these that are still registered, with their contacts.
#[must_use]
pub fn people<'a>(
    registrations: &'a [Registration],
    contacts: &'a HashMap<ContactId, Contact>,
) -> Vec<(u32, Option<&'a Contact>)> {
    let active = registrations.iter().filter(|r| r.is_active());
    active.map(|r| (r.number, contacts.get(&r.contact))).collect()
}

/// Whether it may still have something to plan or to withdraw: its last step is
/// no longer past than a message can wait.
#[must_use]
pub fn is_over(c: &Campaign, steps: &[Step], w: &Workshop, now: Timestamp) -> bool {
    let zone = zone(w);
    let last = steps.iter().filter_map(|s| s.moment(w, &zone).ok()).map(|m| m.at).max();
    let is_planned = c.plan.until == 0 && c.plan.next > c.last(w.registrations);
    is_planned && last.is_none_or(|last| last + OVER_AFTER < now)
}

/// Nothing of a step waits for longer.
const OVER_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);
