//! How vocabulary that is written by hand looks in JSON Schema: words of a fixed
//! list, ids, texts of one form. What derives its serialization derives its
//! schema too. Only with the feature `schema`, for who documents an API.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// One of these words.
pub fn words(doc: &str, words: impl Iterator<Item = &'static str>) -> Schema {
    json_schema!({"description": doc, "type": "string", "enum": words.collect::<Vec<_>>()})
}

/// A prefix and as much base32 as these bytes need.
#[must_use]
pub fn id(doc: &str, prefix: &str, bytes: usize) -> Schema {
    let length = (bytes * 8).div_ceil(5);
    text(doc, &format!("^{prefix}_[0-9abcdefghjkmnpqrstvwxyz]{{{length}}}$"))
}

/// A text of this form.
#[must_use]
pub fn text(doc: &str, pattern: &str) -> Schema {
    json_schema!({"description": doc, "type": "string", "pattern": pattern})
}

/// A time on the wall's clock, as it is written.
#[derive(Debug)]
pub struct TimeOfDay;

impl JsonSchema for TimeOfDay {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeOfDay".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        text("A time of day, such as 21:00.", "^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$")
    }
}
