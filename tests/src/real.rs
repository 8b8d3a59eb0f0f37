//! The real program in a process of its own, in real time: what tests that kill it and measurements stand on.

mod client;
mod process;

pub use client::{Client, Received};
pub use process::{ADMIN_KEY, Home, Provider, Running};
