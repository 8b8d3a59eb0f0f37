//! Settable failures: which one strikes a request, and what the caller then sees.

use serde_json::Value;

use crate::{
    database::State,
    error::Result,
    settings::{FailRule, FaultKind, Provider},
};

const DEFAULT_STALL_MS: u64 = 60_000;

/// What is written on the connection in the end.
#[derive(Clone)]
pub(crate) enum Answer {
    Json(u16, Value),
    Html(u16, &'static str),
    /// The connection ends without a byte.
    Hangup,
    /// Silence for so many milliseconds, then the same.
    Stall(u64),
}

/// Sends seen, for the throttle.
#[derive(Default)]
pub(crate) struct Counter {
    seen: u64,
    second: i64,
    in_second: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub kind: FaultKind,
    pub code: Option<u32>,
    /// Whether the message is kept although the caller does not hear so.
    pub accepted: bool,
    stall_ms: u64,
}

impl Fault {
    /// `unavailable` and `throttled` are the provider's documents, `honest` what it would have said.
    pub fn answer(self, unavailable: Answer, throttled: Answer, honest: Answer) -> Answer {
        match self.kind {
            FaultKind::Http500 => {
                Answer::Html(500, "<html><body><h1>Internal Server Error</h1></body></html>")
            }
            FaultKind::Http503Json => unavailable,
            FaultKind::Http429 => throttled,
            FaultKind::CloseBefore | FaultKind::CloseAfterAccept => Answer::Hangup,
            FaultKind::TimeoutAfterAccept => Answer::Stall(self.stall_ms),
            FaultKind::Garbage200 => Answer::Html(
                200,
                "<!doctype html><title>Log in</title><p>Please log in to use this network.</p>",
            ),
            FaultKind::Code => honest,
        }
    }

    pub fn name(self) -> &'static str {
        match self.kind {
            FaultKind::Http500 => "http_500",
            FaultKind::Http503Json => "http_503_json",
            FaultKind::Http429 => "http_429",
            FaultKind::CloseBefore => "close_before",
            FaultKind::CloseAfterAccept => "close_after_accept",
            FaultKind::TimeoutAfterAccept => "timeout_after_accept",
            FaultKind::Garbage200 => "garbage_200",
            FaultKind::Code => "code",
        }
    }

    /// A code that a carrier gives later: the message is accepted and ends with it.
    pub fn later_code(self) -> Option<u32> {
        self.code.filter(|code| is_later(*code))
    }

    /// A code that the provider answers at once.
    pub fn refusal_code(self) -> Option<u32> {
        self.code.filter(|code| !is_later(*code))
    }

    fn of(rule: &FailRule) -> Self {
        let kept = match rule.kind {
            FaultKind::CloseAfterAccept | FaultKind::TimeoutAfterAccept => true,
            FaultKind::Code => rule.code.is_some_and(is_later),
            _ => false,
        };
        Self {
            kind: rule.kind,
            code: rule.code.filter(|_| rule.kind == FaultKind::Code),
            accepted: rule.accepted.unwrap_or(kept),
            stall_ms: rule.stall_ms.unwrap_or(DEFAULT_STALL_MS),
        }
    }
}

/// Twilio's 30xxx and 63xxx come in callbacks, all its others on the call.
fn is_later(code: u32) -> bool {
    (30_000..31_000).contains(&code) || (63_000..64_000).contains(&code)
}

/// The fault that strikes a send to these numbers, if any; it is used up with that.
pub(crate) fn strike(
    state: &mut State,
    provider: Provider,
    numbers: &[String],
    now_ms: i64,
) -> Result<Option<Fault>> {
    if throttled(state, now_ms) {
        return Ok(Some(Fault {
            kind: FaultKind::Http429,
            code: None,
            accepted: false,
            stall_ms: 0,
        }));
    }
    let strikes = |rule: &FailRule| {
        rule.times > 0
            && rule.matching.provider.is_none_or(|only| only == provider)
            && (rule.matching.to.as_ref()).is_none_or(|to| numbers.contains(to))
    };
    let Some(place) = state.settings.fail_next.iter().position(strikes) else {
        return Ok(None);
    };
    let mut settings = state.settings.clone();
    let rule = &mut settings.fail_next[place];
    let fault = Fault::of(rule);
    rule.times -= 1;
    settings.fail_next.retain(|rule| rule.times > 0);
    state.set(settings)?;
    Ok(Some(fault))
}

fn throttled(state: &mut State, now_ms: i64) -> bool {
    let throttle = state.settings.throttle;
    let counter = &mut state.counter;
    counter.seen += 1;
    let second = now_ms.div_euclid(1000);
    if counter.second != second {
        counter.second = second;
        counter.in_second = 0;
    }
    counter.in_second += 1;
    let nth =
        throttle.every_nth.is_some_and(|n| n > 0 && counter.seen.is_multiple_of(u64::from(n)));
    nth || throttle.per_second.is_some_and(|most| counter.in_second > most)
}
