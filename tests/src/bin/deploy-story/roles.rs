//! Least privilege, as a table: what each function's role may do, and what it may not. The policies are asked
//! by simulation; one role is also taken and used, so that the answers are known to be enforced.

use anyhow::{Context, Result, ensure};

use crate::aws::{allowed, assume, aws, aws_as, queue_arn};
use crate::world::World;

pub async fn each_role_does_its_work_and_no_more(world: &mut World) -> Result<()> {
    let name = world.output("TableName")?;
    let table = aws(&["dynamodb", "describe-table", "--table-name", name]).await?;
    let table = table["Table"]["TableArn"].as_str().context("a table has an ARN")?;
    let (due, attention) = (format!("{table}/index/due"), format!("{table}/index/attention"));
    let key = world.output("KeyArn")?;
    let transactional = queue_arn(world.output("SmsTransactionalQueueUrl")?).await?;
    let bulk = queue_arn(world.output("SmsBulkQueueUrl")?).await?;
    let receive = queue_arn(world.output("ReceiveQueueUrl")?).await?;

    const ROWS: &[&str] = &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];
    const QUERY: &[&str] = &["dynamodb:Query"];
    const SEND: &[&str] = &["sqs:SendMessage"];
    const TAKE: &[&str] = &["sqs:ReceiveMessage", "sqs:DeleteMessage"];
    const DECRYPT: &[&str] = &["kms:Decrypt"];
    const TAKE_AND_SEND: &[&str] = &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage"];
    const DESCRIBE: &[&str] = &["dynamodb:DescribeTable"];
    const NOTHING: &[&str] = &[];
    // Function, resource, what it may do there, what it may not.
    let rules: [(_, &str, _, &[&str]); 33] = [
        ("AdminApi", table, ROWS, &["dynamodb:Scan", "dynamodb:DeleteTable"]),
        ("AdminApi", &attention, QUERY, NOTHING),
        ("AdminApi", &due, NOTHING, QUERY),
        ("AdminApi", &transactional, SEND, TAKE),
        ("AdminApi", &receive, NOTHING, SEND),
        ("AdminApi", key, &["kms:Encrypt", "kms:Decrypt"], &["kms:ScheduleKeyDeletion"]),
        (
            "Console",
            table,
            &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"],
            &["dynamodb:UpdateItem", "dynamodb:Scan"],
        ),
        ("Console", &due, NOTHING, QUERY),
        ("Console", &bulk, NOTHING, SEND),
        ("Console", key, DECRYPT, &["kms:Encrypt"]),
        ("QueueProcessor", table, ROWS, &["dynamodb:Scan"]),
        ("QueueProcessor", table, DESCRIBE, NOTHING),
        ("QueueProcessor", &due, QUERY, NOTHING),
        ("QueueProcessor", &bulk, SEND, TAKE),
        ("QueueProcessor", &receive, NOTHING, SEND),
        ("QueueProcessor", key, DECRYPT, &["kms:Encrypt"]),
        ("Sender", table, ROWS, &["dynamodb:Scan"]),
        ("Sender", table, DESCRIBE, NOTHING),
        ("Sender", &bulk, TAKE_AND_SEND, NOTHING),
        ("Sender", &transactional, TAKE_AND_SEND, NOTHING),
        ("Sender", &receive, SEND, TAKE),
        ("Sender", key, DECRYPT, &["kms:Encrypt"]),
        (
            "Webhook",
            table,
            &["dynamodb:GetItem", "dynamodb:Query"],
            &["dynamodb:PutItem", "dynamodb:UpdateItem"],
        ),
        ("Webhook", &due, NOTHING, QUERY),
        ("Webhook", &receive, SEND, TAKE),
        ("Webhook", &bulk, NOTHING, SEND),
        ("Webhook", key, DECRYPT, &["kms:Encrypt"]),
        ("Receiver", table, ROWS, &["dynamodb:Scan", "dynamodb:DescribeTable"]),
        ("Receiver", &receive, TAKE, SEND),
        ("Receiver", &bulk, NOTHING, SEND),
        ("Rollup", table, ROWS, &["dynamodb:Scan"]),
        ("Rollup", &bulk, NOTHING, SEND),
        ("Rollup", key, DECRYPT, &["kms:Encrypt"]),
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

    let webhook = assume(&role("Webhook")?).await?;
    let row = r#"{"pk":{"S":"o/none"},"sk":{"S":"org"}}"#;
    aws_as(&webhook, &["dynamodb", "get-item", "--table-name", name, "--key", row]).await?;
    let put =
        aws_as(&webhook, &["dynamodb", "put-item", "--table-name", name, "--item", row]).await;
    ensure!(
        put.is_err_and(|error| error.to_string().contains("AccessDenied")),
        "the webhook's role wrote a row"
    );
    Ok(())
}
