//! Inputs as large as the doors let in, made to be slow: who sends them must not
//! hold up a function. Linear readers take a second or two in a debug build; a
//! quadratic one takes minutes.

use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_mins(1);
/// What the webhook and the API's JSON bodies take is less.
const SIZE: usize = 1024 * 1024;

fn repeated(before: &str, piece: &str, after: &str) -> Vec<u8> {
    let times = SIZE / piece.len();
    [before.as_bytes(), &piece.as_bytes().repeat(times), after.as_bytes()].concat()
}

/// The longest record there is, of columns with names of their own.
fn header(columns: usize) -> String {
    (0..columns).map(|n| format!("c{n:x}")).collect::<Vec<_>>().join(",")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a time is what is tested")]
fn the_largest_inputs_take_no_longer_than_their_size() {
    let status = "twilio/status\n---\napplication/x-www-form-urlencoded\n---\n";
    let inbound = "twilio/inbound\n---\n\n---\nMessageSid=S&From=%2B1&To=%2B1&Body=";
    let reports = "fast2sms/t\n---\napplication/json\n---\n[";
    let cases: &[(&str, &str, Vec<u8>)] = &[
        ("csv", "rows", repeated("phone\n", "+61491570156\n", "")),
        ("csv", "open quotes", repeated("phone,name\n", "\"\",\"", "")),
        ("csv", "line ends", repeated("phone\n", "\r", "+61491570156")),
        ("csv", "separators", repeated("phone\n1,", ",;\t|", "\n")),
        ("csv", "columns", format!("phone,{}\n{}1", header(10_000), ",".repeat(10_000)).into()),
        ("csv", "many wide rows", {
            let row = ",".repeat(400);
            repeated(&format!("phone,{}\n", header(400)), &format!("1{row}\n"), "")
        }),
        ("csv", "bytes of no text", [b"phone\n", &b"\xff\xc3"[..]].concat().repeat(SIZE / 8)),
        ("phone", "digits", repeated("+", "1", "")),
        ("phone", "invisible characters", repeated("+61", "\u{200b}", "491570156")),
        ("phone", "accents", repeated("+61", "\u{301}", "491570156")),
        ("segments", "one letter with accents", repeated("a", "\u{301}", "")),
        ("segments", "look-alikes", repeated("", "…–", "")),
        ("segments", "families", repeated("", "👨‍👩‍👧‍👦", "")),
        ("segments", "stop", repeated("", "stop texting me ", "")),
        ("template", "braces", repeated("", "{", "")),
        ("template", "ten thousand open", "{{".repeat(5_000).into()),
        ("template", "nested", "{% if a %}".repeat(1_000).into()),
        ("template", "not", format!("{{{{ {} a }}}}", "not ".repeat(2_400)).into()),
        ("template", "brackets", format!("{{{{ {} }}}}", "(".repeat(9_000)).into()),
        ("template", "variables", "{{a}}".repeat(2_000).into()),
        ("template", "a long value", repeated("{{ a }}\n---\n{\"a\":\"", "x", "\"}")),
        ("dlt", "slots", repeated("", "{#var#}", "")),
        ("dlt", "open", repeated("", "{#", "")),
        ("callback", "fields", repeated(status, "a=b&", "")),
        ("callback", "percent", repeated(inbound, "%", "")),
        ("callback", "a long text", repeated(inbound, "STOP ", "")),
        (
            "callback",
            "reports",
            repeated(reports, "{\"status\":\"1\",\"request_id\":\"1\"},", "{}]"),
        ),
        ("callback", "nested", repeated(reports, "[", "")),
        ("json", "open", repeated("", "[", "")),
        ("json", "entries", repeated("[", "1,", "1]")),
        ("json", "a text", repeated("[\"", "\\\\", "\"]")),
        ("cursor", "letters", repeated(&"x\n---\n".repeat(7), "A", "")),
        ("signature", "fields", repeated("t\n---\nhttps://h\n---\n\n---\n", "a=1&b=2&", "")),
        ("signature", "address", repeated("t\n---\nhttps://", "h:", "\n---\n\n---\n")),
    ];
    for (target, what, input) in cases {
        let begun = Instant::now();
        (carillon_fuzz::target(target).expect("a target").check)(input);
        let taken = begun.elapsed();
        assert!(taken < PATIENCE, "{target}, {what}: {} bytes took {taken:?}", input.len());
        println!("{taken:8.1?}  {target}: {what}");
    }
}
