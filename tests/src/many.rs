//! As many messages and contacts as one asks for, written below the API by the store and taken in some thousands at
//! a time: for what is measured among a million.

use carillon_domain::{AddressSecret, Contact, ContactId, PhoneNumber};
use carillon_local::Stack;
use carillon_local::engines::SequenceNumber;
use carillon_local::stack::TABLE;
use carillon_store::{Store, TimelineEntry};
use jiff::SignedDuration;
use serde_json::json;

use crate::gathering::Gathered;
use crate::seed;

/// Messages or contacts whose rows are taken in together.
const AT_ONCE: usize = 5_000;
/// Seconds of thirty days.
const MONTH: usize = 2_592_000;

/// The `n`-th of a hundred million mobile numbers.
#[must_use]
pub fn phone(n: usize) -> String {
    format!("+614{:08}", 10_000_000 + n)
}

/// Names as people have them: a few hundred of first and last ones, and a number.
#[must_use]
pub fn name(n: usize) -> String {
    const FIRST: [&str; 16] = [
        "Ada", "Bela", "Chen", "Dara", "Emil", "Femi", "Gita", "Hana", "Ivan", "Jun", "Kofi",
        "Lena", "Mira", "Nils", "Omar", "Priya",
    ];
    const LAST: [&str; 16] = [
        "Lovelace", "Okafor", "Singh", "Nguyen", "Garcia", "Smith", "Kim", "Haddad", "Novak",
        "Rossi", "Silva", "Dubois", "Meyer", "Sato", "Patel", "Cohen",
    ];
    format!("{} {} {}", FIRST[n % 16], LAST[n / 16 % 16], n / 256)
}

/// Scheduled over the month that begins in two days, each in the time line too.
///
/// # Panics
/// When the table does not take one.
pub async fn messages(stack: &Stack, from: usize, until: usize) {
    let secret = stack.ctx.address_secret().await.expect("a secret");
    each(stack, from, until, async |store, n| message(stack, &store, &secret, n).await).await;
}

async fn message(stack: &Stack, store: &Store, secret: &AddressSecret, n: usize) {
    let now = stack.ctx.clock.now();
    let after = i64::try_from(n % MONTH).expect("a number");
    let at = now + SignedDuration::from_hours(48) + SignedDuration::from_secs(after);
    let message = seed::scheduled(secret, stack.org, n, now, at);
    let entry = TimelineEntry::Message(message.id);
    store.note_in_timeline(stack.org, now, entry, at).await.expect("the table takes it");
    store.insert_message(&message).await.expect("the table takes it");
}

/// Each with a name, a number and an address, every tenth with a label.
///
/// # Panics
/// When the table does not take one.
pub async fn contacts(stack: &Stack, from: usize, until: usize) {
    let secret = stack.ctx.address_secret().await.expect("a secret");
    each(stack, from, until, async |store, n| contact(stack, &store, &secret, n).await).await;
}

async fn contact(stack: &Stack, store: &Store, secret: &AddressSecret, n: usize) {
    let id = ContactId::from_hash(&[b"full", &n.to_be_bytes()]);
    let mut contact = Contact::new(id, stack.org, "key_1", stack.ctx.clock.now());
    contact.name = Some(name(n));
    contact.phone = PhoneNumber::parse(&phone(n), None).ok();
    contact.email = Some(format!("p{n}@example.com"));
    if n.is_multiple_of(10) {
        contact.labels = vec!["vip".to_owned()];
    }
    store.save_contact(secret, None, &mut contact, "full").await.expect("taken");
}

/// All of a range, some thousands in one go.
async fn each(stack: &Stack, from: usize, until: usize, write: impl AsyncFn(Store, usize)) {
    let gathered = Gathered::default();
    let store = gathered.store(stack);
    for begin in (from..until).step_by(AT_ONCE) {
        for n in begin..(begin + AT_ONCE).min(until) {
            write(store.clone(), n).await;
        }
        gathered.take_in(stack).await;
    }
}

/// Cuts off all of the table's stream but its newest record.
///
/// # Panics
/// When the engine does not answer.
pub async fn trim(stack: &Stack) {
    let end: SequenceNumber =
        serde_json::from_value(json!("100009999999999999999")).expect("a number");
    stack.engines.tables().trim_stream(TABLE, end).await.expect("it is cut");
}
