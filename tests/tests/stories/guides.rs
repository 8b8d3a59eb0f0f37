//! The commands of the guides, run as they stand there, in their order, each
//! guide against a stack of its own.
//!
//! A block that begins with `sh run` is run, and none of its commands may be
//! refused unless what it prints says so. The plain block behind it says what it
//! prints, with `…` for whatever may stand there. What cannot be run here begins
//! with `sh elsewhere`, and is listed in [`ELSEWHERE`]; any other block that a
//! reader could take for commands is refused, so that none is passed over.

use std::fs;
use std::path::Path;

use carillon_tests::World;

use crate::shell::Shell;

/// What a guide's curl is: as the README's, and it notes what was refused.
pub const PREAMBLE: &str = "set -uo pipefail
curl() { command curl --silent --show-error --fail-with-body \"$@\"; local s=$?; [ $s = 0 ] || echo \"refused: $*\" >> refused; echo; return $s; }";
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guides");

/// Blocks that need a deployment, another process or a browser, by guide: how
/// many, and what for. All others are run.
const ELSEWHERE: [(&str, usize, &str); 5] = [
    ("recount.md", 1, "a table on AWS, or a stack that is not running"),
    ("restore.md", 4, "a backup of a table on AWS"),
    ("rotation.md", 1, "two KMS keys on AWS"),
    ("sign-in.md", 2, "somebody who has signed in by a browser; a user pool on AWS"),
    ("twilio.md", 1, "a tunnel, and an account with Twilio"),
];

/// Minutes between one block and the next.
const LATER: i64 = 5;

/// Guides without a command.
const WITHOUT: [&str; 1] = ["console.md"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Run,
    Elsewhere,
    /// Nobody says what it is.
    Unmarked,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    pub line: usize,
    pub kind: Kind,
    pub commands: String,
    pub prints: Option<String>,
}

impl Block {
    /// Whether one of its commands is to be refused.
    fn shows_a_refusal(&self) -> bool {
        self.prints.as_ref().is_some_and(|prints| prints.contains("\"status\":4"))
    }
}

/// The blocks of a guide that have commands, or may have. Within a list they are
/// indented.
pub fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = guide.lines().enumerate();
    let mut is_behind = false;
    while let Some((n, line)) = lines.next() {
        let fence = line.trim_start();
        if !fence.starts_with("```") {
            is_behind = false;
            continue;
        }
        let indent = line.len() - fence.len();
        let inner: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line.get(indent..).unwrap_or_default())
            .take_while(|line| line.trim_end() != "```")
            .collect();
        let inner = inner.join("\n");
        let kind = match fence {
            "```sh run" => Some(Kind::Run),
            "```sh elsewhere" => Some(Kind::Elsewhere),
            "```json" => None,
            "```" if is_behind => {
                if let Some(block) = blocks.last_mut() {
                    block.prints = Some(inner.clone());
                }
                None
            }
            _ => Some(Kind::Unmarked),
        };
        is_behind = kind == Some(Kind::Run);
        if let Some(kind) = kind {
            blocks.push(Block { line: n + 1, kind, commands: inner, prints: None });
        }
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

/// All guides, by name.
fn guides() -> Vec<(String, String)> {
    let mut guides: Vec<_> = fs::read_dir(FOLDER)
        .expect("the guides")
        .map(|entry| {
            let path = entry.expect("a file").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            (name, fs::read_to_string(path).expect("a text"))
        })
        .collect();
    guides.sort();
    guides
}

/// Runs the commands of a guide and compares what they print. Answers how many
/// blocks it ran.
async fn follow(name: &str, guide: &str) -> usize {
    let blocks = blocks(guide);
    let world = World::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut shell = Shell::start(&world, folder.path()).await;
    shell.run(&format!("exec 2>>errors\n{PREAMBLE}")).await;
    let mut ran = 0;
    for block in blocks.iter().filter(|block| block.kind == Kind::Run) {
        let place = format!("{name}:{}", block.line);
        let printed = shell.run(&block.commands).await;
        let errors = take(&folder.path().join("errors"));
        let refused = take(&folder.path().join("refused"));
        if let Some(said) = &block.prints {
            let is_so = is_as_said(&printed, said);
            assert!(is_so, "{place} prints\n{printed}\n{errors}\nand says\n{said}");
        }
        if !block.shows_a_refusal() {
            assert!(refused.is_empty(), "{place}: {refused}{errors}\n{printed}");
        }
        for unknown in ["command not found", "unbound variable", "syntax error"] {
            assert!(!errors.contains(unknown), "{place}: {errors}");
        }
        // What follows in a moment, and what the schedule brings within minutes.
        world.settle().await;
        world.advance(LATER).await;
        ran += 1;
    }
    ran
}

/// What stands in a file, which is empty from then on.
fn take(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    fs::write(file, "").expect("a folder of ours");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_guides_do_what_they_say() {
    let mut ran = 0;
    for (name, guide) in guides() {
        let of_it = follow(&name, &guide).await;
        let is_elsewhere = ELSEWHERE.iter().any(|(listed, ..)| *listed == name);
        let is_without = WITHOUT.contains(&name.as_str());
        assert!(of_it > 0 || is_elsewhere || is_without, "{name} has nothing to run");
        ran += of_it;
    }
    assert!(ran > 60, "{ran} blocks");
}

#[test]
fn each_block_is_run_or_listed_as_run_elsewhere() {
    let mut found = Vec::new();
    for (name, guide) in guides() {
        let blocks = blocks(&guide);
        let unmarked = blocks.iter().find(|block| block.kind == Kind::Unmarked);
        assert_eq!(unmarked, None, "in {name}");
        match blocks.iter().filter(|block| block.kind == Kind::Elsewhere).count() {
            0 => {}
            count => found.push((name, count)),
        }
    }
    let listed: Vec<_> =
        ELSEWHERE.iter().map(|(name, count, _)| ((*name).to_owned(), *count)).collect();
    assert_eq!(found, listed);
}

/// The costs that were measured stand in the guide as they do where they are written.
#[test]
fn the_guide_to_costs_has_the_figures_that_were_measured() {
    let measured = include_str!("../../../docs/data-model.md");
    let guide = include_str!("../../../docs/guides/cost.md");
    let sums: Vec<&str> = measured
        .lines()
        .filter_map(|line| line.strip_prefix("| **all** |"))
        .flat_map(|line| line.split("**").skip(1).step_by(2))
        .collect();
    // Of the table of a million messages, and of a month without one.
    for figure in ["3.93", "22.16", "1.89"] {
        assert!(sums.contains(&figure), "{figure} is not measured any more: {sums:?}");
        assert!(guide.contains(&format!("USD {figure}")), "{figure} is not in the guide");
    }
}

#[test]
fn blocks_are_found_with_what_they_print() {
    let guide = "# A\n1. One:\n   ```sh elsewhere\n   not this\n   ```\n\n```sh run\none\ntwo\n```\n```\nout…\n```\n\n```sh run\nx\n```\n\n```json\n{}\n```\n";
    let block = |line, kind, commands: &str, prints: Option<&str>| Block {
        line,
        kind,
        commands: commands.to_owned(),
        prints: prints.map(str::to_owned),
    };
    assert_eq!(
        blocks(guide),
        [
            block(3, Kind::Elsewhere, "not this", None),
            block(7, Kind::Run, "one\ntwo", Some("out…")),
            block(15, Kind::Run, "x", None)
        ]
    );
    for (guide, line) in
        [("a\n```sh\ncurl\n```\n", 2), ("```sh run\nx\n```\n\n```\ncurl\n```\n", 5)]
    {
        let last = blocks(guide).pop().expect("a block");
        assert_eq!(last, block(line, Kind::Unmarked, "curl", None));
    }
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
