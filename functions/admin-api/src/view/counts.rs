//! How many messages of something are where.

use carillon_domain::statistics::Bucket;
use schemars::JsonSchema;
use serde::Serialize;

/// Messages by their status; each is in one. What is on a queue or being sent
/// counts as pending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    pub pending: u64,
    pub queued: u64,
    pub sending: u64,
    pub unknown: u64,
    pub sent: u64,
    pub delivered: u64,
    pub read: u64,
    pub failed: u64,
    pub suppressed: u64,
    pub cancelled: u64,
}

impl Counts {
    pub fn add(&mut self, bucket: Bucket, messages: u64) {
        let place = match bucket {
            Bucket::Pending => &mut self.pending,
            Bucket::Unknown => &mut self.unknown,
            Bucket::Sent => &mut self.sent,
            Bucket::Delivered => &mut self.delivered,
            Bucket::Read => &mut self.read,
            Bucket::Failed | Bucket::Undelivered => &mut self.failed,
            Bucket::Suppressed => &mut self.suppressed,
            Bucket::Cancelled => &mut self.cancelled,
            // Nobody writes to us by what we send.
            Bucket::Received | Bucket::OptedOut => return,
        };
        *place += messages;
    }

    pub fn sum(&mut self, other: &Self) {
        self.pending += other.pending;
        self.queued += other.queued;
        self.sending += other.sending;
        self.unknown += other.unknown;
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.read += other.read;
        self.failed += other.failed;
        self.suppressed += other.suppressed;
        self.cancelled += other.cancelled;
    }

    #[must_use]
    pub const fn all(&self) -> u64 {
        self.pending
            + self.queued
            + self.sending
            + self.unknown
            + self.sent
            + self.delivered
            + self.read
            + self.failed
            + self.suppressed
            + self.cancelled
    }

    /// Nothing of it waits any more.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.pending + self.queued + self.sending == 0
    }
}
