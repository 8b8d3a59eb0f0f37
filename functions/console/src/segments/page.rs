//! The list of segments, and the page of one: its form, how many are in it and who.

use askama::Template;

use super::Segment;
use super::form::Form;
use super::found::{Found, found};
use super::kind::{DAYS, FIELDS, Kind, TESTS, TIMES};
use crate::api::{Listed, Problem, Tagged};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::sent::Errors;
use crate::templates::Template as Stored;
use crate::workshops::Workshop;

#[derive(Template)]
#[template(path = "segments.html")]
pub struct SegmentsPage {
    pub frame: Frame,
    /// Each with who is in it, in words.
    pub segments: Vec<(String, Segment)>,
}

#[derive(Template)]
#[template(path = "segment.html")]
pub struct SegmentPage {
    pub frame: Frame,
    pub form: Form,
    pub errors: Errors,
    /// Not beside a form that was changed: it is not what is stored.
    pub stored: Option<Found>,
    pub templates: Vec<Stored>,
    pub workshops: Vec<Workshop>,
}

impl SegmentPage {
    pub(super) async fn of_form(desk: &Desk, form: Form, errors: Errors) -> Result<Self, Problem> {
        let title = if form.is_new() { "A new segment" } else { "Change a segment" };
        Self::with(desk, title, form, errors, None).await
    }

    pub(super) async fn of_stored(
        desk: &Desk,
        stored: Tagged<Segment>,
        cursor: &str,
        count_all: bool,
    ) -> Result<Self, Problem> {
        let Tagged { tag, value: segment } = stored;
        let frame = desk.frame("").await?;
        let found = found(desk, segment.clone(), segment.words(&frame.times), cursor, count_all);
        let found = found.await?;
        let form = Form::stored(&segment.id, tag, &segment.name, &segment.rules, &frame.times);
        Self::with(desk, &segment.name, form, Errors::default(), Some(found)).await
    }

    async fn with(
        desk: &Desk,
        title: &str,
        form: Form,
        errors: Errors,
        stored: Option<Found>,
    ) -> Result<Self, Problem> {
        let (frame, templates, workshops) = futures::join!(
            desk.frame(title),
            desk.api.get::<Listed<Stored>>("/v1/templates?limit=200"),
            desk.api.get::<Listed<Workshop>>("/v1/workshops?limit=100"),
        );
        let (templates, workshops) = (templates?.data, workshops?.data);
        Ok(Self { frame: frame?, form, errors, stored, templates, workshops })
    }

    pub fn kinds(&self) -> [Kind; 7] {
        Kind::ALL
    }

    pub fn fields(&self, kind: &str) -> &'static [(&'static str, &'static str)] {
        if kind == "time" { &TIMES } else { &FIELDS }
    }

    pub fn tests(&self, kind: &str) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        let days = if kind == "attribute" { &DAYS[..] } else { &[] };
        TESTS.iter().chain(days)
    }

    /// The error of a line.
    pub fn place(&self, n: &usize) -> String {
        format!("rule.{n}")
    }

    /// Whether a list has what a line names; else the line's own is one more to choose.
    pub fn knows_template(&self, key: &str) -> bool {
        key.is_empty() || self.templates.iter().any(|t| t.key == key || t.id == key)
    }

    pub fn knows_workshop(&self, id: &str) -> bool {
        id.is_empty() || self.workshops.iter().any(|w| w.id == id)
    }
}

#[cfg(test)]
fn sample() -> Segment {
    let text = crate::page::tests::HOSTILE;
    let rules =
        serde_json::json!({"and": [{"label": text}, {"not": {"field": "name", "contains": text}}]});
    Segment { id: text.to_owned(), name: text.to_owned(), rules }
}

#[cfg(test)]
impl SegmentsPage {
    pub fn sample() -> Self {
        let frame = Frame::sample();
        Self { segments: vec![(sample().words(&frame.times), sample())], frame }
    }
}

#[cfg(test)]
impl SegmentPage {
    /// With every kind of line; or as JSON.
    pub fn sample(as_json: bool) -> Self {
        use super::found::Count;
        use super::row::Row;
        use crate::contacts::Contact;

        let text = || crate::page::tests::HOSTILE.to_owned();
        let frame = Frame::sample();
        let row = |kind| Row { what: text(), value: text(), from: text(), ..Row::new(kind) };
        let mut errors = Errors::whole(&text());
        ["name", "rules", "rule.0", "rule.6"].iter().for_each(|field| errors.add(field, &text()));
        let form = Form {
            id: text(),
            tag: text(),
            name: text(),
            any: true,
            rows: Kind::ALL.map(row).into(),
            json: as_json.then(text),
        };
        let found = Found {
            words: sample().words(&frame.times),
            segment: sample(),
            count: Count { count: 3, looked_at: 10_000, next_cursor: Some(text()) },
            people: vec![Contact::sample()],
            next: Some(text()),
            problem: Some(text()),
        };
        Self {
            frame,
            form,
            errors,
            stored: Some(found),
            templates: vec![Stored::sample()],
            workshops: vec![Workshop::sample()],
        }
    }
}
