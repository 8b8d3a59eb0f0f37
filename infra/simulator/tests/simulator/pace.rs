//! How fast it takes messages with a file, callbacks included.

use std::time::{Duration, Instant};

use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM};
use serde_json::json;

use crate::support::{Folder, Webhook, client, encode, messages_path, read, started, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures the machine; run with --ignored --nocapture"]
async fn three_hundred_messages_a_second_with_a_file() {
    const LANES: usize = 20;
    const EACH: usize = 100;
    let (folder, webhook) = (Folder::new("pace"), Webhook::start().await);
    let simulator = started(Some(folder.file()), json!({})).await;
    let start = Instant::now();
    let mut lanes = tokio::task::JoinSet::new();
    let (url, callback) = (simulator.url(), webhook.url("/status"));
    for lane in 0..LANES {
        let (client, url, callback) = (client(), url.clone(), callback.clone());
        lanes.spawn(async move {
            for n in 0..EACH {
                let request = client
                    .post(format!("{url}{}", messages_path(".json")))
                    .basic_auth(DEFAULT_ACCOUNT_SID, Some(DEFAULT_AUTH_TOKEN))
                    .body(encode(&[
                        ("To", &format!("+1555{:07}", lane * EACH + n)),
                        ("From", DEFAULT_FROM),
                        ("Body", "Doors open at 9."),
                        ("StatusCallback", &callback),
                    ]));
                assert_eq!(read(request).await.unwrap().status, 201);
            }
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane.unwrap();
    }
    let taken = start.elapsed();
    let (client, sequential) = (client(), Instant::now());
    for _ in 0..100 {
        let request = client
            .post(format!("{}{}", simulator.url(), messages_path(".json")))
            .basic_auth(DEFAULT_ACCOUNT_SID, Some(DEFAULT_AUTH_TOKEN))
            .body(encode(&[("To", "+15558675310"), ("From", DEFAULT_FROM), ("Body", "Hi")]));
        assert_eq!(read(request).await.unwrap().status, 201);
    }
    let sequential = sequential.elapsed();
    until("all callbacks", async || {
        let waiting = simulator.stats().await.unwrap().callbacks.get("pending").copied();
        waiting.is_none().then_some(())
    })
    .await;
    let count = LANES * EACH;
    let rate = |count: usize, time: Duration| count as f64 / time.as_secs_f64();
    let called = webhook.with_calls(<[_]>::len);
    // The only way to show a measurement.
    #[allow(clippy::print_stderr)]
    {
        eprintln!("{:.0} a second in {LANES} lanes", rate(count, taken));
        eprintln!("{:.0} a second one after the other", rate(100, sequential));
        eprintln!("{called} callbacks made in {:.1} s", start.elapsed().as_secs_f64());
    }
    assert!(rate(count, taken) >= 300.0);
    assert_eq!(called, 2 * count);
    simulator.shutdown().await;
}
