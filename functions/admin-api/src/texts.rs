//! Named texts (a query string, the fields of a form) read into a struct: what
//! is unknown, missing or of the wrong kind is named.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::de::value::StringDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Why the texts are not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("unknown: {name}")]
    Unknown { name: String, known: &'static [&'static str] },
    #[error("missing: {0}")]
    Missing(&'static str),
    #[error("not a value of {name}: {value}")]
    Value { name: String, value: String },
    #[error("{0}")]
    Other(String),
}

/// Empty texts are as good as absent: forms send them.
///
/// # Errors
/// The first thing that is wrong.
pub fn read<T: DeserializeOwned>(texts: &BTreeMap<String, String>) -> Result<T, Wrong> {
    let pairs = texts.iter().map(|(n, v)| (n.clone(), v.clone())).collect::<Vec<_>>();
    T::deserialize(Texts { pairs: pairs.into_iter(), value: None })
}

impl de::Error for Wrong {
    fn custom<T: Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Unknown { name: field.to_owned(), known: expected }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

struct Texts {
    pairs: std::vec::IntoIter<(String, String)>,
    value: Option<(String, String)>,
}

impl<'de> de::Deserializer<'de> for Texts {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> MapAccess<'de> for Texts {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some((name, value)) = self.pairs.next() else { return Ok(None) };
        let key: StringDeserializer<Wrong> = name.clone().into_deserializer();
        self.value = Some((name, value));
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let (name, value) = self.value.take().unwrap_or_default();
        seed.deserialize(Text(&value)).map_err(|_| Wrong::Value { name, value: value.clone() })
    }
}

/// One text: a word, a number, yes or no.
struct Text<'a>(&'a str);

impl Text<'_> {
    fn parse<T: std::str::FromStr>(&self) -> Result<T, Wrong> {
        self.0.parse().map_err(|_| Wrong::Other(String::new()))
    }
}

impl<'de> de::Deserializer<'de> for Text<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_bool(self.parse()?)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_u16(self.parse()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_u32(self.parse()?)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Query {
        limit: Option<u16>,
        channel: Option<carillon_domain::Channel>,
        to: String,
    }

    fn read_pairs(pairs: &[(&str, &str)]) -> Result<Query, Wrong> {
        read(&pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn what_is_wrong_is_named() {
        let value =
            |name: &str, value: &str| Wrong::Value { name: name.into(), value: value.into() };
        for (pairs, expected) in [
            (&[("to", "x"), ("limit", "many")][..], value("limit", "many")),
            (&[("to", "x"), ("limit", "-1")], value("limit", "-1")),
            (&[("to", "x"), ("channel", "fax")], value("channel", "fax")),
            (&[("limit", "1")], Wrong::Missing("to")),
            (
                &[("colour", "red")],
                Wrong::Unknown { name: "colour".into(), known: &["limit", "channel", "to"] },
            ),
        ] {
            assert_eq!(read_pairs(pairs), Err(expected), "{pairs:?}");
        }
    }

    #[test]
    fn an_empty_text_is_no_text() {
        let read = read_pairs(&[("to", "x"), ("limit", ""), ("channel", "sms")]);
        let channel = Some(carillon_domain::Channel::Sms);
        assert_eq!(read, Ok(Query { limit: None, channel, to: "x".into() }));
    }
}
