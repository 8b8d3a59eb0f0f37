//! JSON Schemas of types, each once, under `components/schemas`. What is read
//! and what is written differ (a field with a default need not be sent and is
//! always answered), so there is a generator for each.

use std::cell::Cell;
use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

/// Of all operations.
pub struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

/// Where a reference leads, as long as it is not known whether what is read and
/// what is written look alike.
const READ: &str = "/components/read";
const WRITTEN: &str = "/components/schemas";

impl Default for Schemas {
    fn default() -> Self {
        let settings = |path: &'static str| {
            SchemaSettings::draft2020_12().with(|s| {
                s.definitions_path = path.into();
                s.meta_schema = None;
            })
        };
        Self {
            read: settings(READ).for_deserialize().into_generator(),
            written: settings(WRITTEN).for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    /// Of what comes in.
    pub fn read<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    /// Of what goes out.
    pub fn written<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().to_value()
    }

    /// Of a struct that is read field by field, such as a query: the object
    /// itself, not a reference to it.
    pub fn fields<T: JsonSchema>(&mut self) -> Value {
        T::json_schema(&mut self.read).to_value()
    }

    /// What a type gives as examples of itself.
    pub fn examples<T: JsonSchema>(&mut self) -> Vec<Value> {
        let schema = T::json_schema(&mut self.read).to_value();
        schema.get("examples").and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// Puts everything that was referred to into the document, by name. What
    /// looks the same read and written is there once; else what is read is
    /// called `…Input`.
    pub fn put_into(mut self, document: &mut Value) {
        let mut written = self.written.take_definitions(true);
        let read = self.read.take_definitions(true);
        let differing = differing(&read, &written);
        let name = |name: &str| {
            let input = if differing.contains(name) { "Input" } else { "" };
            format!("#{WRITTEN}/{name}{input}")
        };
        for (own, mut schema) in read {
            rename(&mut schema, &name);
            let input = if differing.contains(&own) { "Input" } else { "" };
            written.insert(format!("{own}{input}"), schema);
        }
        rename(document, &name);
        document["components"]["schemas"] = Value::Object(written);
        tidy(document);
    }
}

/// Comments are one line each, and an absent field of a change is not a null.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("default").is_some_and(Value::is_null) {
                fields.remove("default");
            }
            for (field, value) in fields {
                match value {
                    Value::String(text) if field == "description" => {
                        *text = text.replace("\n\n", "\u{0}").replace('\n', " ");
                        *text = text.replace('\u{0}', "\n\n");
                    }
                    _ => tidy(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// Names that mean one thing read and another written, by themselves or by what
/// they refer to.
fn differing(read: &Map<String, Value>, written: &Map<String, Value>) -> BTreeSet<String> {
    let same = |name: &str| format!("#{WRITTEN}/{name}");
    let mut differing = BTreeSet::new();
    loop {
        let before = differing.len();
        for (name, schema) in read {
            let refers = Cell::new(false);
            let mut as_written = schema.clone();
            rename(&mut as_written, &|to: &str| {
                refers.set(refers.get() || differing.contains(to));
                same(to)
            });
            if written.get(name).is_some_and(|w| refers.get() || *w != as_written) {
                differing.insert(name.clone());
            }
        }
        if differing.len() == before {
            return differing;
        }
    }
}

/// Turns each reference to what is read into another one.
fn rename(value: &mut Value, name: &impl Fn(&str) -> String) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                match value {
                    Value::String(to) if field == "$ref" => {
                        let prefix = format!("#{READ}/");
                        if let Some(read) = to.strip_prefix(&prefix) {
                            *to = name(read);
                        }
                    }
                    _ => rename(value, name),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|v| rename(v, name)),
        _ => {}
    }
}
