//! One rule as a line of the form: what it is about, and what must be so. What no line can say stays JSON.

use carillon_domain::contact::Attribute;
use carillon_domain::segment::{Field, Rule, Span, Test};
use serde_json::{Map, Value, json};

use super::kind::{DAYS, FIELDS, Kind, TESTS, TIMES};
use crate::sent::Sent;
use crate::when::Times;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub kind: Kind,
    pub is_not: bool,
    /// A field, the name of an attribute, a template or a workshop.
    pub what: String,
    pub how: String,
    pub value: String,
    /// As a `datetime-local` says them.
    pub from: String,
    pub until: String,
}

impl Row {
    pub fn new(kind: Kind) -> Self {
        let what = match kind {
            Kind::Field => FIELDS[0].0,
            Kind::Time => TIMES[0].0,
            _ => "",
        };
        let empty = String::new;
        let (what, how) = (what.to_owned(), TESTS[0].0.to_owned());
        Self { kind, is_not: false, what, how, value: empty(), from: empty(), until: empty() }
    }

    /// The line with this number, if the form has it.
    pub fn sent(sent: &Sent, n: &str, kind: &str) -> Option<Self> {
        let text = |name: &str| sent.text(&format!("{name}.{n}")).to_owned();
        let known = TESTS.iter().chain(&DAYS).any(|(how, _)| *how == text("how"));
        let how = if known { text("how") } else { TESTS[0].0.to_owned() };
        Some(Self {
            is_not: text("not") == "not",
            what: text("what"),
            how,
            value: text("value"),
            from: text("from"),
            until: text("until"),
            ..Self::new(Kind::parse(kind)?)
        })
    }

    /// `None` where a line cannot say it.
    pub fn of(rule: &Rule, times: &Times) -> Option<Self> {
        match rule {
            Rule::Not(rule) => {
                let row = plain(rule, times).filter(|row| !row.is_not)?;
                Some(Self { is_not: true, ..row })
            }
            rule => plain(rule, times),
        }
    }

    /// As the API takes it. What cannot be read is sent as it is, for the API to say so.
    pub fn json(&self, times: &Times) -> Value {
        let mut rule = Map::new();
        match self.kind {
            Kind::Label => drop(rule.insert("label".to_owned(), json!(self.value))),
            Kind::Field | Kind::Attribute => {
                let is_own = self.kind == Kind::Attribute;
                let name =
                    if is_own { format!("attributes.{}", self.what) } else { self.what.clone() };
                rule.insert("field".to_owned(), json!(name));
                if self.how == "exists" {
                    rule.insert("exists".to_owned(), json!(!self.is_not));
                    return Value::Object(rule);
                }
                rule.insert(self.how.clone(), self.wanted(times));
            }
            Kind::Time => {
                rule = self.span(times);
                rule.insert("field".to_owned(), json!(self.what));
            }
            Kind::Received | Kind::Replied | Kind::Registered => {
                let mut about = self.span(times);
                let name = if self.kind == Kind::Received { "template" } else { "workshop_id" };
                if !self.what.is_empty() {
                    about.insert(name.to_owned(), json!(self.what));
                }
                rule.insert(self.kind.as_str().to_owned(), Value::Object(about));
            }
        }
        if self.is_not { json!({"not": rule}) } else { Value::Object(rule) }
    }

    fn wanted(&self, times: &Times) -> Value {
        match self.how.as_str() {
            "above" | "below" => number(&self.value),
            "is" if self.what == "score" => number(&self.value),
            "after" | "before" => json!(moment(&self.value, times)),
            _ => json!(self.value),
        }
    }

    fn span(&self, times: &Times) -> Map<String, Value> {
        let ends = [("after", &self.from), ("before", &self.until)];
        let given = ends.into_iter().filter(|(_, text)| !text.is_empty());
        given.map(|(name, text)| (name.to_owned(), json!(moment(text, times)))).collect()
    }

    pub fn is(&self, kind: &str) -> bool {
        self.kind.as_str() == kind
    }
}

fn number(text: &str) -> Value {
    let whole = || text.parse::<i64>().map(|n| json!(n)).ok();
    let any = || text.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| json!(n));
    whole().or_else(any).unwrap_or_else(|| json!(text))
}

fn moment(text: &str, times: &Times) -> String {
    times.read(text).map_or_else(|| text.to_owned(), |at| at.to_string())
}

