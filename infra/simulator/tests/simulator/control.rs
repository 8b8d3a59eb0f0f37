//! The simulator's own endpoints.

use carillon_simulator::{DEFAULT_FROM, Options, Simulator};
use serde_json::json;

use crate::support::{Folder, client, get, post_json, read, send, simulator, started};

#[tokio::test]
async fn health_tells_whose_simulator_it_is() {
    let folder = Folder::new("health");
    let simulator = Simulator::start(Options {
        file: Some(folder.file()),
        run_id: Some("mine".to_owned()),
        ..Options::default()
    })
    .await
    .unwrap();
    let health = get(&simulator, "/healthz").await.json();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["run_id"], "mine");
    assert_eq!(health["file"], folder.file().display().to_string());
    simulator.shutdown().await;
}

#[tokio::test]
async fn messages_are_counted_filtered_and_paged() {
    let simulator = simulator().await;
    for (to, body) in
        [("+15558675310", "a"), ("+15558675310", "a"), ("+15558675311", "b"), ("+15005550001", "c")]
    {
        send(&simulator, to, body, &[]).await;
    }
    for (query, total, bodies) in [
        ("", 4, vec!["a", "a", "b", "c"]),
        ("?limit=2", 4, vec!["a", "a"]),
        ("?limit=2&offset=2", 4, vec!["b", "c"]),
        ("?latest=1", 4, vec!["c"]),
        ("?to=%2B15558675310", 2, vec!["a", "a"]),
        ("?to=15558675311", 1, vec!["b"]),
        ("?accepted=false", 1, vec!["c"]),
        ("?provider=twilio&accepted=true", 3, vec!["a", "a", "b"]),
        ("?provider=fast2sms", 0, vec![]),
    ] {
        let found = get(&simulator, &format!("/sim/messages{query}")).await.json();
        assert_eq!(found["total"], total, "{query}");
        let messages = found["messages"].as_array().unwrap();
        let texts: Vec<_> =
            messages.iter().map(|message| message["body"].as_str().unwrap()).collect();
        assert_eq!(texts, bodies, "{query}");
    }
    let stats = get(&simulator, "/sim/stats").await.json();
    assert_eq!((&stats["accepted"], &stats["refused"]), (&json!(3), &json!(1)));
    assert_eq!(stats["accepted_by_number"], json!({"+15558675310": 2, "+15558675311": 1}));
    assert_eq!(stats["duplicates"][0]["to"], "+15558675310");
    assert_eq!(stats["duplicates"][0]["count"], 2);
    assert_eq!(stats["duplicates"].as_array().map(Vec::len), Some(1));

    let gone = read(client().delete(format!("{}/sim/messages", simulator.url()))).await.unwrap();
    assert_eq!(gone.status, 204);
    assert_eq!(get(&simulator, "/sim/messages").await.json()["total"], 0);
}

#[tokio::test]
async fn settings_are_patched_and_misspelt_ones_refused() {
    let simulator = started(None, json!({})).await;
    let changed = post_json(&simulator, "/sim/settings", json!({"latency_ms": [1, 2]})).await;
    assert_eq!(changed.json()["latency_ms"], json!([1, 2]));
    assert_eq!(changed.json()["callbacks"]["delay_ms"], json!([50, 200]));
    let refused = post_json(&simulator, "/sim/settings", json!({"latencyms": 1})).await;
    assert_eq!(refused.status, 400);
    assert!(refused.json()["error"].as_str().unwrap().contains("latencyms"));
    let read_back = get(&simulator, "/sim/settings").await.json();
    assert_eq!(read_back, changed.json());
    let account = json!({"account_sid": "AC1", "auth_token": "x"});
    assert_eq!(post_json(&simulator, "/sim/accounts", account).await.status, 400);
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let simulator = simulator().await;
    let page = get(&simulator, "/").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<title>Carillon simulator</title>"));
    assert!(page.text.contains(DEFAULT_FROM));
    for outside in ["src=", "href=", "@import", "url("] {
        assert!(!page.text.contains(outside), "{outside}");
    }
}
