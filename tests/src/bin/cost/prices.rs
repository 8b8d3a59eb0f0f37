//! Prices in USD, of us-east-1, as AWS published them in November 2026. Sources: "Amazon DynamoDB pricing"
//! (on-demand), "Amazon SQS pricing" (standard queue), "AWS Lambda pricing" (arm64), "Amazon API Gateway
//! pricing" (HTTP API), "AWS KMS pricing". Free tiers are left out.

pub const DATE: &str = "2026-11";
/// A million write request units.
pub const WRITES: f64 = 0.625;
/// A million read request units.
pub const READS: f64 = 0.125;
/// A million requests.
pub const QUEUE_REQUESTS: f64 = 0.40;
pub const INVOCATIONS: f64 = 0.20;
pub const API_REQUESTS: f64 = 1.00;
pub const KMS_REQUESTS: f64 = 3.00;
/// A key of one's own, a month.
pub const KMS_KEY: f64 = 1.00;
/// One second of a gigabyte.
pub const GB_SECOND: f64 = 0.000_013_333_4;

/// As in the template: 256 MB.
pub const GB: f64 = 0.25;

/// Billed milliseconds of one invocation: an assumption, since nothing here runs on Lambda. For the sender: a pack
/// of a hundred, twenty calls in flight, a provider that answers in 300 ms.
pub fn milliseconds(function: &str, messages: usize) -> f64 {
    match (function, messages) {
        ("sender", 1) | ("sender, one message", _) => 400.0,
        ("queue-processor, idle" | "queue-processor, few", _) => 150.0,
        ("sender", _) => 1_800.0,
        ("queue-processor", _) => 3_000.0,
        ("admin-api", 1) => 30.0,
        ("admin-api", _) => 300.0,
        ("receiver", _) => 60.0,
        ("webhook", _) => 10.0,
        _ => 100.0,
    }
}
