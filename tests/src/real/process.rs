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

use super::Client;
use crate::patience::{Stopwatch, eventually, now};

pub const ADMIN_KEY: &str = "crl_killed_and_started_again";
/// Below the ports that systems give to outgoing connections, so that nobody takes ours between two starts.
const FIRST_PORT: u16 = 21_000;
/// With the demo on a busy machine it takes its time.
const START: Duration = Duration::from_secs(180);

/// Where one story's processes live, one after the other.
pub struct Home {
    program: PathBuf,
    arguments: Vec<String>,
    settings: Vec<(&'static str, &'static str)>,
    folder: PathBuf,
    port: u16,
    starts: usize,
    /// A provider that is not the program's to start: it stays when that is killed.
    provider: Option<String>,
}

/// A simulated provider that lives longer than any of its clients; it ends when
/// this is dropped.
pub struct Provider {
    _child: Child,
}

/// A running one. Dropped, it is killed.
pub struct Running {
    child: Child,
    pub client: Client,
}

impl Home {
    /// In a folder that is emptied; `number` keeps stories that run side by side apart.
    pub fn new(program: &Path, folder: PathBuf, number: u16) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let port = free_pair(FIRST_PORT + number * 1_000)?;
        Ok(Self {
            program: program.to_owned(),
            arguments: Vec::new(),
            settings: Vec::new(),
            folder,
            port,
            starts: 0,
            provider: None,
        })
    }

    /// What the program is told.
    pub fn with_argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// What is in its environment besides.
    pub fn with_setting(mut self, name: &'static str, value: &'static str) -> Self {
        self.settings.push((name, value));
        self
    }

    /// Where the program keeps its data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Another program takes over from the next start on: another release.
    pub fn hand_over_to(&mut self, program: &Path) {
        program.clone_into(&mut self.program);
    }

    /// No limits and no quiet hours, written into the table itself before
    /// anything runs that would keep to them; also over the settings of another
    /// release. Nothing may be running.
    pub async fn take_limits_away(&self) -> Result<()> {
        let engines = Engines::open(Some(&self.data()), Arc::new(now))?;
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

    /// A provider that outlives the processes of this home: a process of the
    /// program that it has now.
    pub async fn provider(&mut self) -> Result<Provider> {
        let mut child = Command::new(&self.program)
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
        let url = BufReader::new(out).lines().next_line().await?;
        self.provider = Some(url.context("the provider has ended")?);
        Ok(Provider { _child: child })
    }

    /// Starts it and waits until it says that it is up.
    pub async fn start(&mut self) -> Result<Running> {
        self.starts += 1;
        let out = self.folder.join(format!("start-{}.out", self.starts));
        let errors = self.folder.join(format!("start-{}.err", self.starts));
        let mut command = Command::new(&self.program);
        for name in ["CARILLON_PROVIDER_URL_TWILIO", "CARILLON_PROVIDER_URL_FAST2SMS"] {
            match &self.provider {
                Some(url) => command.env(name, url),
                None => command.env_remove(name),
            };
        }
        let mut child = command
            .args(&self.arguments)
            .env("CARILLON_DATA", self.data())
            .env("CARILLON_PORT", self.port.to_string())
            .env("CARILLON_TICK_SECONDS", "1")
            .env("CARILLON_ADMIN_KEY", ADMIN_KEY)
            .env_remove("CARILLON_PUBLIC_URL")
            .env_remove("CARILLON_SEED")
            .envs(self.settings.iter().copied())
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

    /// The link that the last start printed, which signs in once.
    pub fn first_visit(&self) -> Result<String> {
        let out = self.folder.join(format!("start-{}.out", self.starts));
        let said = fs::read_to_string(out)?;
        let link = said.lines().find_map(|line| line.strip_prefix("Console: "));
        Ok(link.context("no link was printed")?.to_owned())
    }

    /// What the processes wrote to their logs.
    pub fn logs(&self) -> Result<String> {
        let mut logs = String::new();
        for start in 1..=self.starts {
            logs += &fs::read_to_string(self.folder.join(format!("start-{start}.err")))?;
        }
        Ok(logs)
    }
}

impl Running {
    /// Its process id; `None` when it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// `kill -9`; gone when this answers.
    pub async fn kill_9(mut self) -> Result<()> {
        self.child.kill().await.context("kill -9")
    }

    /// Ctrl-C in a terminal; answers how it ended and how long it took.
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
