//! What the chapters share: where everything is, and what has been done so far.

use anyhow::{Context, Result, bail};
use carillon_simulator::{Options, Running, Simulator};
use reqwest::Url;

use crate::aws::{Outputs, Stack};
use crate::client::Client;

/// The account that the simulator lets in.
pub const TWILIO_ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub const TWILIO_TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
pub const FROM: &str = "+15005550006";

pub struct World {
    pub stack: Stack,
    /// Of AWS.
    pub endpoint: Url,
    /// Both providers; it outlives every function.
    pub simulator: Running,
    pub outputs: Outputs,
    pub admin_key: String,
    client: Option<Client>,
    /// Messages that the simulator must have, so far.
    pub sent: Vec<String>,
}

impl World {
    /// `--template F --endpoint URL --admin-key KEY`, all needed.
    pub async fn begin(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let (mut template, mut endpoint, mut admin_key) = (None, None, None);
        while let Some(name) = arguments.next() {
            let place = match name.as_str() {
                "--template" => &mut template,
                "--endpoint" => &mut endpoint,
                "--admin-key" => &mut admin_key,
                _ => bail!("what is {name}?"),
            };
            *place = Some(arguments.next().with_context(|| format!("{name} needs a value"))?);
        }
        Ok(Self {
            stack: Stack { name: "carillon".to_owned(), template: template.context("--template")? },
            endpoint: Url::parse(&endpoint.context("--endpoint")?)?,
            simulator: Simulator::start(Options::default()).await?,
            outputs: Outputs::new(),
            admin_key: admin_key.context("--admin-key")?,
            client: None,
            sent: Vec::new(),
        })
    }

    /// The API as the owner of the admin key, once the template is in.
    pub fn client(&self) -> Result<&Client> {
        self.client.as_ref().context("the stack is not deployed")
    }

    pub fn deployed(&mut self, outputs: Outputs) -> Result<()> {
        let api = outputs.get("ApiUrl").context("no ApiUrl")?;
        self.client = Some(Client::new(api, &self.endpoint, &self.admin_key)?);
        self.outputs = outputs;
        Ok(())
    }

    pub fn output(&self, name: &str) -> Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("the stack has no output {name}"))
    }

    /// The webhook's function URL, at an address that resolves here.
    pub fn callback_address(&self) -> Result<String> {
        let url = Url::parse(self.output("WebhookUrl")?)?;
        let host = url.host_str().context("a host in the function URL")?;
        let id = host.split('.').next().context("an id in the function URL")?;
        Ok(self.endpoint.join(&format!("/_aws/lambda-url/{id}"))?.to_string())
    }
}
