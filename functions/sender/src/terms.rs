//! What a run goes by: settings, accounts and limits. Read again every few
//! seconds, so that a switch that somebody turns counts within a run too.

use std::sync::Arc;

use carillon_domain::campaign::Standing;
use carillon_domain::import::StepOf;
use carillon_domain::ledger::Limits;
use carillon_domain::message::Source;
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
    /// Of the campaign that the messages belong to.
    pub standing: Standing,
    read_at: Timestamp,
}

impl Terms {
    async fn read(ctx: &Context, org: OrgId, of: Option<&StepOf>) -> Result<Self, SendError> {
        let read_at = ctx.clock.now();
        let (accounts, settings, organization, standing) = futures::join!(
            ctx.accounts(org),
            ctx.store.settings(org),
            ctx.store.organization(org),
            standing(ctx, org, of),
        );
        let standing = standing?;
        let settings = settings?;
        let suspended = organization?.is_some_and(|o| o.status == OrganizationStatus::Suspended);
        let limits = Limits::of(&settings);
        Ok(Self { accounts: accounts?, limits, settings, suspended, standing, read_at })
    }

    /// The account that comes first for this message.
    pub fn first_account(&self, message: &Message) -> Option<ProviderName> {
        let to = PhoneNumber::parse(&message.address, None).ok()?;
        let mut serving = self.accounts.serving(message.channel, &to, message.integration);
        serving.next().map(|(name, _)| name)
    }
}

/// As of now: whether the campaign goes on, and whether the workshop is still
/// where it was when these messages were planned.
async fn standing(ctx: &Context, org: OrgId, of: Option<&StepOf>) -> Result<Standing, SendError> {
    let Some(of) = of else { return Ok(Standing::Go) };
    let found = ctx.store.campaign_and_workshop(org, of.campaign, of.workshop).await?;
    Ok(Standing::of(of, found.0.as_ref(), found.1.as_ref()))
}

/// The step that messages of one run are of; none of a file or by themselves.
pub async fn step_of(ctx: &Context, messages: &[Message]) -> Result<Option<StepOf>, SendError> {
    let Some(m) = messages.iter().find(|m| m.campaign.is_some()) else { return Ok(None) };
    let Source::Import { id, .. } = m.source else { return Ok(None) };
    let import = ctx.store.import(m.org, id).await?.ok_or(SendError::Gone)?;
    Ok(import.step().copied())
}

/// The terms as they were read last.
pub struct Current {
    of: Option<StepOf>,
    read: Mutex<Arc<Terms>>,
}

impl Current {
    pub async fn new(ctx: &Context, org: OrgId, of: Option<StepOf>) -> Result<Self, SendError> {
        let read = Mutex::new(Arc::new(Terms::read(ctx, org, of.as_ref()).await?));
        Ok(Self { of, read })
    }

    pub async fn get(&self, ctx: &Context, org: OrgId) -> Result<Arc<Terms>, SendError> {
        let mut current = self.read.lock().await;
        if ctx.clock.now() >= current.read_at + COUNT_FOR {
            *current = Arc::new(Terms::read(ctx, org, self.of.as_ref()).await?);
        }
        Ok(Arc::clone(&current))
    }
}
