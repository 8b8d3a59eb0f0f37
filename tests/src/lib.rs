//! What the stories stand on: a whole stack in memory with a clock that is
//! moved by hand, and simulated providers on the other side of real HTTP.
//!
//! - [`World`]: the stack, its API by key, the providers' witness
//! - [`Answer`], [`shows`]: what came back, and what it must show
//! - [`browser`]: one that keeps cookies and sends forms, as the console sees it
//! - [`callback`]: callbacks that a story makes itself, signed or not
//! - [`document`]: where measurements stand in the documentation
//! - [`file`]: a thousand rows, some of them bad
//! - [`gateway`]: a provider's front that is too busy
//! - [`patience`]: waiting for what runs in real time, for tests of a process or a deployment
//! - [`callers`]: more keys and organizations
//! - [`left_behind`]: what a release leaves behind for another
//! - [`many`]: a million messages or contacts, written below the API
//! - [`people`]: numbers of nobody
//! - [`seed`]: messages written below the API
//! - [`real`]: the program itself, in a process and in real time
//! - [`workshops`]: a workshop with its tag, sequence and people

mod answer;
pub mod browser;
pub mod callback;
pub mod callers;
pub mod document;
pub mod file;
pub mod gateway;
pub mod gathering;
pub mod left_behind;
pub mod many;
pub mod patience;
pub mod people;
pub mod real;
mod restore;
pub mod seed;
pub mod workshops;
mod world;

pub use answer::{Answer, shows};
pub use world::{ADMIN_KEY, Setup, World, fields_form, file_form, with_file, with_json};
