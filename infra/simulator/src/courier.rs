//! Carries callbacks: takes what is due, posts it, writes down the answer. Retries are here, by rows
//! that become due again; nothing is lost when the process ends in between.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
};

use crate::{
    callback::{self, Carried, Due, Kind},
    clock,
    database::Database,
    error::{Error, Result},
    signature,
};

/// Callbacks under way at a time.
const SLOTS: usize = 64;
/// Twilio gives a status callback 15 s.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest sleep, in case the wall clock jumps.
const NAP_MS: i64 = 1_000;
/// Of an answer's body this much is kept.
const KEPT: usize = 2_000;

#[derive(Clone)]
pub(crate) struct Courier {
    database: Database,
    client: reqwest::Client,
    wake: Arc<Notify>,
    slots: Arc<Semaphore>,
}

impl Courier {
    pub fn new(database: Database) -> Result<Self> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Somebody else may install one in between: then that one is used.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the provider's own client, on the other side of the wire"
        )]
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .user_agent("TwilioProxy/1.1")
            .build()
            .map_err(Error::Client)?;
        Ok(Self { database, client, wake: Arc::default(), slots: Arc::new(Semaphore::new(SLOTS)) })
    }

    /// There may be something new to carry.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Until the simulator stops.
    pub async fn run(self) {
        let mut under_way = JoinSet::new();
        loop {
            let now = clock::wall_ms();
            let taken = self.database.call(move |state| callback::take(state, now, SLOTS)).await;
            let (due, next) = match taken {
                Ok(taken) => taken,
                Err(Error::Stopped) => return,
                Err(error) => {
                    tracing::warn!(%error, "callbacks cannot be read");
                    (Vec::new(), None)
                }
            };
            if due.is_empty() {
                let nap = next.map_or(NAP_MS, |next| (next - now).clamp(1, NAP_MS));
                tokio::select! {
                    () = self.wake.notified() => {}
                    () = clock::wait_ms(nap.unsigned_abs()) => {}
                }
            }
            for due in due {
                let courier = self.clone();
                let Ok(slot) = self.slots.clone().acquire_owned().await else {
                    return;
                };
                under_way.spawn(async move {
                    if let Err(error) = courier.deliver(&due).await {
                        tracing::warn!(%error, callback = due.id, "a callback's answer is not kept");
                    }
                    drop(slot);
                });
            }
            while under_way.try_join_next().is_some() {}
        }
    }

    /// Tries once each callback that waits, whatever its time; how many were tried.
    pub async fn flush(&self) -> Result<usize> {
        let mut tried = HashSet::new();
        loop {
            let seen = tried.clone();
            let due = self.database.call(move |state| callback::take_all(state, &seen)).await?;
            if due.is_empty() {
                return Ok(tried.len());
            }
            tried.extend(due.iter().map(|due| due.id));
            let mut under_way = JoinSet::new();
            for due in due {
                let courier = self.clone();
                under_way.spawn(async move {
                    let _slot = courier.slots.clone().acquire_owned().await;
                    courier.deliver(&due).await
                });
            }
            while let Some(ended) = under_way.join_next().await {
                if let Ok(outcome) = ended {
                    outcome?;
                }
            }
        }
    }

    /// One attempt.
    pub async fn deliver(&self, due: &Due) -> Result<Carried> {
        let carried = match self.post(due).await {
            Ok(carried) => carried,
            Err(problem) => Carried::Unreachable { problem },
        };
        let (due, kept) = (due.clone(), carried.clone());
        let now = clock::wall_ms();
        self.database.call(move |state| callback::record(state, &due, &kept, now)).await?;
        self.wake();
        Ok(carried)
    }

    async fn post(&self, due: &Due) -> Result<Carried, String> {
        let request = self.client.post(&due.url);
        let request = match due.kind {
            Kind::Status | Kind::Inbound => {
                let pairs: Vec<(String, String)> = serde_json::from_str(&due.content)
                    .map_err(|error| format!("stored fields: {error}"))?;
                let token = due
                    .token
                    .as_deref()
                    .ok_or("the account's auth token is not known: set it by POST /sim/accounts")?;
                let token = if due.wrong_signature { "not the auth token" } else { token };
                let body =
                    form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
                request
                    .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
                    .header("X-Twilio-Signature", signature::sign(token, &due.url, &pairs))
                    .body(body)
            }
            Kind::Report => {
                request.header("Content-Type", "application/json").body(due.content.clone())
            }
        };
        let response = request.send().await.map_err(|error| causes(&error))?;
        let status = response.status().as_u16();
        let body = response.text().await.unwrap_or_default();
        Ok(Carried::Answered { status, body: body.chars().take(KEPT).collect() })
    }
}

/// The whole chain, because the outermost only says that a request failed. Without the address,
/// which may be a secret.
fn causes(error: &reqwest::Error) -> String {
    let mut text = String::from("no answer");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
