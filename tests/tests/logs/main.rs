//! Nothing personal and nothing secret stands in what the functions print.
//!
//! A story that touches all of them, with what goes wrong on its way, runs in a process of its own (this test's
//! own program again), with the subscriber that the functions install. What the process wrote to both its outputs is
//! then searched for what the story used.

mod story;

use std::process::Command;

/// The level of an installation that sets none, and the most that anybody can set; all others print a part of it.
const LEVELS: [&str; 2] = ["warn", "trace"];

/// Something of each kind that must have been logged, so that silence proves nothing.
const SAID: [&str; 4] = [
    "a signed callback cannot be read",
    "the request could not be served",
    "a queue body cannot be read",
    "forged_callbacks",
];

#[test]
fn logs_of_a_whole_story_hold_nothing_personal_at_any_level() {
    let secrets = story::SECRETS.map(|(what, secret)| (what, writings(secret)));
    for level in LEVELS {
        let printed = run(level);
        let told = secrets.iter().flat_map(|(what, secret)| {
            let lines = printed.lines().filter(|line| holds(line, secret));
            lines.map(move |line| format!("{what}: {line}"))
        });
        let told: Vec<String> = told.collect();
        assert!(told.is_empty(), "at {level}, {} lines:\n{}", told.len(), told.join("\n"));
        for said in SAID {
            assert!(printed.contains(said), "at {level}, no line says “{said}”");
        }
    }
}

/// As it is, as it stands in a form, and in base64, where the letters depend on how far from a third byte it begins.
fn writings(secret: &str) -> Vec<String> {
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let encoded = [0, 1, 2].map(|before| {
        let padded = ["x".repeat(before), secret.to_owned()].concat();
        let whole = padded.len() / 3 * 3;
        let text = data_encoding::BASE64.encode(&padded.as_bytes()[..whole]);
        text[if before == 0 { 0 } else { 4 }..].to_owned()
    });
    [secret.to_owned(), form].into_iter().chain(encoded).collect()
}

fn holds(line: &str, writings: &[String]) -> bool {
    writings.iter().any(|text| line.contains(text.as_str()))
}

fn run(level: &str) -> String {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "story::told", "--ignored", "--nocapture"])
        .env("RUST_LOG", level)
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("the story runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "at {level}:\n{printed}");
    printed
}

#[test]
fn a_secret_is_found_however_it_is_written() {
    let number = writings("491570006");
    for line in ["to +61491570006", "Body=x&To=%2B61491570006", "eHgrNjE0OTE1NzAwMDYh"] {
        assert!(holds(line, &number), "{line}");
    }
    assert!(holds("a+b%40c", &writings("a b@c")) && !holds("to +61…006", &number));
}
