//! Moves every secret of an installation to another KMS key.
//!
//! ```text
//! cargo run -p carillon-local --bin re-encrypt -- --table <name> --key <id, alias or ARN>
//! cargo run -p carillon-local --bin re-encrypt -- --data .carillon --key embedded
//! ```
//!
//! `--table`: a table on AWS, with the credentials and region of the environment;
//! whoever runs it needs Scan and UpdateItem on the table, kms:ReEncryptFrom on
//! the keys that the secrets are under and kms:ReEncryptTo on the new one.
//! `--data`: the folder of a local stack that is not running. Can be repeated; it
//! goes on where it was. docs/guides/rotation.md has the steps around it.

#![expect(clippy::print_stdout, reason = "a report for people")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use carillon_local::engines::Engines;
use carillon_local::stack::TABLE;
use carillon_runtime::Clock;
use carillon_runtime::re_encrypt::re_encrypt;
use carillon_runtime::secrets::Secrets;
use carillon_store::Store;

enum Of {
    Folder(PathBuf),
    Table(String),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let (of, key) = arguments(std::env::args().skip(1))?;
    let (store, kms) = match of {
        Of::Folder(folder) => {
            if !folder.join("tables.db").exists() {
                bail!("{} holds no tables", folder.display());
            }
            let engines = Engines::open(Some(&folder), Arc::new(|| Clock::System.now()))?;
            (Store::new(engines.dynamodb(), TABLE), engines.kms())
        }
        Of::Table(name) => carillon_runtime::context::store_and_kms_of(&name).await,
    };
    let done = re_encrypt(&store, &Secrets::new(kms, vec![key], Clock::System)).await?;
    println!(
        "{} secrets moved, {} were under this key, {} changed meanwhile",
        done.moved, done.already, done.changed
    );
    // What changed meanwhile is under the key of whoever changed it: worth another look.
    Ok(if done.changed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn arguments(mut given: impl Iterator<Item = String>) -> anyhow::Result<(Of, String)> {
    let (mut of, mut key) = (None, None);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--key" => key = Some(given.next().context("--key <id, alias or ARN>")?),
            "--data" => of = Some(Of::Folder(given.next().context("--data <folder>")?.into())),
            "--table" => of = Some(Of::Table(given.next().context("--table <name>")?)),
            other => bail!("there is no “{other}”; there are --data, --table and --key"),
        }
    }
    let of = of.context("say which: --data <folder> or --table <name>")?;
    Ok((of, key.context("say which key: --key <id, alias or ARN>")?))
}
