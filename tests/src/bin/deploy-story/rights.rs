//! What each role may do with rows and with the key, tried for real: conditions on partitions and on encryption
//! contexts hold for requests only, so each function's role is taken and used.

use anyhow::{Context, Result, bail, ensure};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use aws_sdk_kms::primitives::Blob;

use crate::world::World;

/// What is tried on a row, or on the table.
#[derive(Debug, Clone, Copy)]
enum Try {
    Get,
    GetMany,
    Put,
    Update,
    Delete,
    Query,
    Scan,
    Describe,
}

use Try::{Delete, Describe, Get, GetMany, Put, Query, Scan, Update};

/// Partitions, of an organization that does not exist. An organization's own rows (settings, members, integrations)
/// are in `ORG`.
const ORG: &str = "o/nobody0000000000";
const ADDRESS: &str = "o/nobody0000000000/a/none";
const PACK: &str = "o/nobody0000000000/k/none";
const FILE: &str = "o/nobody0000000000/src/none";
const LEDGER: &str = "o/nobody0000000000/ledger";
const BOOKING: &str = "o/nobody0000000000/bk/none";
const LETTER: &str = "o/nobody0000000000/dl/none";
const ERASURE: &str = "o/nobody0000000000/er/none";
const CONTACT: &str = "o/nobody0000000000/c/none";
const LISTED: &str = "o/nobody0000000000/cl/0/n";
const COUNTERS: &str = "o/nobody0000000000/n";
const API_KEY: &str = "key/none";
const ACCOUNT: &str = "cb/twilio/none";
const TOKEN: &str = "cbt/none";
/// Who wrote to a number with the installation's own account.
const SHARED: &str = "sha/none";
const SESSION: &str = "ses/none";
const INVITATION: &str = "inv/none";
const TABLE_MARK: &str = "installation";

