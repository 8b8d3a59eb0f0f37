//! Least privilege, as tables: what each function's role may do, and what it may not. Queues and indexes are asked
//! by simulation of the policies; rows and secrets are tried with the role itself ([`crate::rights`]).

use anyhow::{Context, Result, ensure};

use crate::aws::{allowed, assume, aws, queue_arn};
use crate::rights;
use crate::world::World;

const FUNCTIONS: [&str; 7] =
    ["AdminApi", "Console", "QueueProcessor", "Sender", "Webhook", "Receiver", "Rollup"];

pub async fn each_role_does_its_work_and_no_more(world: &mut World) -> Result<()> {
    let name = world.output("TableName")?;
    let table = aws(&["dynamodb", "describe-table", "--table-name", name]).await?;
    let table = table["Table"]["TableArn"].as_str().context("a table has an ARN")?;
    let (due, attention) = (format!("{table}/index/due"), format!("{table}/index/attention"));
    let key = world.output("KeyArn")?;
    let transactional = queue_arn(world.output("SmsTransactionalQueueUrl")?).await?;
    let bulk = queue_arn(world.output("SmsBulkQueueUrl")?).await?;
    let receive = queue_arn(world.output("ReceiveQueueUrl")?).await?;
    let receive_dead = queue_arn(world.output("ReceiveDeadLettersUrl")?).await?;

    const QUERY: &[&str] = &["dynamodb:Query"];
    const SEND: &[&str] = &["sqs:SendMessage"];
    const TAKE: &[&str] = &["sqs:ReceiveMessage", "sqs:DeleteMessage"];
    const TAKE_AND_SEND: &[&str] = &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage"];
    const CONTROL: &[&str] = &["dynamodb:DeleteTable", "dynamodb:UpdateTable"];
    const KEY: &[&str] = &["kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "kms:CreateGrant"];
    const NOTHING: &[&str] = &[];
    // Function, resource, what it may do there, what it may not.
    let rules: [(_, &str, _, &[&str]); 30] = [
        ("AdminApi", &attention, QUERY, NOTHING),
        ("AdminApi", &due, NOTHING, QUERY),
        ("AdminApi", &transactional, SEND, TAKE),
        ("AdminApi", &bulk, SEND, TAKE),
        ("AdminApi", &receive, SEND, TAKE),
        ("AdminApi", &receive_dead, TAKE, SEND),
        ("Console", &due, NOTHING, QUERY),
        ("Console", &attention, QUERY, NOTHING),
        ("Console", &transactional, SEND, TAKE),
        ("Console", &bulk, SEND, TAKE),
        ("Console", &receive_dead, TAKE, SEND),
        ("QueueProcessor", &due, QUERY, NOTHING),
        ("QueueProcessor", &attention, NOTHING, QUERY),
        ("QueueProcessor", &transactional, SEND, TAKE),
        ("QueueProcessor", &bulk, SEND, TAKE),
        ("QueueProcessor", &receive, SEND, TAKE),
        ("Sender", &due, NOTHING, QUERY),
        ("Sender", &bulk, TAKE_AND_SEND, NOTHING),
        ("Sender", &transactional, TAKE_AND_SEND, NOTHING),
        ("Sender", &receive, SEND, TAKE),
        ("Webhook", &due, NOTHING, QUERY),
        ("Webhook", &receive, SEND, TAKE),
        ("Webhook", &bulk, NOTHING, TAKE_AND_SEND),
        ("Receiver", &receive, TAKE, SEND),
        ("Receiver", &due, NOTHING, QUERY),
        ("Receiver", &bulk, NOTHING, TAKE_AND_SEND),
        ("Receiver", &receive_dead, NOTHING, TAKE_AND_SEND),
        ("Rollup", &bulk, NOTHING, TAKE_AND_SEND),
        ("Rollup", &receive, NOTHING, TAKE_AND_SEND),
        ("Rollup", &attention, NOTHING, QUERY),
    ];
    let account = table.split(':').nth(4).context("an account in the table's ARN")?;
    let resources = world.stack.resources().await?;
    let role = |function: &str| -> Result<String> {
        let name = resources.get(&format!("{function}Role"));
        Ok(format!(
            "arn:aws:iam::{account}:role/{}",
            name.with_context(|| format!("{function} has no role"))?
        ))
    };
    for (function, resource, may, may_not) in rules {
        let asked = [may, may_not].concat();
        let found = allowed(&role(function)?, &asked, resource).await?;
        ensure!(found == may, "{function} on {resource}: may {found:?}, should {may:?}");
    }
    for function in FUNCTIONS {
        let role = role(function)?;
        for (resource, actions) in [(table, CONTROL), (key, KEY)] {
            let found = allowed(&role, actions, resource).await?;
            ensure!(found.is_empty(), "{function} on {resource}: may {found:?}");
        }
        rights::of(world, function, assume(&role).await?).await?;
    }
    Ok(())
}
