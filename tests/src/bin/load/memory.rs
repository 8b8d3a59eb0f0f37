//! Resident memory of the local server while it plans and sends a large file.

use anyhow::{Result, ensure};

use crate::machine;
use crate::server::{Server, TEXT, file};

const RATE: u32 = 10_000;
/// The promise, in MB.
const MOST_ABOVE: f64 = 30.0;

struct Seen {
    idle: f64,
    /// When the upload was answered.
    uploaded: f64,
    most: f64,
}

pub async fn measure() -> Result<String> {
    let small = send(10_000).await?;
    let large = send(100_000).await?;
    let above = large.most - small.most;
    ensure!(above <= MOST_ABOVE, "{above:.0} MB above: {:.0} and {:.0}", large.most, small.most);
    Ok(format!(
        "Resident memory of the server's process, at its highest while it plans and sends, to the last `delivered`: \
         {:.0} MB with 10,000 messages, {:.0} MB with 100,000: **{above:.0} MB above** (promise: ≤ {MOST_ABOVE:.0} \
         MB). Before the upload {:.0} and {:.0} MB, when it was answered {:.0} and {:.0} MB.",
        small.most, large.most, small.idle, large.idle, small.uploaded, large.uploaded
    ))
}

async fn send(messages: usize) -> Result<Seen> {
    let server = Server::start("memory", RATE).await?;
    let id = server.id()?;
    let idle = machine::resident(id)?;
    server.client().upload(&file("+61412", messages)?, TEXT).await?;
    let uploaded = machine::resident(id)?;
    let mut most = 0.0_f64;
    let look = || most = machine::resident(id).map_or(most, |now| now.max(most));
    server.delivered(messages, look).await?;
    Ok(Seen { idle, uploaded, most })
}
