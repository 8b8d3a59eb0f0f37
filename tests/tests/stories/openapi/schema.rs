//! Whether a value is what a schema says. Knows the words that the document
//! uses; one that it does not know is a failure, never passed over. (A validator
//! of the whole of JSON Schema looks at the same answers in `tests/api`.)

use jiff::Timestamp;
use serde_json::Value;

use super::checked::Document;

pub struct Fit<'a> {
    pub document: &'a Document,
}

impl Fit<'_> {
    /// What does not fit, and by which word of the schema.
    pub fn misfit(&self, schema: &Value, value: &Value) -> Option<String> {
        if schema == &Value::Bool(true) {
            return None;
        }
        let words = schema.as_object().unwrap_or_else(|| panic!("no schema: {schema}"));
        words.iter().find_map(|(word, says)| {
            let wrong = || Some(format!("{value} is not {word} {says}"));
            let fits = |schema: &&Value| self.misfit(schema, value).is_none();
            let is_right = match word.as_str() {
                "$ref" => return self.misfit(self.document.resolved(schema), value),
                "description" | "title" | "default" | "examples" => true,
                "type" => match says {
                    Value::Array(kinds) => kinds.iter().any(|kind| is_a(kind, value)),
                    kind => is_a(kind, value),
                },
                "const" => value == says,
                "enum" => list(says).contains(value),
                "anyOf" => list(says).iter().any(|schema| fits(&schema)),
                "oneOf" => list(says).iter().filter(fits).count() == 1,
                "allOf" => return list(says).iter().find_map(|s| self.misfit(s, value)),
                "properties" => return self.fields(says, value),
                "required" => list(says).iter().all(|name| value.get(text(name)).is_some()),
                "additionalProperties" => return self.others(schema, says, value),
                "items" => {
                    let items = value.as_array().into_iter().flatten();
                    return items.into_iter().find_map(|item| self.misfit(says, item));
                }
                "minimum" => number(value).is_none_or(|n| Some(n) >= number(says)),
                "maximum" => number(value).is_none_or(|n| Some(n) <= number(says)),
                "minLength" => length(value).is_none_or(|n| n as u64 >= says.as_u64().unwrap_or(0)),
                "maxLength" => length(value).is_none_or(|n| n as u64 <= says.as_u64().unwrap_or(0)),
                "maxItems" => {
                    value.as_array().is_none_or(|v| v.len() as u64 <= says.as_u64().unwrap_or(0))
                }
                "format" => value.as_str().is_none_or(|text| is_of_format(text, says)),
                // Of ids and codes: a prefix and the characters after it.
                "pattern" => value.as_str().is_none_or(|v| is_like(v, text(says))),
                _ => panic!("nobody knows the word {word} of {schema}"),
            };
            if is_right { None } else { wrong() }
        })
    }

    fn fields(&self, says: &Value, value: &Value) -> Option<String> {
        let fields = says.as_object().into_iter().flatten();
        fields.into_iter().find_map(|(name, schema)| {
            let misfit = self.misfit(schema, value.get(name)?);
            misfit.map(|why| format!("{name}: {why}"))
        })
    }

    /// Fields that are not among the properties.
    fn others(&self, schema: &Value, says: &Value, value: &Value) -> Option<String> {
        let mut fields = value.as_object().into_iter().flatten();
        fields.find_map(|(name, value)| match says {
            _ if schema["properties"].get(name).is_some() => None,
            Value::Bool(false) => Some(format!("{name} is not in the document")),
            says => self.misfit(says, value),
        })
    }
}

fn is_a(kind: &Value, value: &Value) -> bool {
    match text(kind) {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        kind => panic!("nobody knows the type {kind}"),
    }
}

fn is_of_format(value: &str, format: &Value) -> bool {
    match text(format) {
        "date-time" => value.parse::<Timestamp>().is_ok(),
        "date" => value.parse::<jiff::civil::Date>().is_ok(),
        // How wide a number is.
        "uint8" | "uint16" | "uint32" | "uint64" | "uint" | "int32" | "int64" | "double" => true,
        format => panic!("nobody knows the format {format}"),
    }
}

/// `^msg_[0-9a-z]{42}$` and the like.
fn is_like(value: &str, pattern: &str) -> bool {
    let inner = pattern.trim_start_matches('^').trim_end_matches('$');
    let Some((prefix, rest)) = inner.split_once('[') else { return value == inner };
    let Some(rest_of_value) = value.strip_prefix(prefix) else { return false };
    let counted = rest.rsplit_once('{').and_then(|(_, n)| n.strip_suffix('}')?.parse().ok());
    let plain = rest_of_value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    plain && counted.is_none_or(|n: usize| rest_of_value.len() == n || !prefix.contains('_'))
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

fn length(value: &Value) -> Option<usize> {
    value.as_str().map(|text| text.chars().count())
}
