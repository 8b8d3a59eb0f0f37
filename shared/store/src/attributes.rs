//! Writing and reading attributes. Absent means none: nothing is written for
//! what is not there, since every byte of a row is paid for at every write.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::keys::Key;
use crate::{Result, StoreError};

pub type Item = HashMap<String, AttributeValue>;

pub fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub fn n(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub fn ms(at: Timestamp) -> AttributeValue {
    n(at.as_millisecond())
}

impl Key {
    pub fn item(&self) -> Item {
        Item::from([("pk".to_owned(), s(&self.pk)), ("sk".to_owned(), s(&self.sk))])
    }
}

/// Builds an item.
pub struct Writer(Item);

impl Writer {
    pub fn new(key: &Key) -> Self {
        Self(key.item())
    }

    pub fn put(&mut self, name: &str, value: AttributeValue) -> &mut Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    pub fn text(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.put(name, s(value))
    }

    pub fn number(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Self {
        self.put(name, n(value))
    }

    pub fn time(&mut self, name: &str, at: Timestamp) -> &mut Self {
        self.put(name, ms(at))
    }

    pub fn bytes(&mut self, name: &str, value: Vec<u8>) -> &mut Self {
        self.put(name, AttributeValue::B(Blob::new(value)))
    }

    pub fn some<T>(
        &mut self,
        name: &str,
        value: Option<T>,
        to: impl Fn(T) -> AttributeValue,
    ) -> &mut Self {
        if let Some(value) = value {
            self.put(name, to(value));
        }
        self
    }

    pub fn done(self) -> Item {
        self.0
    }
}

/// Reads an item; every error names the row's kind and the attribute.
pub struct Reader<'a> {
    kind: &'static str,
    item: &'a Item,
}

impl<'a> Reader<'a> {
    pub const fn new(kind: &'static str, item: &'a Item) -> Self {
        Self { kind, item }
    }

    pub fn corrupt(&self, name: &str) -> StoreError {
        StoreError::Corrupt { kind: self.kind, detail: format!("attribute {name}") }
    }

    pub fn maybe_text(&self, name: &str) -> Option<&'a str> {
        self.item.get(name).and_then(|v| v.as_s().ok()).map(String::as_str)
    }

    pub fn text(&self, name: &str) -> Result<&'a str> {
        self.maybe_text(name).ok_or_else(|| self.corrupt(name))
    }

    pub fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        self.item.get(name).and_then(|v| v.as_b().ok()).map(Blob::as_ref)
    }

    pub fn maybe_number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>> {
        match self.item.get(name) {
            None => Ok(None),
            Some(value) => value
                .as_n()
                .ok()
                .and_then(|text| text.parse().ok())
                .map(Some)
                .ok_or_else(|| self.corrupt(name)),
        }
    }

    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T> {
        self.maybe_number(name)?.ok_or_else(|| self.corrupt(name))
    }

    pub fn maybe_time(&self, name: &str) -> Result<Option<Timestamp>> {
        match self.maybe_number::<i64>(name)? {
            None => Ok(None),
            Some(ms) => Timestamp::from_millisecond(ms).map(Some).map_err(|_| self.corrupt(name)),
        }
    }

    pub fn time(&self, name: &str) -> Result<Timestamp> {
        self.maybe_time(name)?.ok_or_else(|| self.corrupt(name))
    }

    /// A text attribute read by a vocabulary's own parser.
    pub fn parsed<T>(&self, name: &str, parse: impl Fn(&'a str) -> Option<T>) -> Result<T> {
        parse(self.text(name)?).ok_or_else(|| self.corrupt(name))
    }

    pub fn maybe_parsed<T>(
        &self,
        name: &str,
        parse: impl Fn(&'a str) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.maybe_text(name) {
            None => Ok(None),
            Some(text) => parse(text).map(Some).ok_or_else(|| self.corrupt(name)),
        }
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.maybe_parsed(name, |text| serde_json::from_str(text).ok())
    }
}
