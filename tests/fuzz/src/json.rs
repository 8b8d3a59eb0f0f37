//! A JSON body before it is parsed: what is let through is as small as was said,
//! and what is refused as too deep is too deep.

use carillon_domain::json_limits::{DEPTH, ENTRIES, TEXT, TooMuch, check as limits};
use serde_json::Value;

pub fn check(data: &[u8]) {
    let limited = limits(data);
    if let Err(too_much) = limited {
        assert!(!too_much.code().is_empty() && !too_much.detail().is_empty());
    }
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let depth = depth(&value);
    match limited {
        Ok(()) => {
            assert!(depth <= DEPTH, "{depth} levels were let through");
            assert_small(&value);
        }
        Err(TooMuch::Depth) => assert!(depth > DEPTH, "{depth} levels are too deep"),
        // Names that are there twice are counted twice, and escapes as they are written.
        Err(TooMuch::Entries | TooMuch::Text) => {}
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn assert_small(value: &Value) {
    match value {
        Value::Array(items) => {
            assert!(items.len() <= ENTRIES);
            items.iter().for_each(assert_small);
        }
        Value::Object(fields) => {
            assert!(fields.len() <= ENTRIES && fields.keys().all(|name| name.len() <= TEXT));
            fields.values().for_each(assert_small);
        }
        Value::String(text) => assert!(text.len() <= TEXT),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
