//! Quiet hours: when people are left alone.

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use crate::Channel;

/// A daily window in the recipient's own time; it may pass midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    pub start: Time,
    pub end: Time,
    pub channels: Vec<Channel>,
}

impl Default for QuietHours {
    fn default() -> Self {
        Self {
            start: Time::constant(21, 0, 0, 0),
            end: Time::constant(8, 0, 0, 0),
            channels: Channel::ALL.to_vec(),
        }
    }
}
