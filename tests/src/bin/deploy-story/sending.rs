//! Chapters of whoever sends: one message, a file, a scheduled one, and what is counted of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::ToSpan;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::aws::aws;
use crate::world::{FROM, TWILIO_ACCOUNT, TWILIO_TOKEN, World};
use carillon_tests::patience::{PAUSE, eventually, now};

/// An Australian mobile number that is in no test list of the provider.
pub const TO: &str = "+61412345678";
const ROWS: usize = 25;

pub async fn only_the_key_opens_the_api(world: &mut World) -> Result<()> {
    let client = world.client()?;
    ensure!(client.anonymous("/healthz").await? == StatusCode::OK);
    ensure!(client.anonymous("/v1/messages").await? == StatusCode::UNAUTHORIZED);
    let listed = client.get("/v1/messages").await?;
    ensure!(listed["data"] == json!([]), "a new installation has messages: {listed}");
    // The gateway has a route for nothing else.
    ensure!(client.anonymous("/webhooks/twilio/status").await? == StatusCode::NOT_FOUND);
    Ok(())
}

pub async fn credentials_are_encrypted(world: &mut World) -> Result<()> {
    let client = world.client()?;
    // The story is told at any hour, and people sleep.
    client.write(Method::PATCH, "/v1/settings", &json!({"quiet_hours": null}), 200).await?;
    let path = "/v1/integrations/twilio";
    let integration = json!({
        "credentials": {"account_sid": TWILIO_ACCOUNT, "auth_token": TWILIO_TOKEN},
        "settings": {"from": FROM, "rate_per_second": 100},
        "enabled": true,
    });
    let (status, answer) = client.call(Method::PUT, path, Some(&integration)).await?;
    ensure!(status.is_success(), "PUT {path}: {status} {answer}");
    for answer in [answer, client.get(path).await?] {
        ensure!(answer["configured"] == true && answer["enabled"] == true, "{answer}");
        ensure!(!answer.to_string().contains(TWILIO_TOKEN), "the token is read back");
    }

    let rows =
        aws(&["dynamodb", "scan", "--table-name", world.output("TableName")?]).await?.to_string();
    ensure!(rows.contains(TWILIO_ACCOUNT), "the account is not in the table");
    ensure!(!rows.contains(TWILIO_TOKEN), "the token is in the table, in clear");
    ensure!(!rows.contains(&world.admin_key), "the admin key is in the table, in clear");
    let answer =
        client.write(Method::POST, "/v1/integrations/twilio/test", &json!({}), 200).await?;
    ensure!(answer["last_error"].is_null(), "the provider does not let us in: {answer}");
    Ok(())
}

pub async fn a_message_is_delivered(world: &mut World) -> Result<()> {
    let client = world.client()?;
    let wanted = json!({
        "channel": "sms", "to": TO, "body": "Hi {{ name }}", "variables": {"name": "Ada"},
        "purpose": "transactional", "idempotency_key": "deploy-story-1",
    });
    let accepted = client.write(Method::POST, "/v1/messages", &wanted, 202).await?;
    let id = accepted["id"].as_str().context("an id")?.to_owned();
    ensure!(id.starts_with("msg_") && accepted["body"] == "Hi Ada", "{accepted}");
    let again = client.write(Method::POST, "/v1/messages", &wanted, 202).await?;
    ensure!(again["id"] == id.as_str(), "the same key made a second message: {again}");

    let message = delivered(world, &id, 60).await?;
    let attempts = message["attempts"].as_array().context("attempts")?;
    ensure!(attempts.len() == 1 && attempts[0]["outcome"] == "accepted", "{message}");
    ensure!(attempts[0]["response"]["http_status"] == 201, "{message}");
    let events = message["events"].as_array().context("events")?;
    ensure!(
        events.iter().any(|event| event["type"] == "delivered" && event["source"] == "callback"),
        "delivered, but not by a callback: {message}"
    );
    world.sent.push(id);
    received_exactly_once(world).await
}

/// What is true but unsigned, and what is signed with another token.
pub async fn an_unsigned_callback_is_refused(world: &mut World) -> Result<()> {
    let id = world.sent.first().context("a message was sent")?;
    let client = world.client()?;
    let before = client.message(id).await?;
    let sid = before["provider_message_id"].as_str().context("a provider's id")?;
    let received = world.simulator.received().await?;
    let ours = received.iter().find(|message| message.provider_message_id.as_deref() == Some(sid));
    let url =
        ours.and_then(|message| message.reference.as_deref()).context("a callback address")?;
    let form = format!(
        "AccountSid={TWILIO_ACCOUNT}&MessageSid={sid}&MessageStatus=failed&ErrorCode=30003"
    );
    let wrong = [("x-twilio-signature", "bm90IGEgc2lnbmF0dXJlIGF0IGFsbA==")];
    for headers in [&[][..], &wrong[..]] {
        let status = client.post_form(url, &form, headers).await?;
        ensure!(status == StatusCode::FORBIDDEN, "answered {status}");
    }
    let after = client.message(id).await?;
    ensure!(after["status"] == "delivered" && after["events"] == before["events"], "{after}");
    Ok(())
}

