//! Values given for a template, as names and as the engine sees them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The paths that these values make available (`name`, `contact.name`). An
/// object is there as its fields, a `null` is not there at all.
#[must_use]
pub fn names(values: &Map<String, Value>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect("", values, &mut names);
    names
}

fn collect(prefix: &str, values: &Map<String, Value>, names: &mut BTreeSet<String>) {
    for (key, value) in values {
        match value {
            Value::Null => {}
            Value::Object(fields) => collect(&format!("{prefix}{key}."), fields, names),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                names.insert(format!("{prefix}{key}"));
            }
        }
    }
}

/// The values with an empty object wherever an optional field (`contact.name`)
/// has no object to be missing from: to the engine, a field of nothing is an
/// error even where it has a default.
pub(super) fn with_parents<'a>(
    values: &'a Map<String, Value>,
    optional: &BTreeSet<String>,
) -> Cow<'a, Map<String, Value>> {
    let mut values = Cow::Borrowed(values);
    for path in optional {
        let parents: Vec<&str> = path.split('.').rev().skip(1).collect();
        if parents.is_empty() || exists(&values, &parents) {
            continue;
        }
        let mut at = values.to_mut();
        for parent in parents.into_iter().rev() {
            let field = at.entry(parent).or_insert(Value::Null);
            if field.is_null() {
                *field = Value::Object(Map::new());
            }
            // A text where an object belongs stays what the caller gave.
            let Value::Object(fields) = field else { break };
            at = fields;
        }
    }
    values
}

/// `path` is from the innermost name outwards.
fn exists(values: &Map<String, Value>, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_last() else { return true };
    match values.get(*first) {
        Some(Value::Object(fields)) => exists(fields, rest),
        _ => false,
    }
}

/// The same as the engine takes it. What is `null` is left out, so that the
/// engine finds it missing.
pub(super) fn engine_values(values: &Map<String, Value>) -> minijinja::Value {
    let present = values.iter().filter(|(_, value)| !value.is_null());
    minijinja::Value::from_pairs(present.map(|(key, value)| (key.as_str(), engine_value(value))))
}

fn engine_value(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => minijinja::Value::UNDEFINED,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(whole)) => whole.into(),
            (None, None) => number.as_f64().map(Into::into).unwrap_or_default(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(engine_value).collect(),
        Value::Object(fields) => engine_values(fields),
    }
}