fn plain(rule: &Rule, times: &Times) -> Option<Row> {
    let timed = |kind, what: &str, span: &Span| {
        let (from, until) = ends(span, times)?;
        Some(Row { what: what.to_owned(), from, until, ..Row::new(kind) })
    };
    match rule {
        Rule::Label(label) => Some(Row { value: label.clone(), ..Row::new(Kind::Label) }),
        Rule::Field(Field::CreatedAt, Test::Within(span)) => timed(Kind::Time, TIMES[0].0, span),
        Rule::Field(Field::UpdatedAt, Test::Within(span)) => timed(Kind::Time, TIMES[1].0, span),
        Rule::Field(Field::Attribute(name), test) => tested(Kind::Attribute, name, test, times),
        Rule::Field(field, test) => tested(Kind::Field, super::words::key(field), test, times)
            .filter(|row| {
                let has_days = DAYS.iter().any(|(how, _)| *how == row.how);
                !has_days && FIELDS.iter().any(|(name, _)| *name == row.what)
            }),
        Rule::Received(m) => {
            timed(Kind::Received, m.template.as_deref().unwrap_or_default(), &m.span)
        }
        Rule::Replied(span) => timed(Kind::Replied, "", span),
        Rule::Registered(id) => {
            let what = id.map(|id| id.to_string()).unwrap_or_default();
            Some(Row { what, ..Row::new(Kind::Registered) })
        }
        Rule::And(_) | Rule::Or(_) | Rule::Not(_) => None,
    }
}

fn tested(kind: Kind, what: &str, test: &Test, times: &Times) -> Option<Row> {
    let row = |how: &str, value: String| {
        Some(Row { what: what.to_owned(), how: how.to_owned(), value, ..Row::new(kind) })
    };
    match test {
        Test::Is(Attribute::Text(text)) => row("is", text.clone()),
        Test::Is(Attribute::Number(n)) if what == "score" => row("is", n.to_string()),
        // Numbers and texts of an attribute are not the same to the API.
        Test::Is(Attribute::Number(_) | Attribute::Flag(_)) => None,
        Test::Contains(text) => row("contains", text.clone()),
        Test::Exists(wanted) => {
            row("exists", String::new()).map(|row| Row { is_not: !wanted, ..row })
        }
        Test::Above(n) => row("above", n.to_string()),
        Test::Below(n) => row("below", n.to_string()),
        Test::Within(span) => match ends(span, times)? {
            (from, until) if until.is_empty() => row("after", from),
            (from, until) if from.is_empty() => row("before", until),
            _ => None,
        },
    }
}

/// A form knows minutes; a time between them is none of its.
fn ends(span: &Span, times: &Times) -> Option<(String, String)> {
    let shown = |at: Option<jiff::Timestamp>| match at {
        None => Some(String::new()),
        Some(at) => Some(times.field(&at)).filter(|text| times.read(text) == Some(at)),
    };
    Some((shown(span.after)?, shown(span.before)?))
}

#[cfg(test)]
mod tests {
    use carillon_domain::segment;
    use jiff::tz::TimeZone;

    use super::*;

    fn times() -> Times {
        let now = "2026-11-21T09:00:00Z".parse().expect("a time");
        Times::new(now, TimeZone::get("Australia/Sydney").expect("a zone"), None)
    }

    #[test]
    fn a_line_says_what_the_rule_said() {
        for rule in [
            json!({"label": "vip"}),
            json!({"not": {"label": "vip"}}),
            json!({"field": "status", "is": "lead"}),
            json!({"field": "score", "is": 7}),
            json!({"field": "score", "above": 7.5}),
            json!({"field": "email", "exists": false}),
            json!({"not": {"field": "name", "contains": "ada"}}),
            json!({"field": "attributes.city", "is": "Sydney"}),
            json!({"field": "attributes.since", "before": "2026-10-31T13:00:00Z"}),
            json!({"field": "created_at", "after": "2026-10-31T13:00:00Z", "before": "2026-11-30T13:00:00Z"}),
            json!({"received": {}}),
            json!({"received": {"template": "doors", "after": "2026-10-31T13:00:00Z"}}),
            json!({"not": {"replied": {"after": "2026-10-31T13:00:00Z"}}}),
            json!({"registered": {"workshop_id": carillon_domain::WorkshopId::from_bytes([9; 10])}}),
            json!({"registered": {}}),
        ] {
            let Ok(read) = segment::read(&rule) else { panic!("{rule}") };
            let row = Row::of(&read, &times()).unwrap_or_else(|| panic!("{rule}"));
            assert_eq!(row.json(&times()), rule);
        }
    }

    #[test]
    fn what_no_line_can_say_is_left_alone() {
        for rule in [
            json!({"and": [{"label": "a"}]}),
            json!({"not": {"not": {"label": "a"}}}),
            json!({"not": {"field": "email", "exists": false}}),
            json!({"field": "attributes.paid", "is": true}),
            json!({"field": "attributes.seats", "is": 12}),
            json!({"field": "created_at", "exists": true}),
            json!({"replied": {"after": "2026-10-31T13:00:01Z"}}),
        ] {
            let read = segment::read(&rule).expect("a rule");
            assert_eq!(Row::of(&read, &times()), None, "{rule}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_sent_as_it_is() {
        let row = Row {
            what: "score".to_owned(),
            how: "above".to_owned(),
            value: "many".to_owned(),
            ..Row::new(Kind::Field)
        };
        assert_eq!(row.json(&times()), json!({"field": "score", "above": "many"}));
    }
}