/// Planned by the minute's run in pages, queued in packs, sent by the bulk queue.
pub async fn a_file_is_delivered(world: &mut World) -> Result<()> {
    let client = world.client()?;
    let mut csv = "phone,name\n".to_owned();
    for row in 0..ROWS {
        csv.push_str(&format!("+614400000{row:02},Person {row}\n"));
    }
    csv.push_str("not a number,Nobody\n");
    let fields = [
        ("channel", "sms"),
        ("body", "Hello {{ name }}"),
        ("mapping", r#"{"phone":"to","name":"name"}"#),
    ];
    let import = client.upload("/v1/messages/bulk", &csv, &fields).await?;
    let id = import["id"].as_str().context("an import's id")?;
    let path = format!("/v1/imports/{id}");
    eventually("the import", Duration::from_secs(150), PAUSE, async || {
        let import = client.get(&path).await?;
        let done = import["accepted"] == ROWS && import["rejected"] == 1;
        Ok(if done { Ok(()) } else { Err(import.to_string()) })
    })
    .await?;

    let sent = eventually("all of the file", Duration::from_secs(150), PAUSE, async || {
        let listed = client.get("/v1/messages?limit=200&status=delivered").await?;
        let ids = ids(&listed, |message| {
            message["to"].as_str().is_some_and(|to| to.starts_with("+614400000"))
        });
        Ok(if ids.len() == ROWS {
            Ok(ids)
        } else {
            Err(format!("{} of {ROWS} delivered", ids.len()))
        })
    })
    .await?;
    world.sent.extend(sent);
    received_exactly_once(world).await
}

/// Nothing but EventBridge's own minute starts this one.
pub async fn the_schedule_sends(world: &mut World) -> Result<()> {
    let client = world.client()?;
    let at = now().checked_add(8.seconds())?;
    let wanted = json!({"channel": "sms", "to": TO, "body": "Later", "scheduled_for": at.to_string(), "purpose": "transactional"});
    let accepted = client.write(Method::POST, "/v1/messages", &wanted, 202).await?;
    ensure!(accepted["status"] == "pending", "{accepted}");
    let id = accepted["id"].as_str().context("an id")?.to_owned();

    let cancelled = now().checked_add(1.hours())?;
    let wanted = json!({"channel": "sms", "to": TO, "body": "Never", "scheduled_for": cancelled.to_string()});
    let never = client.write(Method::POST, "/v1/messages", &wanted, 202).await?;
    let never = never["id"].as_str().context("an id")?;
    client.write(Method::POST, &format!("/v1/messages/{never}/cancel"), &json!({}), 200).await?;

    let message = delivered(world, &id, 200).await?;
    let sent: jiff::Timestamp =
        message["sent_at"].as_str().context("a time of sending")?.parse()?;
    ensure!(sent >= at, "sent at {sent}, before its time {at}");
    let never = world.client()?.message(never).await?;
    ensure!(never["status"] == "cancelled", "{never}");
    world.sent.push(id);
    received_exactly_once(world).await
}

pub async fn statistics_follow(world: &mut World) -> Result<()> {
    let client = world.client()?;
    let count = world.sent.len();
    eventually("the statistics", Duration::from_secs(60), PAUSE, async || {
        let stats = client.get("/v1/stats").await?;
        let done = stats["total_delivered"] == count && stats["total_failed"] == 0;
        Ok(if done { Ok(()) } else { Err(format!("{count} were delivered: {stats}")) })
    })
    .await
}

async fn delivered(world: &World, id: &str, seconds: u64) -> Result<Value> {
    let client = world.client()?;
    eventually("the delivery", Duration::from_secs(seconds), PAUSE, async || {
        let message = client.message(id).await?;
        match message["status"].as_str() {
            Some("delivered") => Ok(Ok(message)),
            Some("pending" | "queued" | "sending" | "sent") => Ok(Err(message.to_string())),
            _ => anyhow::bail!("it went another way: {message}"),
        }
    })
    .await
}

/// The provider has each message that we know of, and no other.
async fn received_exactly_once(world: &World) -> Result<()> {
    let received = world.simulator.received().await?;
    let mut received: Vec<String> =
        received.into_iter().filter_map(|message| message.provider_message_id).collect();
    let listed = world.client()?.get("/v1/messages?limit=200&status=delivered").await?;
    let data = listed["data"].as_array().context("messages")?;
    let mut ours: Vec<String> = data
        .iter()
        .filter_map(|message| message["provider_message_id"].as_str().map(str::to_owned))
        .collect();
    received.sort();
    ours.sort();
    ensure!(
        ours.len() == world.sent.len(),
        "{} delivered, {} expected",
        ours.len(),
        world.sent.len()
    );
    ensure!(received == ours, "the provider has {received:?}, we have {ours:?}");
    Ok(())
}

fn ids(listed: &Value, of: impl Fn(&Value) -> bool) -> Vec<String> {
    let data = listed["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    data.iter()
        .filter(|message| of(message))
        .filter_map(|message| message["id"].as_str().map(str::to_owned))
        .collect()
}
