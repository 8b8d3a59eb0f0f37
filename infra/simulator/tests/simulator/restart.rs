//! What a provider received outlives the process, and callbacks go on after it.

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use carillon_simulator::{
    DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM, Error, Options, Simulator, serve,
};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};

use crate::support::{Folder, Webhook, client, encode, messages_path, read, send, started, until};

const PERSON: &str = "+15558675310";

#[tokio::test]
async fn a_restart_keeps_everything() {
    let folder = Folder::new("restart");
    let settings = json!({
        "look_up": false,
        "callbacks": {"hold": true},
        "numbers": {PERSON: {"final": "undelivered", "error_code": 30005}},
    });
    let webhook = Webhook::start().await;
    let url = webhook.url("/status");
    let first = started(Some(folder.file()), settings).await;
    send(&first, PERSON, "Hi", &[("StatusCallback", &url)]).await;
    let before = first.received().await.unwrap();
    let kept = first.settings().await.unwrap();
    first.shutdown().await;

    let second = started(Some(folder.file()), json!({})).await;
    assert_eq!(second.settings().await.unwrap(), kept);
    let after = second.received().await.unwrap();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].provider_message_id, before[0].provider_message_id);
    assert_eq!(after[0].callbacks.len(), 2);
    assert_eq!(webhook.with_calls(<[_]>::len), 0);
    second.configure(json!({"callbacks": {"hold": false}})).await.unwrap();
    assert_eq!(webhook.statuses(2).await, ["sent", "undelivered"]);
    second.shutdown().await;
}

/// Carillon is killed and started again on the same port.
#[tokio::test]
async fn callbacks_wait_for_a_webhook_that_is_down() {
    let simulator = started(None, json!({"callbacks": {"delay_ms": 1}})).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}/status");
    send(&simulator, PERSON, "Hi", &[("StatusCallback", &url)]).await;
    until("two attempts", async || {
        let made = &simulator.received().await.unwrap()[0].callbacks;
        (made[0].attempts >= 2).then_some(())
    })
    .await;
    let webhook = Webhook::on(TcpListener::bind(address).await.unwrap());
    let mut statuses = webhook.statuses(2).await;
    statuses.sort();
    assert_eq!(statuses, ["delivered", "sent"]);
}

#[tokio::test]
async fn retries_end() {
    let settings = json!({"callbacks": {"delay_ms": 1, "retry_for_ms": 100, "lose": ["sent"]}});
    let simulator = started(None, settings).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/status", listener.local_addr().unwrap());
    drop(listener);
    send(&simulator, PERSON, "Hi", &[("StatusCallback", &url)]).await;
    let made = until("given up", async || {
        let made = simulator.received().await.unwrap().remove(0).callbacks.remove(0);
        (made.state == "given_up").then_some(made)
    })
    .await;
    assert!(made.problem.unwrap().starts_with("no answer"));
    assert_eq!(made.answer_status, None);
}

#[tokio::test]
async fn a_file_has_one_simulator() {
    let folder = Folder::new("exclusive");
    let first = started(Some(folder.file()), json!({})).await;
    let second =
        Simulator::start(Options { file: Some(folder.file()), ..Options::default() }).await;
    assert!(matches!(second.err(), Some(Error::Open { .. })));
    first.shutdown().await;
    started(Some(folder.file()), json!({})).await.shutdown().await;
}

const CHILD_FILE: &str = "CARILLON_TEST_SIMULATOR_FILE";

/// Not a test of its own: the process that the next one kills.
#[tokio::test]
#[ignore = "the child of what_was_answered_is_there_after_kill_9"]
async fn child() {
    let Some(file) = std::env::var_os(CHILD_FILE).map(PathBuf::from) else {
        return;
    };
    let address = file.with_extension("address");
    let ready = |at: std::net::SocketAddr| std::fs::write(&address, at.to_string()).unwrap();
    let options = Options { file: Some(file.clone()), ..Options::default() };
    serve(options, ready, std::future::pending()).await.unwrap();
}

#[tokio::test]
async fn what_was_answered_is_there_after_kill_9() {
    let folder = Folder::new("kill");
    let webhook = Webhook::start().await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "restart::child", "--ignored"])
        .env(CHILD_FILE, folder.file())
        .spawn()
        .unwrap();
    let address = until("the child serves", async || {
        let text = std::fs::read_to_string(folder.file().with_extension("address")).ok()?;
        text.parse::<std::net::SocketAddr>().ok()
    })
    .await;

    let mut lanes = JoinSet::new();
    for lane in 0..8 {
        let callback = webhook.url("/status");
        let url = format!("http://{address}{}", messages_path(".json"));
        lanes.spawn(async move {
            let client = client();
            let mut answered = Vec::new();
            loop {
                let body = encode(&[
                    ("To", &format!("+1555{lane:03}{:04}", answered.len())),
                    ("From", DEFAULT_FROM),
                    ("Body", "Hi"),
                    ("StatusCallback", &callback),
                ]);
                let request = client
                    .post(&url)
                    .basic_auth(DEFAULT_ACCOUNT_SID, Some(DEFAULT_AUTH_TOKEN))
                    .body(body);
                match read(request).await {
                    Ok(answer) => {
                        let sid = answer.json()["sid"].as_str().unwrap().to_owned();
                        answered.push(sid);
                    }
                    Err(_) => return answered,
                }
            }
        });
    }
    until("some are delivered", async || {
        webhook.with_calls(|calls| (calls.len() > 40).then_some(()))
    })
    .await;
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    let mut answered = BTreeSet::new();
    while let Some(lane) = lanes.join_next().await {
        answered.extend(lane.unwrap());
    }
    assert!(answered.len() > 20);

    let again = started(Some(folder.file()), json!({})).await;
    let received = again.received().await.unwrap();
    let kept: BTreeSet<_> =
        received.iter().filter_map(|message| message.provider_message_id.clone()).collect();
    let lost: Vec<_> = answered.difference(&kept).collect();
    assert!(lost.is_empty(), "{} of {}", lost.len(), answered.len());
    let told = |sid: &str, status: &str| {
        webhook.with_calls(|calls| {
            calls.iter().any(|call| {
                call.field("MessageSid").as_deref() == Some(sid)
                    && call.field("MessageStatus").as_deref() == Some(status)
            })
        })
    };
    until("the callbacks of the killed process are made", async || {
        let stats = again.stats().await.unwrap();
        (!stats.callbacks.contains_key("pending")).then_some(())
    })
    .await;
    for sid in &kept {
        assert!(told(sid, "sent") && told(sid, "delivered"), "{sid}");
    }
    again.shutdown().await;
}
