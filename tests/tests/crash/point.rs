//! A point at which a story is cut: the n-th time that a step does something,
//! and what then goes wrong there.

use std::fmt;

use carillon_local::engines::{Operation, ServiceName, Verdict};
use serde_json::Value;

/// Who is at work: what Lambda would run as one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    Api,
    Tick,
    Sender,
    Receiver,
    Rollup,
    Webhook,
}

/// What a step does, however often: `sender: PutItem m/snd`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub step: Step,
    pub what: String,
    pub kind: Effect,
}

/// Whether a lost answer leaves the caller in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    Reads,
    Writes,
    /// A provider is asked to send, or asked what it has.
    Calls,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// Fails before it takes effect.
    FailBefore,
    /// Takes effect, and the answer is lost.
    LoseAnswer,
    /// The step is cut off before it takes effect.
    DropBefore,
    /// The step is cut off after it took effect.
    DropAfter,
    /// The step stands still there for a long time, before it takes effect, and
    /// then goes on as if nothing had been.
    StallBefore,
    /// The same after it took effect.
    StallAfter,
    /// Of a provider: an error page, and it has nothing.
    ErrorPage,
    /// Of a provider: an error page, and it has the message all the same.
    ErrorPageAfter,
    /// Of a provider: too fast.
    TooFast,
}

impl Fault {
    /// What can go wrong with something of this kind, quickly.
    pub const fn of(kind: Effect) -> &'static [Self] {
        match kind {
            // Where nothing takes effect, before and after are the same.
            Effect::Reads => &[Self::FailBefore, Self::DropBefore],
            Effect::Writes => {
                &[Self::FailBefore, Self::LoseAnswer, Self::DropBefore, Self::DropAfter]
            }
            Effect::Calls => &[
                Self::FailBefore,
                Self::LoseAnswer,
                Self::DropBefore,
                Self::DropAfter,
                Self::ErrorPage,
                Self::ErrorPageAfter,
                Self::TooFast,
            ],
        }
    }

    /// What else can: a step that stands still and comes back.
    pub const fn stalls(kind: Effect) -> &'static [Self] {
        match kind {
            // A request that is on its way for so long was given up by its
            // client, and its connection is gone.
            Effect::Reads | Effect::Calls => &[Self::StallAfter],
            Effect::Writes => &[Self::StallBefore, Self::StallAfter],
        }
    }

    pub const fn is_stall(self) -> bool {
        matches!(self, Self::StallBefore | Self::StallAfter)
    }

    /// As the engines' layer knows it.
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::FailBefore => Verdict::FailBefore,
            Self::LoseAnswer | Self::ErrorPageAfter => Verdict::LoseAnswer,
            Self::DropBefore | Self::StallBefore => Verdict::HangBefore,
            Self::DropAfter | Self::StallAfter => Verdict::HangAfter,
            Self::ErrorPage => Verdict::ServerError,
            Self::TooFast => Verdict::Throttle,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    pub place: Place,
    /// From 1.
    pub nth: u32,
    pub fault: Fault,
    /// Of the SDK: 1 is above its retry, 3 is under it.
    pub attempts: u32,
}

impl Point {
    /// The SDK's retry takes care of it, and nobody may notice.
    pub fn is_absorbed(&self) -> bool {
        self.attempts > 1
            && self.place.kind != Effect::Calls
            && matches!(self.fault, Fault::FailBefore | Fault::LoseAnswer)
    }
}

impl Point {
    /// Of what does not take effect and is made again by the SDK nothing is left;
    /// and a step that is cut off before a write was cut off after what it did
    /// before, which is a point of its own.
    pub fn equals_another(&self) -> bool {
        let is_write = self.place.kind == Effect::Writes;
        (self.is_absorbed() && self.fault == Fault::FailBefore)
            || (is_write && self.fault == Fault::DropBefore)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.step, self.what)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, nth, fault, attempts } = self;
        write!(f, "{place} no. {nth}, {fault:?}, {attempts} attempt(s) of the SDK")
    }
}

impl Place {
    /// What an operation of the table, the queues or KMS is: its name and the
    /// kind of row.
    pub fn of(step: Step, operation: &Operation<'_>) -> Self {
        let kind = if operation.is_write() { Effect::Writes } else { Effect::Reads };
        let what = match operation.service {
            ServiceName::DynamoDb => row(operation),
            ServiceName::Sqs => operation.resource.unwrap_or_default().to_owned(),
            ServiceName::Kms => "key".to_owned(),
        };
        Self { step, what: format!("{} {what}", operation.name), kind }
    }
}

/// The kind of row: what its sort key begins with, and of a message its state.
fn row(operation: &Operation<'_>) -> String {
    let body = operation.body;
    if let Some(index) = operation.index {
        return index.to_owned();
    }
    let item = &body["Item"];
    let keys = [&item["sk"], &body["Key"]["sk"]];
    if let Some(sort) = keys.iter().find_map(|sk| sk["S"].as_str()) {
        let kind = kind_of(sort);
        return match item["s"]["S"].as_str() {
            Some(state) => format!("{kind}/{state}"),
            None => kind,
        };
    }
    if let Some(table) = body["RequestItems"].as_object().and_then(|t| t.values().next()) {
        let first = table["Keys"][0]["sk"]["S"].as_str();
        return first.map_or_else(String::new, kind_of);
    }
    let value = |name: &str| body["ExpressionAttributeValues"][name]["S"].as_str();
    let partition = value(":pk").and_then(|pk| pk.split('/').nth(2)).unwrap_or("organization");
    match value(":low") {
        Some(low) => format!("{partition}/{}", kind_of(low)),
        None => partition.to_owned(),
    }
}

/// `m` of `m/0177…`; `#` of what begins with a digit.
pub fn kind_of(sort: &str) -> String {
    let letters: String = sort.chars().take_while(char::is_ascii_alphabetic).collect();
    if letters.is_empty() { "#".to_owned() } else { letters }
}

/// Text at a path of an input.
pub fn text<'a>(body: &'a Value, path: &str) -> Option<&'a str> {
    body.pointer(path)?.as_str()
}
