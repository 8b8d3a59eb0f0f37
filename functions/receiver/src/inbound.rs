//! A person wrote. The words come first: an opt-out is stored before the
//! message that says it, so that no send begun after this call slips between.

use carillon_domain::consent::{Consent, ConsentStatus};
use carillon_domain::keywords::{Keyword, Match};
use carillon_domain::message::{
    Content, Decision, DecisionKind, Direction, Message, Source, State, SuppressionReason,
};
use carillon_domain::receipt::InboundMessage;
use carillon_domain::segments;
use carillon_domain::{Lane, MessageId, OrgId, Purpose};
use carillon_runtime::{Context, random};
use carillon_store::{Suppression, TimelineEntry};
use jiff::Timestamp;

use crate::{ReceiveError, answer, replies};

/// Characters of a message that are kept with a consent.
const MOST_WORDS: usize = 500;

/// `now` is when the webhook took it: the order in which the person wrote.
pub async fn apply(
    ctx: &Context,
    org: OrgId,
    inbound: InboundMessage,
    now: Timestamp,
) -> Result<(), ReceiveError> {
    let address = ctx.address_key(org, &inbound.from).await?;
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let cause = [
        b"inbound".as_slice(),
        inbound.provider.as_str().as_bytes(),
        inbound.provider_message_id.as_bytes(),
    ];
    // A webhook that the provider repeats comes under the same provider id and
    // meets the message that came first.
    let first = MessageId::new(address, millis, &cause);
    let pid = &inbound.provider_message_id;
    let id = ctx.store.take_provider_id(org, inbound.provider, pid, first).await?;
    if ctx.store.message(org, id).await?.is_some() {
        return Ok(());
    }
    let at = i64::try_from(id.at_ms()).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = at.unwrap_or(now);
    let found = inbound.said();
    // Who reads the words for us has answered them, too.
    let is_answered = inbound.keyword.is_some();
    let mut message = received(org, id, inbound, at);
    match found.and_then(Match::keyword) {
        Some(Keyword::Stop) => {
            let is_first = answer::is_first_stop(ctx, &message).await?;
            let suppression = Suppression {
                address: message.address.clone(),
                channel: message.channel,
                reason: SuppressionReason::StopKeyword,
                words: Some(message.content.body.clone()),
                source_message_id: Some(id.to_string()),
                at,
                by: "person".to_owned(),
            };
            ctx.store.suppress(org, address, &suppression).await?;
            let detail = "stop word: no more messages to this number".to_owned();
            decide(&mut message, DecisionKind::Suppressed, "stop_keyword", detail);
            ctx.counters.add("opt_outs", 1);
            if is_first && !is_answered {
                answer::stop(ctx, &message, now).await?;
            }
        }
        Some(Keyword::Start) => {
            ctx.store.lift_suppression(org, address, message.channel, at).await?;
            grant_again(ctx, org, &message, at).await?;
        }
        Some(Keyword::Help) if is_answered => {}
        Some(Keyword::Help) => answer::help(ctx, &message, now).await?,
        None => replies::note(ctx, &message).await?,
    }
    if found == Some(Match::Ambiguous) {
        let revoked = said(&message, ConsentStatus::Revoked, at);
        ctx.store.put_consent(org, address, &message.address, &revoked).await?;
        let detail = "may be an opt-out; no promotional messages to this number until a person \
                      has read it and recorded a consent"
            .to_owned();
        decide(&mut message, DecisionKind::Hold, "ambiguous_keyword", detail);
    }
    ctx.store.note_in_timeline(org, at, TimelineEntry::Message(id), at).await?;
    ctx.store.insert_message(&message).await?;
    Ok(())
}

/// The person's own words about promotional messages.
fn said(m: &Message, status: ConsentStatus, at: Timestamp) -> Consent {
    Consent {
        channel: m.channel,
        purpose: Purpose::Promotional,
        status,
        at,
        source: "message".to_owned(),
        text: m.content.body.chars().take(MOST_WORDS).collect(),
    }
}

/// Who asks for messages again takes back what they had revoked; it grants
/// nothing that was not there.
async fn grant_again(
    ctx: &Context,
    org: OrgId,
    m: &Message,
    at: Timestamp,
) -> Result<(), ReceiveError> {
    let address = m.id.address();
    let known = ctx.store.gates_of(org, address, m.channel).await?.consents;
    let revoked = |c: &Consent| {
        c.purpose == Purpose::Promotional && c.status == ConsentStatus::Revoked && c.at < at
    };
    if known.iter().any(revoked) {
        let granted = said(m, ConsentStatus::Granted, at);
        ctx.store.put_consent(org, address, &m.address, &granted).await?;
    }
    Ok(())
}

fn decide(m: &mut Message, kind: DecisionKind, reason: &str, detail: String) {
    let at = m.created_at;
    m.decisions.push(Decision { at, kind, reason: reason.to_owned(), until: None, detail });
}

fn received(org: OrgId, id: MessageId, inbound: InboundMessage, at: Timestamp) -> Message {
    let counted = segments::count(&inbound.body);
    Message {
        id,
        org,
        direction: Direction::Inbound,
        channel: inbound.provider.channel(),
        address: inbound.from,
        our_address: Some(inbound.to),
        state: State::Received,
        content: Content {
            body: inbound.body,
            encoding: Some(counted.encoding),
            segments: counted.segments,
            media: inbound.media,
            ..Content::default()
        },
        purpose: Purpose::Transactional,
        lane: Lane::Transactional,
        source: Source::Person,
        related: None,
        contact: None,
        zone: None,
        campaign: None,
        integration: None,
        provider: Some(inbound.provider),
        provider_message_id: Some(inbound.provider_message_id),
        price: None,
        scheduled_for: at,
        expires_at: None,
        override_quiet_hours: false,
        created_by: "person".to_owned(),
        created_at: at,
        updated_at: at,
        sent_at: None,
        erased_at: None,
        attempts: Vec::new(),
        events: Vec::new(),
        decisions: Vec::new(),
        due: None,
        generation: 0,
        version: 1,
        token: random::token(),
        idle: 0,
    }
}
