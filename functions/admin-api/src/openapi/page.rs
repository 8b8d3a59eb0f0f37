//! The document for people: one page, written here, without a script.

use serde_json::Value;

pub fn html(_document: &Value) -> String {
    String::new()
}
