//! A variable of a template, as people and forms see it.

use serde_json::{Map, Value};

pub const MAX_VARIABLES: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    pub key: String,
    pub label: Option<String>,
    /// Whether nobody gets the text without it. What is not required and has no
    /// value is left empty.
    pub required: bool,
    pub default: Option<String>,
}

impl Variable {
    #[must_use]
    pub const fn required(key: String) -> Self {
        Self { key, label: None, required: true, default: None }
    }

    /// What stands for it where nobody gives a value.
    #[must_use]
    pub fn fallback(&self) -> Option<&str> {
        self.default.as_deref().or((!self.required).then_some(""))
    }

    /// What is stored may be older than this form of it.
    pub(super) fn of_row(value: &Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            key: text("key").unwrap_or_default(),
            label: text("label"),
            required: value.get("required").and_then(Value::as_bool).unwrap_or(true),
            default: text("default"),
        }
    }

    pub(super) fn row(&self) -> Value {
        let mut row = Map::from_iter([
            ("key".to_owned(), Value::from(self.key.as_str())),
            ("required".to_owned(), self.required.into()),
        ]);
        let texts = [("label", &self.label), ("default", &self.default)];
        row.extend(texts.into_iter().map(|(name, text)| (name.to_owned(), text.clone().into())));
        Value::Object(row)
    }
}