/// Function, what it may do, what it may not.
type Rule = (&'static str, &'static [(Try, &'static str)], &'static [(Try, &'static str)]);

const ROWS: [Rule; 7] = [
    (
        "AdminApi",
        &[(Get, API_KEY), (Put, API_KEY), (Put, ORG), (Update, PACK), (Delete, ADDRESS)],
        &[(Scan, ""), (Describe, "")],
    ),
    (
        "Console",
        &[
            (Get, SESSION),
            (Put, SESSION),
            (Delete, SESSION),
            (Get, API_KEY),
            (Get, ORG),
            (Put, ORG),
            (Query, INVITATION),
            (Put, API_KEY),
            (Update, PACK),
            (Delete, ADDRESS),
        ],
        &[(Scan, ""), (Describe, "")],
    ),
    (
        "QueueProcessor",
        &[
            (Get, TABLE_MARK),
            (Query, ORG),
            (GetMany, ADDRESS),
            (Put, ADDRESS),
            (Update, FILE),
            (Put, PACK),
            (Put, ERASURE),
            (Put, BOOKING),
            (Put, LETTER),
            (Delete, LETTER),
            (Delete, ADDRESS),
            (Put, CONTACT),
            (Delete, CONTACT),
            (Put, LISTED),
            (Delete, LISTED),
            (Describe, ""),
        ],
        &[(Get, API_KEY), (Put, API_KEY), (Put, ORG), (Put, COUNTERS), (Delete, FILE), (Scan, "")],
    ),
    (
        "Sender",
        &[
            (Get, ORG),
            (GetMany, ADDRESS),
            (Put, ADDRESS),
            (Put, LEDGER),
            (Put, SHARED),
            (Update, PACK),
            (Put, LETTER),
            (Delete, LETTER),
            (Describe, ""),
        ],
        &[
            (Get, API_KEY),
            (Put, API_KEY),
            (Put, ORG),
            (Put, FILE),
            (Put, BOOKING),
            (Delete, ADDRESS),
            (Scan, ""),
        ],
    ),
    (
        "Webhook",
        &[
            (Get, TOKEN),
            (Get, ADDRESS),
            (Query, ACCOUNT),
            (Query, SHARED),
            (Query, ORG),
            (Put, ADDRESS),
            (Update, ADDRESS),
        ],
        &[
            (Get, API_KEY),
            (Query, ADDRESS),
            (Put, ORG),
            (Put, PACK),
            (Put, BOOKING),
            (Put, SHARED),
            (Describe, ""),
        ],
    ),
    (
        "Receiver",
        &[
            (Get, ORG),
            (GetMany, ADDRESS),
            (Put, BOOKING),
            (Query, ADDRESS),
            (Put, ADDRESS),
            (Update, ADDRESS),
            (Delete, ADDRESS),
        ],
        &[(Get, API_KEY), (Put, ORG), (Put, PACK), (Scan, ""), (Describe, "")],
    ),
    (
        "Rollup",
        &[(Get, ORG), (Get, FILE), (Put, FILE), (Update, COUNTERS)],
        &[
            (Get, ADDRESS),
            (Put, ORG),
            (Query, ADDRESS),
            (Put, ADDRESS),
            (Delete, COUNTERS),
            (Scan, ""),
        ],
    ),
];

/// Function; whether it decrypts the installation's secret, an integration's credentials; whether it encrypts.
const SECRETS: [(&str, bool, bool, bool); 7] = [
    ("AdminApi", true, true, true),
    ("Console", true, true, true),
    ("QueueProcessor", true, false, false),
    ("Sender", false, true, false),
    ("Webhook", false, true, false),
    ("Receiver", true, false, false),
    ("Rollup", false, false, false),
];
const INSTALLATION: &[(&str, &str)] = &[("carillon", "installation")];
const INTEGRATION: &[(&str, &str)] = &[("organization", "org_none"), ("integration", "twilio")];

pub async fn of(world: &World, function: &str, credentials: Credentials) -> Result<()> {
    let table = world.output("TableName")?;
    let rows = rows(world, credentials.clone());
    let (_, may, may_not) = ROWS.iter().find(|rule| rule.0 == function).context("a function")?;
    for (what, partition) in *may {
        let allowed = is_allowed(&rows, table, *what, partition).await?;
        ensure!(allowed, "{function} cannot {what:?} {partition}, and must");
    }
    for (what, partition) in *may_not {
        let allowed = is_allowed(&rows, table, *what, partition).await?;
        ensure!(!allowed, "{function} can {what:?} {partition}, and must not");
    }

    let (key, kms) = (world.output("KeyArn")?, kms(world, credentials));
    let (_, installation, integration, encrypts) =
        SECRETS.iter().find(|rule| rule.0 == function).context("a function")?;
    for (context, expected) in [(INSTALLATION, installation), (INTEGRATION, integration)] {
        let allowed = decrypts(&kms, key, context).await?;
        ensure!(allowed == *expected, "{function} decrypts {context:?}: {allowed}");
    }
    let sent = kms.encrypt().key_id(key).plaintext(Blob::new("x"));
    let sent = sent.encryption_context("carillon", "installation").send().await;
    let allowed = sent.is_ok();
    ensure!(allowed == *encrypts, "{function} encrypts: {allowed}");
    Ok(())
}

async fn is_allowed(
    rows: &aws_sdk_dynamodb::Client,
    table: &str,
    what: Try,
    partition: &str,
) -> Result<bool> {
    let pk = AttributeValue::S(partition.to_owned());
    let sk = AttributeValue::S("the deploy story".to_owned());
    let key = [("pk".to_owned(), pk.clone()), ("sk".to_owned(), sk.clone())];
    let key = Some(std::collections::HashMap::from(key));
    /// The code of the error, if it is one.
    macro_rules! code {
        ($request:expr) => {
            $request.send().await.err().map(|e| e.code().unwrap_or("no code").to_owned())
        };
    }
    let code = match what {
        Get => code!(rows.get_item().table_name(table).set_key(key)),
        GetMany => {
            let keys = KeysAndAttributes::builder().set_keys(key.map(|key| vec![key])).build()?;
            code!(rows.batch_get_item().request_items(table, keys))
        }
        Put => code!(rows.put_item().table_name(table).set_item(key)),
        Update => code!(
            rows.update_item()
                .table_name(table)
                .set_key(key)
                .update_expression("SET x = :x")
                .expression_attribute_values(":x", sk)
        ),
        Delete => code!(rows.delete_item().table_name(table).set_key(key)),
        Query => code!(
            rows.query()
                .table_name(table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", pk)
        ),
        Scan => code!(rows.scan().table_name(table)),
        Describe => code!(rows.describe_table().table_name(table)),
    };
    match code.as_deref() {
        None => Ok(true),
        Some("AccessDeniedException") => Ok(false),
        Some(code) => bail!("{what:?} {partition}: {code}"),
    }
}

/// With a ciphertext of nobody: who may try is told that it is none.
async fn decrypts(kms: &aws_sdk_kms::Client, key: &str, of: &[(&str, &str)]) -> Result<bool> {
    let mut request = kms.decrypt().key_id(key).ciphertext_blob(Blob::new("no ciphertext"));
    for (name, value) in of {
        request = request.encryption_context(*name, *value);
    }
    let error = request.send().await.err().context("nothing was decrypted")?;
    match error.code() {
        Some("AccessDeniedException") => Ok(false),
        Some("InvalidCiphertextException") => Ok(true),
        code => bail!("decrypting {of:?}: {code:?}"),
    }
}

fn rows(world: &World, credentials: Credentials) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(world.endpoint.as_str())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(credentials);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

fn kms(world: &World, credentials: Credentials) -> aws_sdk_kms::Client {
    let config = aws_sdk_kms::Config::builder()
        .behavior_version(aws_sdk_kms::config::BehaviorVersion::latest())
        .region(aws_sdk_kms::config::Region::from_static("us-east-1"))
        .endpoint_url(world.endpoint.as_str())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(credentials);
    aws_sdk_kms::Client::from_conf(config.build())
}
