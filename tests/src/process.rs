//! Carillon as a person starts it, with a folder and a pair of ports of its own.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use carillon_admin_api::first_organization;
use carillon_domain::settings::Settings;
use carillon_local::engines::Engines;
use carillon_local::stack::TABLE;
use carillon_store::{Store, schema};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;
use crate::patience::{Stopwatch, eventually, now};

const ADMIN_KEY: &str = "crl_killed_and_started_again";
/// Below the ports that systems give to outgoing connections, so that nobody takes ours between two starts.
const FIRST_PORT: u16 = 21_000;
const START: Duration = Duration::from_secs(30);

/// Where one story's processes live, one after the other.
pub struct Home {
    folder: PathBuf,
    port: u16,
    starts: usize,
    /// A provider that is not ours to start: it stays when we are killed.
    provider: Option<String>,
}

/// A running one. Dropped, it is killed.
pub struct Running {
    child: Child,
    pub client: Client,
}

/// A simulated provider that lives longer than any of its clients.
pub struct Provider {
    /// Ends with its input.
    _child: Child,
    pub url: String,
}

impl Home {
    /// `number` keeps stories that run side by side apart. The organization has
    /// no limits and no quiet hours: these stories are about something else.
    ///
    /// # Errors
    /// When folder or ports cannot be had.
    pub async fn new(folder: &Path, number: u16) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let port = free_pair(FIRST_PORT + number * 1_000)?;
        let home = Self { folder: folder.to_owned(), port, starts: 0, provider: None };
        home.take_limits_away().await?;
        Ok(home)
    }

    /// In the table itself, before anything runs that would keep to them; also
    /// when another release has written its settings there.
    ///
    /// # Errors
    /// When a process is running.
    pub async fn take_limits_away(&self) -> Result<()> {
        let engines = Engines::open(Some(&self.folder.join("data")), Arc::new(now))?;
        let client = engines.dynamodb();
        schema::create_table(&client, TABLE).await?;
        let settings = Settings {
            quiet_hours: None,
            max_per_contact_per_day: None,
            max_per_hour: None,
            ..Settings::default()
        };
        Store::new(client, TABLE).put_settings(first_organization::id(), &settings).await?;
        Ok(())
    }

    /// A provider that outlives the processes of this home, as a process of `program`.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn provider(&mut self, program: &Path) -> Result<Provider> {
        let mut child = Command::new(program)
            .arg("simulator")
            .arg(self.folder.join("provider.db"))
            .arg((self.port + 1).to_string())
            .arg(format!("http://127.0.0.1:{}", self.port))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let out = child.stdout.take().context("the provider has no output")?;
        let url = BufReader::new(out).lines().next_line().await?.context("it has ended")?;
        self.provider = Some(url.clone());
        Ok(Provider { _child: child, url })
    }

    /// Starts `program` and waits until it says that it is up.
    ///
    /// # Errors
    /// When it ends instead.
    pub async fn start(&mut self, program: &Path) -> Result<Running> {
        self.starts += 1;
        let out = self.folder.join(format!("start-{}.out", self.starts));
        let errors = self.folder.join(format!("start-{}.err", self.starts));
        let mut command = Command::new(program);
        command
            .env("CARILLON_DATA", self.folder.join("data"))
            .env("CARILLON_PORT", self.port.to_string())
            .env("CARILLON_TICK_SECONDS", "1")
            .env("CARILLON_ADMIN_KEY", ADMIN_KEY)
            .env_remove("CARILLON_PUBLIC_URL")
            .env_remove("CARILLON_SEED");
        for name in ["CARILLON_PROVIDER_URL_TWILIO", "CARILLON_PROVIDER_URL_FAST2SMS"] {
            match &self.provider {
                Some(url) => command.env(name, url),
                None => command.env_remove(name),
            };
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(fs::File::create(&out)?)
            .stderr(fs::File::create(&errors)?)
            // A group of its own, as in a terminal, where Ctrl-C goes to the whole group.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let simulator = eventually("the start", START, Duration::from_millis(10), async || {
            if let Some(status) = child.try_wait()? {
                bail!("it ended with {status}: {}", fs::read_to_string(&errors)?);
            }
            let said = fs::read_to_string(&out)?;
            let url = said
                .lines()
                .find_map(|line| line.strip_prefix("Simulated providers"))
                .and_then(|rest| rest.find("http://").map(|at| rest[at..].to_owned()))
                .or_else(|| self.provider.clone());
            // The last line: until it is there, the rest may be half-written.
            Ok(url.filter(|_| said.contains("Ctrl-C ends.")).ok_or(said))
        })
        .await?;
        let api = format!("http://127.0.0.1:{}", self.port);
        Ok(Running { child, client: Client::new(api, simulator, ADMIN_KEY)? })
    }

    /// What the processes wrote to their logs.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn logs(&self) -> Result<String> {
        let mut logs = String::new();
        for start in 1..=self.starts {
            logs += &fs::read_to_string(self.folder.join(format!("start-{start}.err")))?;
        }
        Ok(logs)
    }
}

impl Running {
    /// `kill -9`; gone when this answers.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill_9(mut self) -> Result<()> {
        self.child.kill().await.context("kill -9")
    }

    /// Ctrl-C in a terminal; answers how it ended and how long it took.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn ctrl_c(mut self) -> Result<(ExitStatus, Duration)> {
        let watch = Stopwatch::start();
        let id = self.child.id().context("it has ended already")?;
        let sent = Command::new("kill").args(["-INT", "--", &format!("-{id}")]).status().await?;
        ensure!(sent.success(), "kill -INT: {sent}");
        let status = tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await??;
        Ok((status, watch.elapsed()))
    }
}

/// The first port from `first` on that is free, as is the one after it.
fn free_pair(first: u16) -> Result<u16> {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (first..first + 1_000)
        .step_by(2)
        .find(|port| free(*port) && free(port + 1))
        .context("no two free ports")
}
