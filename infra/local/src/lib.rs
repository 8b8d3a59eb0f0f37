//! Carillon on a laptop: every function in one process, on embedded engines,
//! behind the real AWS SDK clients. The tests use the same stack with a clock
//! they control.

pub mod bucket;
pub mod demo;
pub mod engines;
pub mod first_visit;
pub mod issuer;
pub mod options;
pub mod poller;
pub mod queues;
pub mod rollup_feed;
pub mod serve;
pub mod simulator;
pub mod stack;

pub use options::Options;
pub use stack::Stack;
