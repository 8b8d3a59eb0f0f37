//! Rules as JSON. Read by hand, so that what is wrong has its place.
//!
//! | rule | holds for contacts |
//! |---|---|
//! | `{"and": […]}`, `{"or": […]}`, `{"not": {…}}` | for whom all, one, or not this holds |
//! | `{"field": "status", "is": "lead"}` | whose field is this; `attributes.city` is an attribute |
//! | `{"field": "name", "contains": "ada"}` | whose field has this in it |
//! | `{"field": "email", "exists": false}` | who have none |
//! | `{"field": "score", "above": 10}`, `below` | whose number is above, below |
//! | `{"field": "created_at", "after": "2026-11-01T00:00:00Z"}`, `before` | whose time is in this span |
//! | `{"label": "vip"}` | who have this label |
//! | `{"received": {"template": "reminder", "after": …}}` | who were sent a message |
//! | `{"replied": {"after": …}}` | who wrote |
//! | `{"registered": {"workshop_id": "wsh_…"}}` | who are registered |

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Field, Message, Rule, Span, Test};
use crate::contact::{Attribute, fields};

/// Rules of a segment, the branches of its tree included.
pub const MOST_RULES: usize = 50;
const DEEPEST: usize = 6;
const LONGEST: usize = 200;

/// What is wrong with rules, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRule {
    /// `rules.and[1].field`
    pub place: String,
    pub detail: String,
}

/// # Errors
/// The first thing that is wrong.
pub fn read(json: &Value) -> Result<Rule, InvalidRule> {
    let mut left = MOST_RULES;
    rule(json, "rules", DEEPEST, &mut left)
}

fn wrong(place: &str, detail: impl Into<String>) -> InvalidRule {
    InvalidRule { place: place.to_owned(), detail: detail.into() }
}

fn rule(json: &Value, at: &str, deeper: usize, left: &mut usize) -> Result<Rule, InvalidRule> {
    let Some(object) = json.as_object() else {
        return Err(wrong(at, "A rule is a JSON object, such as {\"label\": \"vip\"}."));
    };
    *left = left
        .checked_sub(1)
        .ok_or_else(|| wrong(at, format!("A segment has at most {MOST_RULES} rules.")))?;
    let deeper = deeper
        .checked_sub(1)
        .ok_or_else(|| wrong(at, format!("Rules stand at most {DEEPEST} deep in each other.")))?;
    if object.contains_key("field") {
        return field(object, at);
    }
    let mut entries = object.iter();
    let (Some((name, value)), None) = (entries.next(), entries.next()) else {
        return Err(wrong(at, "A rule says one thing; put several into an “and” or an “or”."));
    };
    let at = format!("{at}.{name}");
    match name.as_str() {
        "and" => several(value, &at, deeper, left).map(Rule::And),
        "or" => several(value, &at, deeper, left).map(Rule::Or),
        "not" => rule(value, &at, deeper, left).map(|rule| Rule::Not(Box::new(rule))),
        "label" => {
            let label = value.as_str().map(fields::label);
            match label {
                Some(Ok(label)) => Ok(Rule::Label(label)),
                Some(Err(e)) => Err(wrong(&at, e.to_string())),
                None => Err(wrong(&at, "A label is a text.")),
            }
        }
        "received" => {
            let object = fields_of(value, &at, &["template", "after", "before"])?;
            let template = text(object, "template", &at)?;
            Ok(Rule::Received(Message { template, span: span(object, &at)? }))
        }
        "replied" => {
            let object = fields_of(value, &at, &["after", "before"])?;
            Ok(Rule::Replied(span(object, &at)?))
        }
        "registered" => {
            let object = fields_of(value, &at, &["workshop_id"])?;
            let id = text(object, "workshop_id", &at)?;
            let id = id.map(|id| id.parse()).transpose().map_err(|_| {
                wrong(&format!("{at}.workshop_id"), "This is not the id of a workshop.")
            })?;
            Ok(Rule::Registered(id))
        }
        _ => Err(wrong(
            &at,
            "There is no such rule; use and, or, not, field, label, received, replied or \
             registered.",
        )),
    }
}

fn several(
    json: &Value,
    at: &str,
    deeper: usize,
    left: &mut usize,
) -> Result<Vec<Rule>, InvalidRule> {
    let Some(rules) = json.as_array().filter(|rules| !rules.is_empty()) else {
        return Err(wrong(at, "Give a list of rules, at least one."));
    };
    let each = rules.iter().enumerate();
    each.map(|(n, json)| rule(json, &format!("{at}[{n}]"), deeper, left)).collect()
}

