//! The settings of the local stack, from the environment.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use carillon_domain::ProviderName;
use carillon_identity::SignIn;
use carillon_runtime::config::{Tuning, provider_urls, variable};
use carillon_runtime::{Clock, random, sign_in};

const PORT: u16 = 8080;
const TICK_SECONDS: u64 = 60;
const FOLDER: &str = ".carillon";

/// What a stack is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the engines keep their files; `None`: in memory.
    pub folder: Option<PathBuf>,
    pub clock: Clock,
    /// Secret of the first organization's key.
    pub admin_key: String,
    /// Address that providers call back.
    pub public_url: String,
    /// Where the providers' APIs are.
    pub provider_urls: BTreeMap<ProviderName, String>,
    /// Where mail to members is taken, if anywhere.
    pub mail_url: Option<String>,
    /// Where the console is.
    pub console_url: String,
    pub people: People,
    /// As in the function's configuration.
    pub cors_origins: Vec<String>,
    /// Sends for organizations without an account of their own.
    pub installation_account: Option<carillon_runtime::config::InstallationAccount>,
    pub tuning: Tuning,
}

/// Whom people sign in with.
#[derive(Debug, Clone, Default)]
pub enum People {
    /// There are only API keys.
    #[default]
    Keys,
    /// The stack's own issuer, beside the console, and some members.
    BuiltIn,
    Issuer(SignIn),
}

/// What `cargo run` is told besides.
#[derive(Debug, Clone)]
pub struct Settings {
    pub port: u16,
    pub folder: PathBuf,
    pub tick_seconds: u64,
    /// Whether an organization in the middle of its work is made.
    pub has_demo: bool,
    pub public_url: String,
    pub provider_urls: BTreeMap<ProviderName, String>,
    pub admin_key: Option<String>,
    pub console_url: String,
    pub people: People,
}

impl Settings {
    /// # Errors
    /// Names the variable that cannot be read.
    pub fn from_env() -> anyhow::Result<Self> {
        let port = number("CARILLON_PORT", PORT)?;
        let tick_seconds = number("CARILLON_TICK_SECONDS", TICK_SECONDS)?;
        if tick_seconds == 0 {
            bail!("CARILLON_TICK_SECONDS must be at least 1");
        }
        let has_demo = match variable("CARILLON_SEED").as_deref() {
            None | Some("none") => false,
            Some("demo") => true,
            Some(other) => bail!("CARILLON_SEED is “{other}”; it is “demo” or “none”"),
        };
        let local = format!("http://127.0.0.1:{port}");
        let public_url = variable("CARILLON_PUBLIC_URL").unwrap_or_else(|| local.clone());
        let console_url = sign_in::console_url().unwrap_or(local);
        Ok(Self {
            port,
            folder: variable("CARILLON_DATA").map_or_else(|| FOLDER.into(), PathBuf::from),
            tick_seconds,
            has_demo,
            public_url: public_url.trim_end_matches('/').to_owned(),
            provider_urls: provider_urls(),
            admin_key: variable("CARILLON_ADMIN_KEY"),
            people: people(&console_url)?,
            console_url,
        })
    }

    /// The admin key that was given, or the one of this folder, drawn when
    /// there is none.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn admin_key(&self) -> anyhow::Result<String> {
        if let Some(key) = &self.admin_key {
            return Ok(key.clone());
        }
        let path = self.folder.join("admin-key");
        if let Ok(key) = std::fs::read_to_string(&path) {
            return Ok(key.trim().to_owned());
        }
        let key = format!("crl_{}", carillon_domain::ids::encode(&random::bytes::<32>()));
        std::fs::create_dir_all(&self.folder)?;
        write_private(&path, &key)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(key)
    }
}

/// An issuer of one's own, or else the built-in one, unless that is switched off.
fn people(console_url: &str) -> anyhow::Result<People> {
    if let Some(sign_in) = sign_in::from_env(Some(console_url))? {
        return Ok(People::Issuer(sign_in));
    }
    match variable("CARILLON_LOCAL_ISSUER").as_deref() {
        None | Some("on") => Ok(People::BuiltIn),
        Some("off") => Ok(People::Keys),
        Some(other) => bail!("CARILLON_LOCAL_ISSUER is “{other}”; it is “on” or “off”"),
    }
}

/// Only the owner reads it.
fn write_private(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn number<T: std::str::FromStr>(name: &str, default: T) -> anyhow::Result<T> {
    match variable(name) {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(number) => Ok(number),
            Err(_) => bail!("{name} is “{text}”; it must be a number"),
        },
    }
}
