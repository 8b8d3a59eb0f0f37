//! Killed again and again, at moments that nobody chose. The seed is printed;
//! with `CARILLON_KILL9_SEED` a run has the same moments again, as far as real
//! time allows, and `CARILLON_KILL9_KILLS` says how many.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use carillon_runtime::config::variable;
use carillon_runtime::random;
use carillon_tests::patience::{Stopwatch, eventually};
use serde_json::{Value, json};

use crate::stories::{first_start, home, say, settled_count};
use carillon_tests::file::TEXT;

/// In the middle of its first second, or well at work.
const LIVES_MS: std::ops::Range<u64> = 30..2_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_five_times_at_random_nothing_is_lost_and_nothing_comes_twice() -> Result<()> {
    killed(number("CARILLON_KILL9_KILLS").unwrap_or(5), 400, 3, "random").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; run with --full"]
async fn full_killed_sixty_times_at_random_nothing_is_lost_and_nothing_comes_twice() -> Result<()> {
    killed(number("CARILLON_KILL9_KILLS").unwrap_or(60), 3_000, 4, "random-full").await
}

fn number(name: &str) -> Option<u64> {
    variable(name).map(|text| text.parse().expect("a number"))
}

async fn killed(kills: u64, people: usize, number_of_home: u16, name: &str) -> Result<()> {
    let seed = number("CARILLON_KILL9_SEED")
        .unwrap_or_else(|| u64::from_be_bytes(random::bytes::<8>()) >> 16);
    say(&format!("seed {seed}, {kills} kills"));
    let mut moments = Moments(seed);
    let numbers: BTreeSet<_> =
        (0..people).map(|row| format!("+61412{:06}", 345_000 + row)).collect();
    let rows: String = numbers.iter().map(|number| format!("Ada,{number}\n")).collect();

    let mut home = home(name, number_of_home).await?;
    let mut process = first_start(&mut home).await?;
    let import = process.client.upload(&format!("name,phone\n{rows}"), TEXT).await?;
    let mut singles: Vec<(String, String)> = Vec::new();
    let watch = Stopwatch::start();
    for kill in 0..kills {
        // Singles in between, asked for as a careful client does: the key makes a
        // request that was cut off the same message when it is repeated.
        let to = format!("+61413{:06}", 345_000 + kill);
        let body = json!({
            "channel": "sms", "to": to, "body": "Now", "idempotency_key": format!("single-{kill}"),
        });
        let mut taken = process.client.post("/v1/messages", &body).await;
        let life = Duration::from_millis(moments.between(LIVES_MS));
        wait(life).await;
        process.kill_9().await?;
        process = home.start().await?;
        if taken.is_err() {
            taken = process.client.post("/v1/messages", &body).await;
        }
        let id = taken?["id"].as_str().unwrap_or_default().to_owned();
        singles.push((to, id));
    }
    let killing = watch.elapsed().as_secs();

    let messages = settled_count(&process.client, &import, &["sent", "delivered"], people).await?;
    for (to, id) in &singles {
        eventually("a single", Duration::from_secs(300), Duration::from_secs(1), async || {
            let seen = process.client.get(&format!("/v1/messages/{id}")).await?;
            let status = seen["status"].as_str().unwrap_or_default().to_owned();
            Ok(if ["sent", "delivered"].contains(&&*status) { Ok(()) } else { Err(status) })
        })
        .await?;
        ensure!(process.client.received().await?.by_number.get(to) == Some(&1), "{to}, once");
    }
    let received = process.client.received().await?;
    assert_eq!(received.twice(), Vec::<&String>::new(), "seed {seed}");
    let expected: BTreeSet<_> =
        numbers.into_iter().chain(singles.into_iter().map(|(to, _)| to)).collect();
    assert_eq!(received.by_number.keys().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(!home.logs()?.contains("twice"), "a proven duplicate was logged");
    let unknown = |m: &&Value| {
        m["events"].as_array().is_some_and(|all| all.iter().any(|e| e["type"] == "unknown"))
    };
    let cut = messages.iter().filter(unknown).count();
    let took = watch.elapsed().as_secs();
    say(&format!(
        "seed {seed}: {kills} kills in {killing} s, {cut} calls cut off, {took} s in all"
    ));
    process.kill_9().await
}

#[expect(clippy::disallowed_methods, reason = "a process lives in real time")]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

/// splitmix64: the same moments for the same seed.
struct Moments(u64);

impl Moments {
    fn between(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        range.start + (z ^ (z >> 31)) % (range.end - range.start)
    }
}