fn fields_of<'a>(
    json: &'a Value,
    at: &str,
    known: &[&str],
) -> Result<&'a Map<String, Value>, InvalidRule> {
    let object =
        json.as_object().ok_or_else(|| wrong(at, "Give a JSON object, it may be empty."))?;
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            let known = known.join(", ");
            Err(wrong(&format!("{at}.{name}"), format!("Not known here; use {known}.")))
        }
        None => Ok(object),
    }
}

fn text(object: &Map<String, Value>, name: &str, at: &str) -> Result<Option<String>, InvalidRule> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= LONGEST => Ok(Some(text.clone())),
        Some(_) => {
            let detail = format!("Give a text of at most {LONGEST} characters.");
            Err(wrong(&format!("{at}.{name}"), detail))
        }
    }
}

fn span(object: &Map<String, Value>, at: &str) -> Result<Span, InvalidRule> {
    let time = |name: &str| -> Result<Option<Timestamp>, InvalidRule> {
        let Some(text) = text(object, name, at)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            let detail =
                "Write the time as RFC 3339 with an offset, such as 2026-11-21T18:30:00+05:30.";
            wrong(&format!("{at}.{name}"), detail)
        })
    };
    Ok(Span { after: time("after")?, before: time("before")? })
}

fn field(object: &Map<String, Value>, at: &str) -> Result<Rule, InvalidRule> {
    let name = object.get("field").and_then(Value::as_str).unwrap_or_default();
    let field = match name {
        "name" => Field::Name,
        "first_name" => Field::FirstName,
        "phone" => Field::Phone,
        "email" => Field::Email,
        "external_id" => Field::ExternalId,
        "status" => Field::Status,
        "score" => Field::Score,
        "time_zone" => Field::TimeZone,
        "language" => Field::Language,
        "created_at" => Field::CreatedAt,
        "updated_at" => Field::UpdatedAt,
        name => match name.strip_prefix("attributes.") {
            Some(attribute) if fields::attribute_name(attribute).is_ok() => {
                Field::Attribute(attribute.to_owned())
            }
            _ => {
                return Err(wrong(
                    &format!("{at}.field"),
                    "There is no such field; use name, first_name, phone, email, external_id, \
                     status, score, time_zone, language, created_at, updated_at, or \
                     attributes.city for an attribute.",
                ));
            }
        },
    };
    let tests: Vec<_> = object.iter().filter(|(name, _)| *name != "field").collect();
    let known = "use is, contains, exists, above, below, or after and before";
    match tests.as_slice() {
        [(name, value)] => test(object, name, value, at).map(|test| Rule::Field(field, test)),
        [(one, _), (two, _)] if one.as_str() == "after" && two.as_str() == "before" => {
            Ok(Rule::Field(field, Test::Within(span(object, at)?)))
        }
        [] => Err(wrong(at, format!("Say what the field must be: {known}."))),
        _ => Err(wrong(at, format!("A rule tests a field once: {known}."))),
    }
}

fn test(
    object: &Map<String, Value>,
    name: &str,
    value: &Value,
    at: &str,
) -> Result<Test, InvalidRule> {
    let place = format!("{at}.{name}");
    let number = || value.as_f64().ok_or_else(|| wrong(&place, "Give a number."));
    match name {
        "is" => match value {
            Value::String(text) if text.chars().count() <= LONGEST => {
                Ok(Test::Is(Attribute::Text(text.clone())))
            }
            Value::Number(number) => Ok(Test::Is(Attribute::Number(number.clone()))),
            Value::Bool(flag) => Ok(Test::Is(Attribute::Flag(*flag))),
            _ => Err(wrong(&place, "Give a text, a number, true or false.")),
        },
        "contains" => match text(object, name, at)? {
            Some(text) if !text.trim().is_empty() => Ok(Test::Contains(text)),
            _ => Err(wrong(&place, "Give the text that the field must have in it.")),
        },
        "exists" => {
            value.as_bool().map(Test::Exists).ok_or_else(|| wrong(&place, "Give true or false."))
        }
        "above" => number().map(Test::Above),
        "below" => number().map(Test::Below),
        "after" | "before" => Ok(Test::Within(span(object, at)?)),
        _ => Err(wrong(
            &place,
            "There is no such test; use is, contains, exists, above, below, after or before.",
        )),
    }
}
