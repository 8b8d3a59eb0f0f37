//! Quiet hours: when people are left alone.
//!
//! One question, [`at`]: may this message go now, and if not, when? Two kinds
//! of rules answer it: the organization's quiet hours, and for promotional
//! messages the hours of the recipient's country or state, kept as a table.
//! Both are wall-clock time where the recipient is ([`zones`]); who may be in
//! several time zones is left alone while it is quiet in any of them.
//!
//! A rule is about what a clock on the wall shows. In the night when it is set
//! back, an edge inside the repeated hour counts twice; in the night when it
//! is set forward, an edge that no clock shows counts as soon as it is passed.
//!
//! Pure and bounded: nobody retries here. A deferred message comes back to the
//! same question when its window opens.

mod answer;
mod day;
mod hours;
mod places;
mod promotional;
mod spread;
mod sweep;
#[cfg(test)]
mod tests;
mod week;
pub mod zones;

pub use answer::{Answer, Ask, Opening, Reason, at};
pub use day::{local_day, next_day_opens};
pub use hours::{InvalidTime, QuietHours, Window, parse_time};
pub use spread::spread;
