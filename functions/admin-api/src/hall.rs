//! What all doors of one instance know together: who failed to get in, who was
//! let in and from where, what each may still ask. Lost with the instance, and
//! nothing is wrong then.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, StatusCode, header};
use carillon_domain::ids;
use carillon_runtime::Context;

use crate::allowance::Allowances;
use crate::auth::{self, Caller};
use crate::client;
use crate::problem::Problem;
use crate::strangers::Strangers;

/// Remembered at most; then all are forgotten.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub struct Hall {
    strangers: Strangers,
    pub allowances: Allowances,
    /// Hashes of credentials that opened, lately.
    let_in: Names,
    /// Callers and networks whose meeting is in the table.
    pub seen: Names,
}

/// A bounded set.
#[derive(Debug, Default)]
pub struct Names(Mutex<HashSet<String>>);

impl Names {
    pub fn has(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    pub fn add(&self, name: String) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MOST {
            names.clear();
        }
        names.insert(name);
    }
}

impl Hall {
    /// Who calls, in his own organization.
    ///
    /// # Errors
    /// 401 for a credential that does not open, 429 when too many of this
    /// address did not. One that opened before is looked at all the same: who
    /// guesses behind the same address does not shut it out.
    pub async fn caller(
        &self,
        ctx: &Context,
        headers: &HeaderMap,
        client: Option<IpAddr>,
    ) -> Result<Caller, Problem> {
        let now = ctx.clock.now();
        let network = client.map(client::network);
        let credential = headers.get(header::AUTHORIZATION).map_or(&b""[..], |v| v.as_bytes());
        let credential = ids::encode(&ids::hash(&[credential]));
        if let Some(network) = network
            && let Some(wait) = self.strangers.wait(network, ctx.config.failed_keys_per_minute, now)
            && !self.let_in.has(&credential)
        {
            let detail = "Too many keys that nobody knows came from this address; wait.";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_failures", detail);
            return Err(problem.after(wait));
        }
        let caller = auth::caller(ctx, headers).await;
        match (&caller, network) {
            (Ok(_), _) => self.let_in.add(credential),
            (Err(problem), Some(network)) if problem.status() == StatusCode::UNAUTHORIZED => {
                self.strangers.failed(network, now);
            }
            (Err(_), _) => {}
        }
        caller
    }
}
