//! The provider simulator as a process of its own, with its own file: what a
//! provider received outlives us. It ends when we do, however we end, since it
//! reads our end of a pipe.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use carillon_simulator as simulator;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// The argument that makes this program a simulator.
pub const COMMAND: &str = "simulator";

/// Tries for the port, a tenth of a second apart.
const PORT_TRIES: usize = 30;

/// A running simulator; dropped, it ends.
#[derive(Debug)]
pub struct Process {
    pub url: String,
    child: Child,
}

impl Process {
    /// Starts this program again as a simulator with `file`, on `port` when it
    /// is free.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(file: &Path, port: u16, public_url: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg(COMMAND)
            .arg(file)
            .arg(port.to_string())
            .arg(public_url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        // A terminal's Ctrl-C goes to the whole group: it would end the provider
        // while our last calls are in flight.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let out = child.stdout.take().context("the simulator has no output")?;
        let mut lines = BufReader::new(out).lines();
        let url = lines.next_line().await?.context("the simulator ended before it was up")?;
        Ok(Self { url, child })
    }

    /// Ends it.
    pub async fn stop(mut self) {
        drop(self.child.stdin.take());
        // It closes its file and goes; if not, dropping the child kills it.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(3), self.child.wait()).await;
    }
}

/// The simulator's own `main`: `carillon simulator <file> <port> <public url>`.
///
/// # Errors
/// When its file or port cannot be had.
pub async fn main(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let file = PathBuf::from(arguments.next().context("which file?")?);
    let port: u16 = arguments.next().context("which port?")?.parse()?;
    let public_url = arguments.next().context("which public URL?")?;
    let options = |port| simulator::Options {
        file: Some(file.clone()),
        address: SocketAddr::from(([127, 0, 0, 1], port)),
        settings: json!({"twilio_inbound_url": format!("{public_url}/webhooks/twilio/inbound")}),
        ..simulator::Options::default()
    };
    let parent_is_gone = || async {
        let mut rest = Vec::new();
        let _ = tokio::io::stdin().read_to_end(&mut rest).await;
    };
    // An earlier simulator may just be ending; a port that someone else has is no
    // reason not to start.
    let mut free = false;
    for _ in 0..PORT_TRIES {
        free = std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free {
            break;
        }
        pause().await;
    }
    let options = options(if free { port } else { 0 });
    simulator::serve(options, announce, parent_is_gone()).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "waits for another process, in real time")]
async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
}

#[expect(clippy::print_stdout, reason = "the parent reads the address from here")]
fn announce(address: SocketAddr) {
    println!("http://{address}");
}
