//! The first minutes of somebody who has `cargo run` before him: the real program with its demo, in real time, and
//! nothing but clicks after the link that it prints.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use carillon_tests::real::Home;
use serde_json::json;

use crate::driver::Browser;

/// The first step is due about three minutes after the start; it is sent, and its receipts come, soon after.
const UNTIL_DELIVERED: Duration = Duration::from_secs(360);
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_runs_todays_sequence_and_reads_why_a_message_failed() -> Result<()> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-user");
    let program = Path::new(env!("CARGO_BIN_EXE_carillon-under-test"));
    let mut home = Home::new(program, folder, 6)?.with_setting("CARILLON_SEED", "demo");
    let process = home.start().await?;
    let browser = Browser::open().await;
    browser.looks_like(1440, false).await;
    // The only address: it was printed.
    browser.go(&home.first_visit()?).await;
    browser.shows("h1", "Today").await;
    browser.picture("new-user-1-today").await;

    browser.follow("main a", "Crypto for beginners").await;
    browser.shows("#reachable b", "47 / 52").await;
    browser.picture("new-user-2-workshop").await;
    browser.follow("button", "Run SMS sequence").await;
    browser.shows("#scheduled", "141").await;
    browser.picture("new-user-3-before").await;
    browser.follow("button", "Run it").await;
    let first = ".checkpoints li:first-child .legend";
    browser.comes_to(first, SOON, |text| text.starts_with("47 waiting")).await;
    browser.picture("new-user-4-planned").await;
    // Nobody loads the page again while the bar moves.
    browser.run("window.stayed = true").await;
    browser.comes_to(first, UNTIL_DELIVERED, |text| text.starts_with("47 delivered")).await;
    let bar = "return document.querySelector('.checkpoints li:first-child svg').getAttribute('aria-label')";
    assert_eq!(browser.run(bar).await, json!("47 delivered"));
    assert_eq!(browser.run("return window.stayed").await, json!(true));
    browser.picture("new-user-5-delivered").await;

    browser.follow(".side a", "Today").await;
    browser.shows("h1", "Today").await;
    browser.follow("a.figure", "Failed").await;
    browser.shows("h1", "Messages").await;
    browser.picture("new-user-6-failed").await;
    browser.follow("#rows a", "+15005550001").await;
    browser.shows("#state .pill", "Failed").await;
    browser.shows("#why", "Invalid address").await;
    browser.comes_to("main", SOON, |text| text.contains("21211")).await;
    browser.picture("new-user-7-why").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    process.kill_9().await
}
