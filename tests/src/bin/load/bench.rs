//! A whole stack in this process, in memory and in real time, with the provider in a process of its own: so what
//! this process spends is Carillon's.

use anyhow::Result;
use carillon_domain::ProviderName;
use carillon_local::options::People;
use carillon_local::simulator::Process;
use carillon_local::{Options, Stack};
use carillon_runtime::Clock;
use carillon_runtime::config::Tuning;
use carillon_tests::real::{ADMIN_KEY, Client};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::server::{scratch, twilio, without_limits};

pub struct Bench {
    pub stack: Stack,
    pub client: Client,
    simulator: Process,
    server: JoinHandle<()>,
}

impl Bench {
    pub async fn start(name: &str, rate: u32, simulator: &Value) -> Result<Self> {
        let folder = scratch(name)?;
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let process = Process::start(&folder.join("simulator.db"), 0, &url).await?;
        let stack = Stack::open(Options {
            folder: None,
            clock: Clock::System,
            admin_key: ADMIN_KEY.to_owned(),
            public_url: url.clone(),
            console_url: url.clone(),
            people: People::Keys,
            provider_urls: ProviderName::ALL.map(|name| (name, process.url.clone())).into(),
            mail_url: None,
            cors_origins: Vec::new(),
            installation_account: None,
            tuning: Tuning::default(),
        })
        .await?;
        without_limits(&stack, stack.org).await?;
        let router = stack.router();
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the server serves");
        });
        let client = Client::new(url, process.url.clone(), ADMIN_KEY)?;
        client.put("/v1/integrations/twilio", &twilio(rate)).await?;
        client.configure_simulator(simulator).await?;
        Ok(Self { stack, client, simulator: process, server })
    }

    pub async fn stop(self) {
        self.server.abort();
        self.simulator.stop().await;
    }
}
