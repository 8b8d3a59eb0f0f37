//! The pure core, in nanoseconds: plain loops, no table, no network.

use std::fmt::Write as _;
use std::hint::black_box;

use anyhow::{Context, Result};
use carillon_domain::ledger::{Ask, Ledger, Limits, Want};
use carillon_domain::message::EventSource;
use carillon_domain::receipt::ReceiptKind;
use carillon_domain::settings::Settings;
use carillon_domain::template::Template;
use carillon_domain::transition::Answered;
use carillon_domain::{
    AddressSecret, Channel, Lane, Message, OrgId, PhoneNumber, ProviderName, Purpose,
};
use carillon_domain::{quiet, segments};
use carillon_tests::patience::Stopwatch;
use carillon_tests::seed;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const ROUNDS: usize = 21;
const CALLS: u32 = 20_000;

pub fn measure() -> Result<String> {
    let now: Timestamp = "2026-11-21T09:00:00Z".parse()?;
    let org = OrgId::from_hash(&[b"bench"]);
    let secret = AddressSecret::new(&[7; 32]).context("32 bytes")?;
    let message = seed::scheduled(&secret, org, 1, now, now);
    let mut rows: Vec<(&str, [f64; 3])> = Vec::new();

    rows.push((
        "a message's way: claim, result, receipts `sent` and `delivered` (on a fresh copy)",
        nanoseconds(|| way(message.clone(), now)),
    ));
    rows.push(("of this, the copy", nanoseconds(|| message.clone())));

    let limits = Limits::of(&Settings { max_per_day: Some(u32::MAX), ..Settings::default() });
    let wants = [Want { parts: 1, micros: 7_900 }; 100];
    let base = Ledger::default();
    rows.push(("ledger: a reservation for a pack of 100, rate and caps", {
        nanoseconds(|| {
            let mut ledger = base.clone();
            let until = now + SignedDuration::from_secs(55);
            let (holder, identity, lane) = ("pack", ProviderName::Twilio, Lane::Bulk);
            let ask = Ask { holder, identity, rate: 1_000, lane, wants: &wants, now, until };
            ledger.reserve(&ask, &limits)
        })
    }));

    let (settings, to) = (Settings::default(), PhoneNumber::parse("+61412345678", None)?);
    for (name, purpose) in [
        ("quiet hours of a mobile that may be in several zones", Purpose::Transactional),
        ("the same for a promotional message", Purpose::Promotional),
    ] {
        let ask = quiet::Ask {
            channel: Channel::Sms,
            purpose,
            to: &to,
            contact_zone: None,
            organization_zone: "Australia/Sydney",
            quiet_hours: settings.quiet_hours.as_ref(),
            override_quiet_hours: false,
        };
        rows.push((name, nanoseconds(|| quiet::at(black_box(now), &ask))));
    }

    let text = "Hi {{ name }}, your class with {{ coach | default('us') }} begins at {{ time }}.";
    let template = Template::parse(text).context("a template")?;
    let values = json!({"name": "Ada Lovelace", "coach": "Grace Hopper", "time": "7:30 PM"});
    let values = values.as_object().context("values")?;
    rows.push(("rendering: three variables and a filter", nanoseconds(|| template.render(values))));
    rows.push(("reading that template", nanoseconds(|| Template::parse(black_box(text)))));

    let (plain, long) =
        ("Your class begins at 7:30 PM. ".repeat(5), "Zażółć gęślą jaźń 🔔 ".repeat(16));
    rows.push((
        "segments: 150 characters of GSM-7",
        nanoseconds(|| segments::count(black_box(&plain))),
    ));
    rows.push((
        "segments: 304 characters of UCS-2",
        nanoseconds(|| segments::count(black_box(&long))),
    ));
    rows.push((
        "reading a number, as each gate does",
        nanoseconds(|| PhoneNumber::parse(black_box("+61412345678"), None)),
    ));

    let mut out = "| | ns, median | fastest | slowest round |\n|---|--:|--:|--:|\n".to_owned();
    for (name, [median, fastest, slowest]) in rows {
        let _ = writeln!(out, "| {name} | {median:.0} | {fastest:.0} | {slowest:.0} |");
    }
    let _ = write!(out, "\n{ROUNDS} rounds of {CALLS} calls each, on one thread.");
    Ok(out)
}

/// The four transitions of a message that nothing happens to.
fn way(mut message: Message, now: Timestamp) -> Message {
    let attempt = message.claim(ProviderName::Twilio, now, now + SignedDuration::from_secs(150));
    let answered = Answered {
        http_status: Some(201),
        code: None,
        provider_message_id: Some("SM00000000000000000000000000000000".to_owned()),
        text: None,
    };
    black_box(message.accepted(attempt, answered, None, EventSource::Response, now));
    for kind in [ReceiptKind::Sent, ReceiptKind::Delivered] {
        let source = EventSource::Callback;
        black_box(message.receipt(Some(attempt), None, &kind, source, now));
    }
    message
}

/// Median, fastest and slowest round, for one call.
fn nanoseconds<T>(mut call: impl FnMut() -> T) -> [f64; 3] {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let watch = Stopwatch::start();
            for _ in 0..CALLS {
                black_box(call());
            }
            watch.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    [rounds[ROUNDS / 2], rounds[0], rounds[ROUNDS - 1]]
}
