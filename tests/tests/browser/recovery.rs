//! A file of a thousand rows, dropped on the page; and the server killed while it sends them. Real time: what was in
//! flight at the kill is asked for a minute later.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use carillon_tests::file::{File, ROWS, TEXT, read_report, thousand_rows};
use carillon_tests::patience::{PAUSE, eventually};
use carillon_tests::real::{Client, Home};
use serde_json::json;

use crate::driver::Browser;

const SOON: Duration = Duration::from_secs(60);
/// A busy machine sends as fast as it can.
const SENDING: Duration = Duration::from_secs(300);
/// As in the stories of kills: two look-ups a minute apart, and leases that must run out.
const SETTLED: Duration = Duration::from_secs(480);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_rows_are_dropped_and_the_page_outlives_a_killed_server() -> Result<()> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recovery");
    let program = Path::new(env!("CARGO_BIN_EXE_carillon-under-test"));
    let mut home = Home::new(program, folder.clone(), 7)?;
    home.take_limits_away().await?;
    let process = home.start().await?;
    // Answers take as long as a real provider's, so that calls are in flight at any moment.
    let slow = json!({"latency_ms": [200, 500], "callbacks": {"delay_ms": [1_000, 4_000]}});
    process.client.configure_simulator(&slow).await?;
    let file = thousand_rows();
    let browser = Browser::open().await;
    browser.looks_like(1440, false).await;
    browser.go(&home.first_visit()?).await;
    drop_file(&browser, &folder, &file).await?;

    browser.follow("summary", "Send to the file").await;
    browser.follow("button", "Yes, send it").await;
    browser.shows("h1", "A file of 1,000 rows").await;
    browser.run("window.stayed = true").await;
    let sent = received(&process.client, 250).await?;
    process.kill_9().await?;
    ensure!(sent < 800, "{sent} were received before it was killed");
    let note = "#lost";
    browser.comes_to(note, SOON, |text| text.starts_with("The connection is lost")).await;
    browser.picture("recovery-lost").await;

    let process = home.start().await?;
    browser.comes_to(note, SENDING, str::is_empty).await;
    let delivered = "main section:last-of-type .counts .good dd";
    browser.comes_to(delivered, SETTLED, |text| text == "980").await;
    browser.shows("#state .pill", "Completed").await;
    browser.shows("#accepted", "980").await;
    browser.shows("#rejected", "20").await;
    assert_eq!(browser.run("return window.stayed").await, json!(true), "nobody loaded it again");
    browser.picture("recovery-done").await;
    let got = process.client.received().await?;
    assert_eq!(got.twice(), Vec::<&String>::new());
    assert_eq!(got.by_number.into_keys().collect::<std::collections::BTreeSet<_>>(), file.numbers);

    let report = downloaded(&browser, &folder).await?;
    let report = read_report(&report);
    let lines: std::collections::BTreeSet<_> = report.keys().copied().collect();
    assert_eq!(lines, file.bad_lines);
    assert!(report.values().all(|reason| !reason.is_empty()), "{report:?}");
    browser.close().await;
    process.kill_9().await
}

/// From the navigation to a page that says what is in the file.
async fn drop_file(browser: &Browser, folder: &Path, file: &File) -> Result<()> {
    let path = folder.join("people.csv");
    std::fs::write(&path, &file.csv)?;
    browser.follow(".side a", "Send a file").await;
    browser.type_in("#body", TEXT).await;
    // As the system does it, from a folder that is open beside the browser.
    let place = "const r = document.querySelector('[data-drop]').getBoundingClientRect(); \
                 return {x: r.left + r.width / 2, y: r.top + r.height / 2}";
    let place = browser.run(place).await;
    let data = json!({"items": [], "files": [path], "dragOperationsMask": 1});
    for kind in ["dragEnter", "dragOver", "drop"] {
        let event = json!({"type": kind, "x": place["x"], "y": place["y"], "data": data});
        browser.devtools("Input.dispatchDragEvent", event).await;
    }
    browser.comes_to("[data-file-name]", SOON, |text| text == "people.csv").await;
    browser.shows("#dry-run dd", "980").await;
    browser.shows("#dry-run dd:last-of-type", "20").await;
    browser.picture("recovery-looked-at").await;
    ensure!(ROWS == 1_000, "the page is asked for a thousand rows");
    Ok(())
}

async fn received(client: &Client, least: u64) -> Result<u64> {
    eventually("sending", SENDING, Duration::from_millis(20), async || {
        let seen = client.received().await?.total();
        Ok(if seen >= least { Ok(seen) } else { Err(seen.to_string()) })
    })
    .await
}

/// What the browser keeps when the rejected rows are asked for.
async fn downloaded(browser: &Browser, folder: &Path) -> Result<String> {
    let to = folder.join("downloads");
    std::fs::create_dir_all(&to)?;
    let allow = json!({"behavior": "allow", "downloadPath": to});
    browser.devtools("Page.setDownloadBehavior", allow).await;
    browser.follow("a", "Rejected rows with reasons").await;
    let kept = eventually("the download", SOON, PAUSE, async || {
        let files: Vec<PathBuf> =
            std::fs::read_dir(&to)?.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
        let whole = files.into_iter().find(|file| file.extension().is_some_and(|e| e == "csv"));
        Ok(whole.ok_or_else(|| "no file".to_owned()))
    });
    let kept = kept.await?;
    std::fs::read_to_string(&kept).with_context(|| kept.display().to_string())
}
