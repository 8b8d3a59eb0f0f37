//! The README's workshop, by its own commands: what they print, and what the
//! provider then receives, minute by minute.

use std::collections::BTreeMap;

use carillon_tests::{Setup, World};
use jiff::{SignedDuration, Timestamp};
use tokio::process::Command;

use crate::guides::{Kind, PREAMBLE, blocks, is_as_said};
use crate::shell::Shell;

/// When each reminder goes, in minutes before the workshop.
const REMINDERS: [i64; 3] = [28, 20, 10];

/// What a command of the machine says the time is: the README's commands ask it.
async fn machine_time() -> Timestamp {
    let date = Command::new("date").args(["-u", "+%FT%TZ"]).output().await.expect("a date");
    String::from_utf8_lossy(&date.stdout).trim().parse().expect("a time")
}

#[tokio::test]
async fn the_workshop_of_the_readme_reminds_forty_seven_people_three_times() {
    let start = machine_time().await;
    let world = World::with(Setup { start: Some(start), ..Setup::default() }).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut shell = Shell::start(&world, folder.path()).await;
    // Errors are part of what is printed; time is moved by the story.
    shell.run(&format!("exec 2>&1\n{PREAMBLE}\nsleep() {{ :; }}")).await;
    let mut readme = blocks(include_str!("../../../README.md"));
    readme.retain(|block| block.kind == Kind::Run);
    assert!(readme.len() >= 5, "{readme:?}");
    for block in &readme {
        let printed = shell.run(&block.commands).await;
        if let Some(said) = &block.prints {
            let place = format!("README.md:{}", block.line);
            assert!(is_as_said(&printed, said), "{place} prints\n{printed}\nand says\n{said}");
        }
        // What is due at this moment: the file, the plan.
        world.tick().await;
        world.settle().await;
    }

    let workshop = world.get("/v1/workshops").await.ok(200)["data"][0].clone();
    let begins: Timestamp =
        workshop["starts_at"].as_str().expect("a start").parse().expect("a time");
    for (sent, minutes) in REMINDERS.into_iter().enumerate() {
        let moment = begins - SignedDuration::from_mins(minutes);
        let before = moment - SignedDuration::from_secs(30);
        world.stack.ctx.clock.advance(before.duration_since(world.now()));
        world.tick().await;
        world.settle().await;
        assert_eq!(world.received().await.len(), 47 * sent, "not before its minute");
        world.advance(1).await;
        assert_eq!(world.received().await.len(), 47 * (sent + 1), "at its minute");
    }
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for received in world.received().await.into_iter().filter(|r| r.accepted) {
        texts.entry(received.to).or_default().push(received.body);
    }
    assert_eq!(texts.len(), 47);
    for n in 1..=47 {
        let texts = &texts[&format!("+6149157{}", 1000 + n)];
        assert_eq!(texts.len(), 3, "{texts:?}");
        let begins_with = format!("Hi Person{n}, Crypto for beginners is today at ");
        assert!(texts[0].starts_with(&begins_with), "{texts:?}");
        assert_eq!(texts[1], format!("Person{n}, bring your questions and something to write on."));
        let begins_with = format!("Doors are open, Person{n}. We begin at ");
        assert!(texts[2].starts_with(&begins_with), "{texts:?}");
    }
}
