//! Rules as a sentence: who is in a segment.

use carillon_domain::contact::Attribute;
use carillon_domain::segment::{Field, Rule, Span, Test};

use super::kind::{FIELDS, TIMES};
use crate::when::Times;

pub fn of(rule: &Rule, times: &Times) -> String {
    match rule {
        Rule::And(rules) => joined(rules, " and ", times),
        Rule::Or(rules) => joined(rules, " or ", times),
        Rule::Not(rule) => format!("not {}", part(rule, times)),
        // Of what was made, not of what is.
        Rule::Field(field @ (Field::CreatedAt | Field::UpdatedAt), Test::Within(when)) => {
            format!("{}{}", called(field), span(when, times))
        }
        Rule::Field(field, test) => format!("{} {}", called(field), tested(test, times)),
        Rule::Label(label) => format!("labelled “{label}”"),
        Rule::Received(m) => {
            let what = m.template.as_ref().map(|name| format!(" “{name}”")).unwrap_or_default();
            format!("was sent a message{what}{}", span(&m.span, times))
        }
        Rule::Replied(when) => format!("wrote to us{}", span(when, times)),
        Rule::Registered(Some(workshop)) => format!("registered for {workshop}"),
        Rule::Registered(None) => "registered for a workshop".to_owned(),
    }
}

fn joined(rules: &[Rule], between: &str, times: &Times) -> String {
    rules.iter().map(|rule| part(rule, times)).collect::<Vec<_>>().join(between)
}

/// A part of something larger: what is itself of several parts stands in brackets.
fn part(rule: &Rule, times: &Times) -> String {
    match rule {
        Rule::And(rules) | Rule::Or(rules) if rules.len() > 1 => format!("({})", of(rule, times)),
        rule => of(rule, times),
    }
}

fn tested(test: &Test, times: &Times) -> String {
    match test {
        Test::Is(Attribute::Text(text)) => format!("is “{text}”"),
        Test::Is(Attribute::Number(number)) => format!("is {number}"),
        Test::Is(Attribute::Flag(true)) => "is yes".to_owned(),
        Test::Is(Attribute::Flag(false)) => "is no".to_owned(),
        Test::Contains(text) => format!("has “{text}” in it"),
        Test::Exists(true) => "is filled in".to_owned(),
        Test::Exists(false) => "is empty".to_owned(),
        Test::Above(number) => format!("is above {number}"),
        Test::Below(number) => format!("is below {number}"),
        Test::Within(when) => format!("is{}", span(when, times)),
    }
}

fn span(span: &Span, times: &Times) -> String {
    let said = |word: &str, at: Option<jiff::Timestamp>| {
        at.map(|at| format!(" {word} {}", times.plain(&at))).unwrap_or_default()
    };
    format!("{}{}", said("from", span.after), said("before", span.before))
}

fn called(field: &Field) -> String {
    if let Field::Attribute(name) = field {
        return format!("“{name}”");
    }
    let key = key(field);
    let known = FIELDS.iter().chain(&TIMES).find(|(name, _)| *name == key);
    known.map_or(key, |(_, word)| word).to_lowercase()
}

/// As rules name it; of an attribute its own name.
pub fn key(field: &Field) -> &str {
    match field {
        Field::Name => "name",
        Field::FirstName => "first_name",
        Field::Phone => "phone",
        Field::Email => "email",
        Field::ExternalId => "external_id",
        Field::Status => "status",
        Field::Score => "score",
        Field::TimeZone => "time_zone",
        Field::Language => "language",
        Field::CreatedAt => "created_at",
        Field::UpdatedAt => "updated_at",
        Field::Attribute(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use carillon_domain::segment;
    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_a_sentence() {
        let now = "2026-11-21T09:00:00Z".parse().expect("a time");
        let times = Times::new(now, TimeZone::get("Australia/Sydney").expect("a zone"), None);
        for (rules, sentence) in [
            (json!({"label": "vip"}), "labelled “vip”"),
            (
                json!({"field": "created_at", "before": "2026-10-31T13:00:00Z"}),
                "made before 1 Nov 2026, 00:00",
            ),
            (
                json!({"and": [{"field": "status", "is": "lead"}, {"not": {"replied": {"after": "2026-10-31T13:00:00Z"}}}]}),
                "status is “lead” and not wrote to us from 1 Nov 2026, 00:00",
            ),
            (
                json!({"or": [{"field": "email", "exists": false}, {"and": [{"field": "score", "above": 7}, {"registered": {}}]}]}),
                "e-mail is empty or (score is above 7 and registered for a workshop)",
            ),
            (json!({"field": "attributes.city", "contains": "Syd"}), "“city” has “Syd” in it"),
        ] {
            assert_eq!(of(&segment::read(&rules).expect("rules"), &times), sentence);
        }
    }
}
