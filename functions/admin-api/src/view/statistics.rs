//! Sums over days.

use std::collections::BTreeMap;

use carillon_domain::integration::Money;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// What was sent in a time, and what became of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Statistics {
    /// Nothing later is counted in.
    pub counts_as_of: Option<Timestamp>,
    /// Whatever a provider took, whatever became of it.
    pub total_sent: i64,
    pub total_delivered: i64,
    pub total_failed: i64,
    pub total_suppressed: i64,
    pub total_cancelled: i64,
    pub total_unknown: i64,
    pub total_pending: i64,
    pub total_replied: i64,
    pub total_opted_out: i64,
    /// A share of what was sent, from 0 to 1; null where nothing was.
    pub delivery_rate: Option<f64>,
    pub reply_rate: Option<f64>,
    pub opt_out_rate: Option<f64>,
    /// In the currency of the first price table.
    pub cost: Money,
    /// One sum a currency.
    pub costs: Vec<Money>,
    pub by_day: Vec<Day>,
    /// By month, as `2026-11`.
    pub by_month: BTreeMap<String, Sums>,
    pub by_error: Vec<ErrorCount>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Day {
    /// As `2026-11-21`, in UTC.
    pub date: String,
    #[serde(flatten)]
    pub sums: Sums,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Sums {
    pub sent: i64,
    pub delivered: i64,
    pub failed: i64,
    pub cost: Money,
}

/// How often messages failed with a provider's code.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorCount {
    pub code: String,
    /// Ours, the same for every provider.
    pub reason: String,
    pub count: i64,
}
