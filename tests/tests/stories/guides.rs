//! The commands of the guides, run as they stand there, in their order, against
//! a stack. A block that begins with `sh run` is run; the plain block behind it
//! says what it prints, with `…` for whatever may stand there.

use std::process::Stdio;

use carillon_tests::{ADMIN_KEY, World};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// What a guide takes from the README; a refusal fails the command.
pub const PREAMBLE: &str = "set -uo pipefail
curl() { command curl --silent --show-error --fail-with-body \"$@\"; local s=$?; echo; return $s; }
";
/// Printed between blocks.
pub const BORDER: &str = "== the next block ==";

#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    pub line: usize,
    pub commands: String,
    pub prints: Option<String>,
}

/// The blocks of a guide that are run.
pub fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = guide.lines().enumerate().peekable();
    let mut is_behind = false;
    while let Some((n, line)) = lines.next() {
        if !line.starts_with("```") {
            is_behind = false;
            continue;
        }
        let inner: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        let inner = inner.join("\n");
        if line == "```sh run" {
            blocks.push(Block { line: n + 1, commands: inner, prints: None });
        } else if let (true, "```", Some(block)) = (is_behind, line, blocks.last_mut()) {
            block.prints = Some(inner);
        }
        is_behind = line == "```sh run";
    }
    blocks
}

/// Whether a text is as said, with `…` for anything. Empty lines do not count.
pub fn is_as_said(text: &str, said: &str) -> bool {
    let full = |text: &str| {
        let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    };
    let (text, said) = (full(text), full(said));
    let mut pieces = said.split('…');
    let mut rest = text.as_str();
    let Some(after) = pieces.next().and_then(|first| rest.strip_prefix(first)) else {
        return false;
    };
    rest = after;
    let mut last = "";
    let mut is_open = false;
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
        last = piece;
        is_open = true;
    }
    // The last piece may be found too early.
    rest.is_empty() || is_open && (last.is_empty() || rest.ends_with(last))
}

/// Runs the commands of a guide and compares what they print.
async fn follow(name: &str, guide: &str, world: &World) {
    let blocks = blocks(guide);
    assert!(!blocks.is_empty(), "{name} has nothing to run");
    let mut script = PREAMBLE.to_owned();
    for block in &blocks {
        script.push_str(&format!("{}\n[ $? = 0 ] || exit 1\necho '{BORDER}'\n", block.commands));
    }
    let mut bash = Command::new("bash")
        .env("api", &world.url)
        .env("auth", format!("Authorization: Bearer {ADMIN_KEY}"))
        .env("json", "Content-Type: application/json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash");
    let mut input = bash.stdin.take().expect("its input");
    input.write_all(script.as_bytes()).await.expect("it reads");
    drop(input);
    let done = bash.wait_with_output().await.expect("it ends");
    let printed = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    let mut printed = printed.split(BORDER);
    for block in &blocks {
        let text = printed.next().unwrap_or_default();
        let place = format!("{name}:{}", block.line);
        if let Some(said) = &block.prints {
            assert!(is_as_said(text, said), "{place} prints\n{text}\n{errors}\nand says\n{said}");
        }
        assert!(!errors.contains("not found"), "{place}: {errors}");
    }
    assert!(done.status.success(), "{name}: {errors}");
}

#[tokio::test]
async fn the_commands_of_the_guide_to_templates_do_what_it_says() {
    let world = World::start().await;
    follow("templates.md", include_str!("../../../docs/guides/templates.md"), &world).await;
}

#[tokio::test]
async fn the_commands_of_the_guide_to_sequences_do_what_it_says() {
    let world = World::start().await;
    follow("sequences.md", include_str!("../../../docs/guides/sequences.md"), &world).await;
}

#[test]
fn blocks_are_found_with_what_they_print() {
    let guide = "# A\n```sh\nnot this\n```\n\n```sh run\none\ntwo\n```\n```\nout…\n```\n\n```sh run\nx\n```\n\n```\nfree\n```\n";
    let block = |line, commands: &str, prints: Option<&str>| Block {
        line,
        commands: commands.to_owned(),
        prints: prints.map(str::to_owned),
    };
    assert_eq!(blocks(guide), [block(6, "one\ntwo", Some("out…")), block(14, "x", None)]);
}

#[test]
fn what_is_printed_is_compared_around_the_dots() {
    for (text, said, expected) in [
        ("abc\n", "abc", true),
        ("abc", "a…c", true),
        ("abcc", "a…c", true),
        ("abc", "…", true),
        ("abc", "…c", true),
        ("abc", "a…", true),
        ("abc", "b…", false),
        ("abc", "a…b", false),
        ("abc", "ab", false),
        ("ab", "a…b…c", false),
    ] {
        assert_eq!(is_as_said(text, said), expected, "{text} as {said}");
    }
}
