//! Asking the provider what became of an attempt: every account that may have
//! made the call is asked, the one of today and those before it. That none of
//! them has the message lets it be sent again, so all must have answered.

use std::time::Duration;

use carillon_domain::message::{Message, State};
use carillon_domain::{PhoneNumber, ProviderName};
use carillon_providers::{Account, Candidate, LookUp, Probe, provider};
use carillon_store::{Integration, StoreError};
use jiff::{SignedDuration, Timestamp};

use crate::{Run, SendError};

/// Other messages to the same number that are looked at.
const NEIGHBOURS: i32 = 50;
/// A run goes by accounts that it read seconds ago: an attempt that began this
/// near to a change may have been made by either.
const EITHER: SignedDuration = SignedDuration::from_secs(60);

/// What the provider knows of an attempt.
pub enum Finding {
    Found {
        candidate: Candidate,
        /// Which of them has it.
        account: Box<Account>,
    },
    NotFound,
    /// Ask again later.
    Later,
    /// Nobody can be asked, now or later; why, for people.
    CannotAsk(&'static str),
}

/// What one account's list says.
enum Choice {
    Ours(Candidate),
    None,
    Later,
}

/// Asks about the last attempt of an Unknown message.
pub async fn ask(run: &Run<'_>, message: &Message) -> Result<Finding, SendError> {
    let Some(name) = message.provider else {
        return Ok(Finding::CannotAsk("no attempt names a provider"));
    };
    let integration = run.ctx.store.integration(run.org, name).await?;
    let Some(integration) = integration.filter(|i| i.enabled) else {
        return Ok(Finding::CannotAsk("the integration is gone or disabled"));
    };
    if !integration.settings.look_up {
        return Ok(Finding::CannotAsk("look-up is switched off for this integration"));
    }
    let to = PhoneNumber::parse(&message.address, None).map_err(|_| SendError::Address)?;
    let started = message.attempts.last().map_or(message.created_at, |a| a.started_at);
    let probe = Probe { to, body: message.content.body.clone(), since: started };
    let callers = callers(run, integration, started).await?;
    if callers.is_empty() {
        return Ok(Finding::CannotAsk(
            "the account was replaced since, and the one before it is forgotten",
        ));
    }
    let mut all_answered = true;
    for caller in callers {
        let account = run.ctx.account(&caller).await?;
        let Some(choice) = look_up(run, message, name, &account, &probe).await? else {
            return Ok(Finding::CannotAsk("this provider keeps no list that can be asked"));
        };
        match choice {
            Choice::Ours(candidate) => {
                return Ok(Finding::Found { candidate, account: Box::new(account) });
            }
            Choice::None => {}
            Choice::Later => all_answered = false,
        }
    }
    Ok(if all_answered { Finding::NotFound } else { Finding::Later })
}

/// The accounts that may have made a call that began at `started`, each once
/// and as it was last. Empty when one of them is not known any more.
async fn callers(
    run: &Run<'_>,
    current: Integration,
    started: Timestamp,
) -> Result<Vec<Integration>, StoreError> {
    let now = run.ctx.clock.now();
    let mut callers: Vec<Integration> = Vec::new();
    let first = current.created_at;
    // From when on all that may have called are known.
    let mut known_since = current.account_since;
    let formers = match known_since + EITHER > started {
        true => run.ctx.store.formers(run.org, current.provider, now).await?,
        false => Vec::new(),
    };
    if current.account_since <= started + EITHER {
        callers.push(current);
    }
    for former in formers {
        let was = former.integration;
        // Rows are from the latest on; a gap is an account that is forgotten.
        if former.replaced_at < known_since {
            break;
        }
        known_since = known_since.min(was.account_since);
        let is_in_time =
            was.account_since <= started + EITHER && started <= former.replaced_at + EITHER;
        if is_in_time && callers.iter().all(|known| known.account != was.account) {
            callers.push(was);
        }
    }
    // All of them are asked, or nobody is.
    if known_since > first && known_since + EITHER > started {
        callers.clear();
    }
    Ok(callers)
}

/// One account's word; `None` where it keeps no list.
async fn look_up(
    run: &Run<'_>,
    message: &Message,
    name: ProviderName,
    account: &Account,
    probe: &Probe,
) -> Result<Option<Choice>, SendError> {
    let Some(request) = provider(name).look_up_request(account, probe) else {
        return Ok(None);
    };
    let timeout = Duration::from_secs(run.ctx.config.tuning.call_seconds.into());
    let Ok(answer) = run.ctx.providers.call(request, timeout).await else {
        return Ok(Some(Choice::Later));
    };
    match provider(name).read_look_up(&answer, probe) {
        LookUp::Failed(failure) => {
            tracing::warn!(code = failure.code, "look-up failed");
            Ok(Some(Choice::Later))
        }
        LookUp::Read(candidates) => {
            let neighbours = neighbours(run, message).await?;
            choose(run, message, candidates, &neighbours).await.map(Some)
        }
    }
}

/// Other messages to the same number: what the provider lists may be theirs.
async fn neighbours(run: &Run<'_>, message: &Message) -> Result<Vec<Message>, StoreError> {
    let address = message.id.address();
    let mut ids = run.ctx.store.messages_with(run.org, address, None, NEIGHBOURS).await?;
    ids.retain(|id| *id != message.id);
    run.ctx.store.messages(run.org, &ids, true, true).await
}

async fn choose(
    run: &Run<'_>,
    message: &Message,
    candidates: Vec<Candidate>,
    neighbours: &[Message],
) -> Result<Choice, SendError> {
    let State::Unknown { attempt, .. } = message.state else { return Ok(Choice::None) };
    let taken = |id: &str| {
        let ours = message.attempts.iter().filter(|a| a.number != attempt);
        ours.filter_map(|a| a.provider_message_id.as_deref()).any(|own| own == id)
            || neighbours.iter().any(|n| {
                n.provider_message_id.as_deref() == Some(id)
                    || n.attempts.iter().any(|a| a.provider_message_id.as_deref() == Some(id))
            })
    };
    let mut free: Vec<Candidate> =
        candidates.into_iter().filter(|c| !taken(&c.provider_message_id)).collect();
    if free.is_empty() {
        return Ok(Choice::None);
    }
    // A neighbour with the same text whose answer is still on its way may own
    // what we found.
    let in_flight = neighbours.iter().any(|n| {
        matches!(n.state, State::Sending { .. }) && n.content.body == message.content.body
    });
    if in_flight {
        return Ok(Choice::Later);
    }
    free.sort_by_key(|c| c.created_at);
    let Some(name) = message.provider else { return Ok(Choice::None) };
    for candidate in free {
        let id = &candidate.provider_message_id;
        if run.ctx.store.take_provider_id(run.org, name, id, message.id).await? == message.id {
            return Ok(Choice::Ours(candidate));
        }
    }
    Ok(Choice::None)
}
