//! Messages as the API and the planner put them, for what begins below the API.

use carillon_domain::message::{Content, Direction, Message, Source, State};
use carillon_domain::segments::Encoding;
use carillon_domain::{AddressKey, AddressSecret, Channel, Lane, MessageId, OrgId, Purpose};
use jiff::Timestamp;

/// A single send to the `n`-th of a million numbers, which waits by itself until `at`. Its row is as long as
/// they usually are.
#[must_use]
pub fn scheduled(
    secret: &AddressSecret,
    org: OrgId,
    n: usize,
    now: Timestamp,
    at: Timestamp,
) -> Message {
    let address = format!("+61412{n:06}");
    let key = AddressKey::new(secret, org, &address);
    let created = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let body =
        "Hi Ada Lovelace, your class with Grace Hopper begins at 7:30 PM. Reply STOP to opt out.";
    Message {
        id: MessageId::new(key, created, &[b"seed", address.as_bytes()]),
        org,
        direction: Direction::Outbound,
        channel: Channel::Sms,
        address,
        our_address: None,
        state: State::Scheduled,
        content: Content {
            body: body.to_owned(),
            encoding: Some(Encoding::Gsm7),
            segments: 1,
            ..Content::default()
        },
        purpose: Purpose::Transactional,
        lane: Lane::Transactional,
        source: Source::Single,
        related: None,
        contact: None,
        zone: None,
        campaign: None,
        integration: None,
        provider: None,
        provider_message_id: None,
        price: None,
        scheduled_for: at,
        expires_at: None,
        override_quiet_hours: false,
        created_by: "seed".to_owned(),
        created_at: now,
        updated_at: now,
        sent_at: None,
        erased_at: None,
        attempts: Vec::new(),
        events: Vec::new(),
        decisions: Vec::new(),
        due: Some(at),
        generation: 0,
        version: 1,
        token: "seed".to_owned(),
        idle: 0,
    }
}
