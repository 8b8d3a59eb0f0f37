//! What a run goes by: settings, accounts and limits. Read again every few
//! seconds, so that a switch that somebody turns counts within a run too.

use std::sync::Arc;

use carillon_domain::ledger::Limits;
use carillon_domain::settings::Settings;
use carillon_domain::{Message, OrgId, PhoneNumber, ProviderName};
use carillon_runtime::Context;
use carillon_runtime::accounts::Accounts;
use carillon_store::OrganizationStatus;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::SendError;

/// A switch that was turned counts for every claim later than this.
const COUNT_FOR: SignedDuration = SignedDuration::from_secs(5);

#[derive(Debug)]
pub struct Terms {
    pub settings: Settings,
    /// Nothing of it is sent until somebody lifts that.
    pub suspended: bool,
    pub accounts: Accounts,
    pub limits: Limits,
    read_at: Timestamp,
}

impl Terms {
    async fn read(ctx: &Context, org: OrgId) -> Result<Self, SendError> {
        let read_at = ctx.clock.now();
        let (accounts, settings, organization) =
            futures::join!(ctx.accounts(org), ctx.store.settings(org), ctx.store.organization(org));
        let settings = settings?;
        let suspended = organization?.is_some_and(|o| o.status == OrganizationStatus::Suspended);
        let limits = Limits::of(&settings);
        Ok(Self { accounts: accounts?, limits, settings, suspended, read_at })
    }

    /// The account that comes first for this message.
    pub fn first_account(&self, message: &Message) -> Option<ProviderName> {
        let to = PhoneNumber::parse(&message.address, None).ok()?;
        let mut serving = self.accounts.serving(message.channel, &to, message.integration);
        serving.next().map(|(name, _)| name)
    }
}

/// The terms as they were read last.
pub struct Current(Mutex<Arc<Terms>>);

impl Current {
    pub async fn new(ctx: &Context, org: OrgId) -> Result<Self, SendError> {
        Ok(Self(Mutex::new(Arc::new(Terms::read(ctx, org).await?))))
    }

    pub async fn get(&self, ctx: &Context, org: OrgId) -> Result<Arc<Terms>, SendError> {
        let mut current = self.0.lock().await;
        if ctx.clock.now() >= current.read_at + COUNT_FOR {
            *current = Arc::new(Terms::read(ctx, org).await?);
        }
        Ok(Arc::clone(&current))
    }
}
