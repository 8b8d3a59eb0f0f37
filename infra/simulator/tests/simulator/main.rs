//! Stories against a whole simulator over HTTP, with a small webhook of our own on the other side.
//! One binary, so that it links once.

#![allow(clippy::unwrap_used)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests over a socket wait for real and have a client of their own"
)]

mod callbacks;
mod control;
mod fast2sms;
mod faults;
mod inbound;
mod pace;
mod restart;
mod support;
mod twilio;
