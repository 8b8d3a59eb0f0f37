//! Single messages of one organization while another's campaign of 100,000 fills the bulk lane, in real time.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use carillon_tests::patience::{PAUSE, eventually, now, pause};
use reqwest::Method;
use serde_json::json;

use crate::server::{Server, TEXT, file};

const RATE: u32 = 10_000;
const CAMPAIGN: usize = 100_000;
const SINGLES: usize = 100;
/// The promise: no more than this, or twice what it takes alone.
const MOST_MS: i64 = 1_000;

pub async fn measure() -> Result<String> {
    let server = Server::start("fairness", RATE).await?;
    let alone = singles(&server, 0).await?;
    server.client().upload(&file("+61412", CAMPAIGN)?, TEXT).await?;
    let patience = Duration::from_secs(120);
    eventually("the campaign", patience, PAUSE, async || {
        let sent = taken(&server).await?;
        Ok(if sent > 2_000 { Ok(()) } else { Err(sent.to_string()) })
    })
    .await?;
    let before = taken(&server).await?;
    let beside = singles(&server, SINGLES).await?;
    let after = taken(&server).await?;
    ensure!(after < CAMPAIGN as u64, "the campaign was over before the singles were");
    let [alone_p95, beside_p95] = [&alone, &beside].map(|times| quantile(times, 95));
    let most = MOST_MS.max(2 * alone_p95);
    ensure!(beside_p95 <= most, "p95 {beside_p95} ms beside a campaign, {alone_p95} ms alone");
    Ok(format!(
        "{SINGLES} single messages of one organization, from the request to the provider, one each 100 ms. Alone: \
         median {} ms, p95 **{alone_p95} ms**. While another organization's file of 100,000 is planned and sent (of \
         which the provider took {} meanwhile): median {} ms, p95 **{beside_p95} ms**, the slowest {} ms (promise: \
         p95 ≤ {most} ms).",
        quantile(&alone, 50),
        after - before,
        quantile(&beside, 50),
        quantile(&beside, 100),
    ))
}

async fn taken(server: &Server) -> Result<u64> {
    let stats = server.client().simulated(Method::GET, "/sim/stats").await?;
    stats["accepted"].as_u64().context("a number")
}

/// Milliseconds from the request to the provider, sorted.
async fn singles(server: &Server, from: usize) -> Result<Vec<i64>> {
    let mut asked = Vec::new();
    for n in from..from + SINGLES {
        let to = format!("+61491570{n:03}");
        let at = now().as_millisecond();
        let body = json!({"channel": "sms", "to": to, "body": "Your code is 1234."});
        server.other.post("/v1/messages", &body).await?;
        asked.push((to, at));
        pause(Duration::from_millis(100)).await;
    }
    let mut times = Vec::new();
    for (to, at) in asked {
        let arrived = eventually("a single", Duration::from_secs(60), PAUSE, async || {
            Ok(server.arrival(&to).await?.ok_or("not there".to_owned()))
        })
        .await?;
        times.push(arrived - at);
    }
    times.sort_unstable();
    Ok(times)
}

/// Of sorted times, the one that so many percent are no longer than.
fn quantile(times: &[i64], percent: usize) -> i64 {
    let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(place).copied().unwrap_or_default()
}
