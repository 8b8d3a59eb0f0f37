//! What must hold for every input that strangers can send: a property of bytes
//! each, so that the same check serves a short run in the tests (`tests/short.rs`)
//! and a long one that is led by coverage (`main.rs`, docs/fuzzing.md).
//!
//! A check returns, or panics with what does not hold. None has state, a clock
//! or randomness: an input that fails, fails again.

mod callback;
mod csv;
mod cursor;
mod dlt;
mod input;
mod json;
mod phone;
mod segments;
mod signature;
mod template;

/// A reader that is checked.
#[derive(Clone, Copy)]
pub struct Target {
    /// Also the name of its folder of seeds.
    pub name: &'static str,
    pub check: fn(&[u8]),
}

pub const TARGETS: &[Target] = &[
    Target { name: "csv", check: csv::check },
    Target { name: "phone", check: phone::check },
    Target { name: "segments", check: segments::check },
    Target { name: "template", check: template::check },
    Target { name: "dlt", check: dlt::check },
    Target { name: "callback", check: callback::check },
    Target { name: "signature", check: signature::check },
    Target { name: "cursor", check: cursor::check },
    Target { name: "json", check: json::check },
];

#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}
