//! Chapters of whoever runs the installation: deploy, update, dead letters, logs, removal.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::aws::aws;
use crate::sending::TO;
use crate::world::{TWILIO_TOKEN, World};
use carillon_tests::patience::{PAUSE, eventually};

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

pub async fn the_template_goes_in(world: &mut World) -> Result<()> {
    deploy(world, "").await
}

/// The function URL names a host that only AWS resolves; here callbacks come by the emulator's path. An
/// installation does the same when it puts its own domain in front.
pub async fn an_update_changes_the_callback_address(world: &mut World) -> Result<()> {
    let address = world.callback_address()?;
    let table = world.output("TableName")?.to_owned();
    deploy(world, &address).await?;
    ensure!(world.output("TableName")? == table, "an update replaced the table");
    Ok(())
}

async fn deploy(world: &mut World, public_url: &str) -> Result<()> {
    let providers = world.simulator.url();
    let hash = hex::encode(Sha256::digest(&world.admin_key));
    let outputs = world
        .stack
        .deploy(&[
            ("Architecture", "x86_64"),
            ("AdminKeySha256", &hash),
            ("DeletionProtection", "false"),
            ("RollupWindowSeconds", "0"),
            ("LogLevel", "info"),
            ("PublicUrl", public_url),
            ("ProviderUrlTwilio", &providers),
            ("ProviderUrlFast2sms", &providers),
        ])
        .await?;
    world.deployed(outputs)
}

/// Each queue, with visibility made short so that the tries take seconds instead of an hour.
pub async fn poison_is_put_aside(world: &mut World) -> Result<()> {
    for (queue, letters, tries) in [
        ("SmsTransactionalQueueUrl", "SmsTransactionalDeadLettersUrl", None),
        ("SmsBulkQueueUrl", "SmsBulkDeadLettersUrl", None),
        ("ReceiveQueueUrl", "ReceiveDeadLettersUrl", Some("3")),
    ] {
        let (queue, letters) = (world.output(queue)?, world.output(letters)?);
        set(queue, serde_json::json!({"VisibilityTimeout": "1"})).await?;
        if let Some(tries) = tries {
            let arn = crate::aws::queue_arn(letters).await?;
            let policy = serde_json::json!({"deadLetterTargetArn": arn, "maxReceiveCount": tries})
                .to_string();
            set(queue, serde_json::json!({"RedrivePolicy": policy})).await?;
        }
        aws(&["sqs", "send-message", "--queue-url", queue, "--message-body", "{\"v\":0}"]).await?;
        let body = eventually("the dead letter", SECONDS(60), PAUSE, async || {
            let answer = aws(&[
                "sqs",
                "receive-message",
                "--queue-url",
                letters,
                "--wait-time-seconds",
                "2",
            ])
            .await?;
            Ok(answer["Messages"][0]["Body"]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("none in {letters}")))
        })
        .await?;
        ensure!(body == "{\"v\":0}", "{letters} holds {body}");
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let left = aws(&[
            "sqs",
            "get-queue-attributes",
            "--queue-url",
            queue,
            "--attribute-names",
            names[0],
            names[1],
        ])
        .await?;
        for name in names {
            ensure!(left["Attributes"][name] == "0", "{queue} is not empty: {left}");
        }
    }
    Ok(())
}

async fn set(queue: &str, attributes: Value) -> Result<()> {
    aws(&[
        "sqs",
        "set-queue-attributes",
        "--queue-url",
        queue,
        "--attributes",
        &attributes.to_string(),
    ])
    .await?;
    Ok(())
}

/// The functions have written at level info by now, in the groups that the template names.
pub async fn logs_hold_nothing_personal(world: &mut World) -> Result<()> {
    let resources = world.stack.resources().await?;
    let groups = resources.iter().filter(|(logical, _)| logical.ends_with("Logs"));
    let number = TO.trim_start_matches('+');
    let mut lines = 0;
    for (logical, group) in groups {
        let answer = aws(&["logs", "filter-log-events", "--log-group-name", group]).await?;
        for event in answer["events"].as_array().context("events of a log")? {
            let line = event["message"].as_str().context("a message in a log")?;
            lines += 1;
            for secret in [number, TWILIO_TOKEN, world.admin_key.as_str()] {
                ensure!(!line.contains(secret), "{logical} tells what it must not: {line}");
            }
            // A role that lacks a right, or an answer that nobody can read.
            for trouble in ["AccessDenied", "the table's id cannot be read"] {
                ensure!(!line.contains(trouble), "{logical} had trouble: {line}");
            }
        }
    }
    ensure!(lines > 0, "no function wrote a line");
    Ok(())
}

/// Functions, queues and the API go; the table with its rows and the key that reads them stay.
pub async fn removal_leaves_the_data(world: &mut World) -> Result<()> {
    let table = world.output("TableName")?.to_owned();
    let function = world.stack.resources().await?.remove("Sender").context("a sender")?;
    let queue = world.output("SmsBulkQueueUrl")?.to_owned();
    world.stack.remove().await?;

    ensure!(
        aws(&["lambda", "get-function", "--function-name", &function]).await.is_err(),
        "a function is left"
    );
    ensure!(crate::aws::queue_arn(&queue).await.is_err(), "a queue is left");
    let rows = aws(&["dynamodb", "scan", "--table-name", &table, "--select", "COUNT"]).await?;
    let count = rows["Count"].as_u64().context("a count of rows")?;
    ensure!(count > 0, "the table was emptied");
    let key = aws(&["kms", "describe-key", "--key-id", world.output("KeyArn")?]).await?;
    ensure!(key["KeyMetadata"]["KeyState"] == "Enabled", "the key is gone: {key}");
    Ok(())
}
