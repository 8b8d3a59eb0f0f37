//! The local server in a process of its own, as `cargo run` starts it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use carillon_domain::settings::Settings;
use carillon_domain::{OrgId, Role};
use carillon_local::options::People;
use carillon_local::{Options, Stack};
use carillon_runtime::Clock;
use carillon_runtime::config::Tuning;
use carillon_simulator as simulator;
use carillon_tests::callers;
use carillon_tests::patience::{PAUSE, eventually};
use carillon_tests::real::{ADMIN_KEY, Client, Home, Running};
use reqwest::Method;
use serde_json::{Value, json};

/// The argument that makes this program the server.
pub const COMMAND: &str = "serve";
/// Key of the second organization.
pub const OTHER_KEY: &str = "crl_of_the_second_organization";

pub struct Server {
    pub running: Running,
    /// The second organization's view.
    pub other: Client,
}

impl Server {
    /// With two organizations that have no caps and no quiet hours.
    pub async fn start(name: &str, rate: u32) -> Result<Self> {
        let program = std::env::current_exe()?;
        let folder = scratch(name)?;
        let mut home = Home::new(&program, folder, 5)?.with_argument(COMMAND);
        organizations(home.data()).await?;
        let running = home.start().await?;
        let other = running.client.with_key(OTHER_KEY);
        let server = Self { running, other };
        for client in [&server.running.client, &server.other] {
            client.put("/v1/integrations/twilio", &twilio(rate)).await?;
        }
        Ok(server)
    }

    pub fn client(&self) -> &Client {
        &self.running.client
    }

    pub fn id(&self) -> Result<u32> {
        self.running.id().context("the server has ended")
    }

    /// Waits until so many messages are delivered; `look` is asked each time.
    pub async fn delivered(&self, count: usize, mut look: impl FnMut()) -> Result<()> {
        eventually("delivery", Duration::from_secs(1_800), PAUSE, async || {
            look();
            let stats = self.client().get("/v1/stats").await?;
            let delivered = &stats["total_delivered"];
            Ok(if *delivered == count { Ok(()) } else { Err(delivered.to_string()) })
        })
        .await
    }

    /// Each message that the provider took: number and when, in milliseconds since 1970.
    pub async fn received(&self) -> Result<Vec<(String, i64)>> {
        self.find("limit=100000").await
    }

    /// When the provider took the message to this number.
    pub async fn arrival(&self, to: &str) -> Result<Option<i64>> {
        let found = self.find(&format!("to={}", to.replace('+', "%2B"))).await?;
        Ok(found.first().map(|(_, at)| *at))
    }

    async fn find(&self, query: &str) -> Result<Vec<(String, i64)>> {
        let path = format!("/sim/messages?{query}");
        let found = self.client().simulated(Method::GET, &path).await?;
        let messages = found["messages"].as_array().context("a list")?;
        let taken = messages.iter().filter(|message| message["accepted"] == true);
        taken
            .map(|message| {
                let at: jiff::Timestamp = message["at"].as_str().context("a time")?.parse()?;
                let to = message["to"].as_str().context("a number")?;
                Ok((to.to_owned(), at.as_millisecond()))
            })
            .collect()
    }
}

/// An empty place for a measurement's files.
pub fn scratch(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).context("a target folder")?;
    Ok(target.join("load").join(name))
}

pub fn twilio(rate: u32) -> Value {
    json!({
        "credentials": {
            "account_sid": simulator::DEFAULT_ACCOUNT_SID,
            "auth_token": simulator::DEFAULT_AUTH_TOKEN,
        },
        "settings": {"from": simulator::DEFAULT_FROM, "rate_per_second": rate},
    })
}

/// Nothing but the rate stands against a message.
pub async fn without_limits(stack: &Stack, org: OrgId) -> Result<()> {
    let settings = Settings {
        quiet_hours: None,
        max_per_contact_per_day: None,
        max_per_hour: None,
        ..Settings::default()
    };
    Ok(stack.ctx.store.put_settings(org, &settings).await?)
}

/// Written below the API, before the server starts: there is no other way to have a second organization.
async fn organizations(folder: PathBuf) -> Result<()> {
    let stack = Stack::open(Options {
        folder: Some(folder),
        clock: Clock::System,
        admin_key: ADMIN_KEY.to_owned(),
        public_url: String::new(),
        console_url: String::new(),
        people: People::Keys,
        provider_urls: std::collections::BTreeMap::new(),
        mail_url: None,
        cors_origins: Vec::new(),
        installation_account: None,
        tuning: Tuning::default(),
    })
    .await?;
    let id = OrgId::from_hash(&[b"second organization"]);
    callers::add(&stack.ctx, id, OTHER_KEY, Role::SuperAdmin).await;
    for org in [stack.org, id] {
        without_limits(&stack, org).await?;
    }
    Ok(())
}

/// A file of so many recipients, of the million numbers that begin with `prefix`.
pub fn file(prefix: &str, count: usize) -> Result<String> {
    ensure!(count <= 1_000_000, "a million numbers are all there are");
    let mut file = "phone,name\n".to_owned();
    for row in 0..count {
        file.push_str(&format!("{prefix}{row:06},Ada {row}\n"));
    }
    Ok(file)
}

pub const TEXT: &str = "Hi {{ name }}, your class begins at 7:30 PM. Reply STOP to opt out.";
