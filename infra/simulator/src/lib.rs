//! Twilio Messages, Fast2SMS and SES's `SendEmail` as Carillon sees them: the real wire formats over HTTP, signed
//! callbacks, documented test numbers, settable failures.
//!
//! It is the other side of Carillon's tests, so it shares no code with it, and it is the witness of
//! what was really sent, so a message is on disk before its acceptance is answered. As a process
//! ([`serve`]) it outlives Carillon; in process ([`Simulator::start`]) tests have one each.
//!
//! - [`twilio`] and [`fast2sms`]: the providers' rules and documents; [`ses`]: mail to members
//! - [`database`]: the file and its thread; [`message`], [`callback`], [`account`]: its rows
//! - [`courier`]: makes callbacks, again if need be
//! - [`settings`], [`fault`]: what can be made to go wrong
//! - [`control`]: `/sim/…`, `/healthz` and the page
//!
//! Nothing here protects anything: it listens on the loopback and takes what comes.

#![allow(rustdoc::private_intra_doc_links)]

mod account;
mod app;
mod callback;
mod clock;
mod control;
mod courier;
mod database;
mod error;
mod fast2sms;
mod fault;
mod message;
mod number;
mod random;
mod segments;
mod server;
mod ses;
mod settings;
mod signature;
mod twilio;

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use axum::{Router, extract::DefaultBodyLimit};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

pub use crate::{
    account::{
        DEFAULT_ACCOUNT_SID, DEFAULT_API_KEY_SECRET, DEFAULT_API_KEY_SID, DEFAULT_AUTH_TOKEN,
        DEFAULT_FAST2SMS_KEY, DEFAULT_FROM,
    },
    callback::Made,
    clock::{Clock, system as system_clock},
    control::{Duplicate, Found, ProviderStats, Stats, Wanted},
    error::{Error, Result},
    message::Received,
    ses::{MAIL_FROM, MAIL_KEY_ID, MAIL_SECRET_KEY, Mail},
    settings::{
        Callbacks, FailRule, FaultKind, Match, NumberRule, Order, Outcome, Provider, Settings,
        Span, Throttle, TwilioAuth,
    },
    signature::sign,
    twilio::{Inbound, InboundAnswer},
};
use crate::{app::App, courier::Courier, database::Database};

/// Fast2SMS takes up to a thousand numbers a request; this is far more.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// How a simulator is started.
pub struct Options {
    /// Its SQLite file; `None` keeps everything in memory.
    pub file: Option<PathBuf>,
    /// Where it listens; port 0 takes a free one. Not used when `listener` is given.
    pub address: SocketAddr,
    /// A socket that listens already.
    pub listener: Option<TcpListener>,
    /// Stamps messages. Delays and retries of callbacks go by the wall clock all the same.
    pub clock: Clock,
    /// Told by `/healthz`, so that a parent knows its own child; random when not given.
    pub run_id: Option<String>,
    /// A merge patch of [`Settings`] for this start, kept in the file like any other change.
    pub settings: Value,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file: None,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            listener: None,
            clock: clock::system(),
            run_id: None,
            settings: json!({}),
        }
    }
}

/// The way in.
pub struct Simulator;

/// A simulator that serves. Dropped, it stops without waiting; [`Running::shutdown`] also waits until
/// its file is closed, so that another can open it.
pub struct Running {
    pub address: SocketAddr,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    courier: JoinHandle<()>,
    file_thread: Option<std::thread::JoinHandle<()>>,
}

impl Simulator {
    /// Opens the file, listens, and serves in the background of the current runtime.
    pub async fn start(options: Options) -> Result<Running> {
        let (database, file_thread) = Database::open(options.file.as_deref(), clock::wall_ms())?;
        let courier = Courier::new(database.clone())?;
        let listener = match options.listener {
            Some(listener) => listener,
            None => TcpListener::bind(options.address)
                .await
                .map_err(|source| Error::Listen { address: options.address, source })?,
        };
        let address = listener
            .local_addr()
            .map_err(|source| Error::Listen { address: options.address, source })?;
        let app = Arc::new(App {
            database,
            courier: courier.clone(),
            clock: options.clock,
            run_id: match options.run_id {
                Some(run_id) => run_id,
                None => random::hex32()?,
            },
            file: options.file,
        });
        control::configure(&app, options.settings).await?;
        let router = Router::new()
            .merge(control::routes())
            .merge(twilio::routes())
            .merge(fast2sms::routes())
            .merge(ses::routes())
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(app.clone());
        let (stop, stopped) = watch::channel(false);
        Ok(Running {
            address,
            app,
            stop,
            server: tokio::spawn(server::run(listener, router, stopped)),
            courier: tokio::spawn(courier.run()),
            file_thread: Some(file_thread),
        })
    }
}

impl Running {
    /// `http://127.0.0.1:port`, the base address of all that is simulated.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn run_id(&self) -> &str {
        &self.app.run_id
    }

    /// All that came in from the other side, refused ones too, newest last.
    pub async fn received(&self) -> Result<Vec<Received>> {
        let wanted = Wanted { limit: Some(u32::MAX), ..Wanted::default() };
        Ok(self.find(wanted).await?.messages)
    }

    /// As `GET /sim/messages`.
    pub async fn find(&self, wanted: Wanted) -> Result<Found> {
        control::find(&self.app, wanted).await
    }

    /// As `GET /sim/stats`.
    pub async fn stats(&self) -> Result<Stats> {
        control::stats(&self.app).await
    }

    /// As `GET /sim/mails`.
    pub async fn mails(&self) -> Result<Vec<Mail>> {
        ses::mails(&self.app).await
    }

    pub async fn settings(&self) -> Result<Settings> {
        control::read_settings(&self.app).await
    }

    /// Changes settings by a merge patch, as `POST /sim/settings`.
    pub async fn configure(&self, patch: Value) -> Result<Settings> {
        control::configure(&self.app, patch).await
    }

    /// A message from a person; answers after the webhook was tried once.
    pub async fn inbound(&self, inbound: Inbound) -> Result<InboundAnswer> {
        twilio::receive_inbound(&self.app, inbound).await
    }

    /// Tries each waiting callback once, now, whatever its time and the hold; how many were tried.
    /// With the setting `callbacks.hold`, tests step callbacks instead of waiting for them.
    pub async fn flush_callbacks(&self) -> Result<usize> {
        self.app.courier.flush().await
    }

    /// Stops at once, as abruptly as a crash towards those connected, and closes the file.
    pub async fn shutdown(mut self) {
        self.end();
        // Only whether they have ended matters.
        let _ = (&mut self.server).await;
        let _ = (&mut self.courier).await;
        if let Some(thread) = self.file_thread.take() {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the simulator's file thread ended badly");
            }
        }
    }

    fn end(&self) {
        // Nobody listens once the server has ended by itself.
        let _ = self.stop.send(true);
        self.courier.abort();
        self.app.database.stop();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// The process form: serves until `stop` is ready. `ready` is called once with the address.
pub async fn serve(
    options: Options,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let running = Simulator::start(options).await?;
    tracing::info!(address = %running.address, "the simulator serves");
    ready(running.address);
    stop.await;
    running.shutdown().await;
    Ok(())
}
