//! An account's rate in real time, as the provider counts what arrives.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Result, ensure};
use carillon_tests::patience::{Stopwatch, pause};

use crate::server::{Server, TEXT, file};

const SECONDS: i64 = 60;
/// The promise: the minute's total within −2 and +0 %.
const LEAST: f64 = 0.98;

pub async fn measure() -> Result<String> {
    let mut out =
        "| parts/s | in 60 s | of | fullest second | promise |\n|--:|--:|--:|--:|---|\n".to_owned();
    for rate in [1_u32, 10, 100] {
        let times = arrivals(rate).await?;
        let first = times.first().copied().unwrap_or_default();
        let total = times.partition_point(|at| *at < first + SECONDS * 1_000);
        let most = fullest_second(&times[..total]);
        let possible = rate as usize * 60;
        let allowed = f64::from(rate) * 1.05 + 1.0;
        let _ = writeln!(
            out,
            "| {rate} | {total} | {possible} | {most} | {:.0} to {possible}, ≤ {allowed:.1} a second |",
            (LEAST * as_float(possible)).ceil()
        );
        let is_kept = total <= possible
            && as_float(total) >= LEAST * as_float(possible)
            && as_float(most) <= allowed;
        ensure!(is_kept, "the rate of {rate} parts/s is not kept:\n{out}");
    }
    let _ = write!(
        out,
        "\nOne file, messages of one part, the server that `cargo run` starts; counted at the provider, the minute \
         from the first arrival on, seconds wherever they begin."
    );
    Ok(out)
}

/// When each message arrived, sorted, in milliseconds since 1970.
async fn arrivals(rate: u32) -> Result<Vec<i64>> {
    let server = Server::start("rates", rate).await?;
    let count = rate as usize * 70;
    server.client().upload(&file("+61412", count)?, TEXT).await?;
    let watch = Stopwatch::start();
    while watch.elapsed() < Duration::from_secs(66) {
        pause(Duration::from_secs(1)).await;
    }
    let mut times: Vec<i64> = server.received().await?.into_iter().map(|(_, at)| at).collect();
    times.sort_unstable();
    ensure!(times.len() < count, "the file was too short");
    Ok(times)
}

fn fullest_second(times: &[i64]) -> usize {
    let until = |from: i64| times.partition_point(|at| *at < from + 1_000);
    times.iter().enumerate().map(|(place, at)| until(*at) - place).max().unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "thousands")]
fn as_float(count: usize) -> f64 {
    count as f64
}
