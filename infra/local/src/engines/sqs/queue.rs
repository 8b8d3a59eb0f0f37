//! One queue: what is ready, delayed and in flight at a given time. Pure: the time is an argument,
//! in milliseconds.
//!
//! Groups are served as in SQS's fair queues: next comes a message of the group with the fewest
//! messages in flight, among equals of the group that waited longest; inside a group the oldest. A
//! busy organization so delays itself, not others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::settings::Settings;

/// Milliseconds since 1970.
pub(super) type Millis = i64;

/// What the sender gave.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub id: String,
    pub body: String,
    pub body_md5: String,
    pub attributes: Map<String, Value>,
    pub attributes_md5: Option<String>,
    pub group: Option<Arc<str>>,
    pub sent_at: Millis,
    pub first_received_at: Option<Millis>,
    pub receives: u32,
    /// ARN of the queue this dead letter came from.
    pub dead_letter_source: Option<String>,
    /// The journal has it until it is deleted, on whatever queue.
    pub kept: bool,
}

/// A message handed out, with the number its receipt names.
#[derive(Debug)]
pub(super) struct Delivery {
    pub number: u64,
    pub message: Message,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Ready,
    Delayed(Millis),
    InFlight(Millis),
}

#[derive(Debug)]
struct Entry {
    message: Message,
    place: Place,
}

#[derive(Debug, Default)]
struct Group {
    ready: BTreeSet<u64>,
    in_flight: usize,
    /// When it was served last, as a count of services.
    served: u64,
}

type GroupKey = Option<Arc<str>>;

#[derive(Debug)]
pub(super) struct Queue {
    pub settings: Settings,
    pub created_at: Millis,
    /// By number, which grows with each message.
    entries: BTreeMap<u64, Entry>,
    /// Delayed or in flight, by the time that ends.
    waiting: BTreeSet<(Millis, u64)>,
    groups: HashMap<GroupKey, Group>,
    /// Groups with something ready, next to be served first.
    turn: BTreeSet<(usize, u64, GroupKey)>,
    numbers: u64,
    services: u64,
}

/// Messages of a queue by where they are. Dead letters count in their own queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    pub visible: usize,
    pub in_flight: usize,
    pub delayed: usize,
}

impl Queue {
    pub fn new(settings: Settings, created_at: Millis) -> Self {
        Self {
            settings,
            created_at,
            entries: BTreeMap::new(),
            waiting: BTreeSet::new(),
            groups: HashMap::new(),
            turn: BTreeSet::new(),
            numbers: 0,
            services: 0,
        }
    }

    pub fn send(&mut self, message: Message, now: Millis, delay: Millis) {
        self.numbers += 1;
        let number = self.numbers;
        self.entries.insert(number, Entry { message, place: Place::Ready });
        if delay > 0 {
            self.put(number, Place::Delayed(now + delay));
        } else {
            self.group(number, |group| group.ready.insert(number));
        }
    }

    /// Takes up to `max` messages for `visibility`. A message that was received as often as
    /// `redrive_after` allows goes to `dead` instead; without `redrive_after` none does.
    pub fn receive(
        &mut self,
        now: Millis,
        max: usize,
        visibility: Millis,
        redrive_after: Option<u32>,
        dead: &mut Vec<Message>,
    ) -> Vec<Delivery> {
        self.advance(now);
        let mut taken = Vec::new();
        while taken.len() < max {
            let Some(number) = self.next_ready() else { break };
            let Some(entry) = self.entries.get_mut(&number) else { break };
            if redrive_after.is_some_and(|limit| entry.message.receives >= limit) {
                dead.extend(self.remove(number));
                continue;
            }
            entry.message.receives += 1;
            entry.message.first_received_at.get_or_insert(now);
            taken.push(Delivery { number, message: entry.message.clone() });
            self.services += 1;
            let services = self.services;
            self.group(number, |group| group.served = services);
            self.put(number, Place::InFlight(now + visibility));
        }
        // What was taken for zero seconds is back at once, but not twice in one answer.
        self.advance(now);
        taken
    }

    /// Deletes the message when `receive` is its latest receipt, also if it has become visible
    /// again. Gives what was deleted.
    pub fn delete(&mut self, number: u64, receive: u32) -> Option<Message> {
        let entry = self.entries.get(&number)?;
        if entry.message.receives == receive { self.remove(number) } else { None }
    }

    /// The ids of the messages the journal has.
    pub fn kept(&self) -> impl Iterator<Item = String> {
        let messages = self.entries.values().map(|entry| &entry.message);
        messages.filter(|message| message.kept).map(|message| message.id.clone())
    }

    /// False when the message is not in flight under this receipt.
    pub fn change_visibility(
        &mut self,
        number: u64,
        receive: u32,
        now: Millis,
        visibility: Millis,
    ) -> bool {
        self.advance(now);
        let held = self.entries.get(&number).is_some_and(|entry| {
            entry.message.receives == receive && matches!(entry.place, Place::InFlight(_))
        });
        if held {
            self.put(number, Place::InFlight(now + visibility));
            self.advance(now);
        }
        held
    }

    pub fn contains(&self, number: u64) -> bool {
        self.entries.contains_key(&number)
    }

    pub fn purge(&mut self) {
        let (numbers, services) = (self.numbers, self.services);
        *self = Self { numbers, services, ..Self::new(self.settings.clone(), self.created_at) };
    }

    pub fn depth(&mut self, now: Millis) -> Depth {
        self.advance(now);
        let mut depth = Depth::default();
        for group in self.groups.values() {
            depth.visible += group.ready.len();
            depth.in_flight += group.in_flight;
        }
        depth.delayed = self.entries.len() - depth.visible - depth.in_flight;
        depth
    }

    /// When the next delayed or in-flight message becomes visible.
    pub fn next_change(&self) -> Option<Millis> {
        self.waiting.first().map(|(at, _)| *at)
    }

    /// Makes ready what has waited long enough, and forgets what is older than the retention
    /// period.
    fn advance(&mut self, now: Millis) {
        while let Some(&(at, number)) = self.waiting.first()
            && at <= now
        {
            self.put(number, Place::Ready);
        }
        while let Some((&number, entry)) = self.entries.first_key_value()
            && entry.message.sent_at + self.settings.retention <= now
        {
            self.remove(number);
        }
    }

    fn next_ready(&self) -> Option<u64> {
        let (_, _, key) = self.turn.first()?;
        self.groups.get(key)?.ready.first().copied()
    }

    /// Moves an entry to another place; the only way one changes.
    fn put(&mut self, number: u64, place: Place) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        let old = std::mem::replace(&mut entry.place, place);
        if let Place::Delayed(at) | Place::InFlight(at) = old {
            self.waiting.remove(&(at, number));
        }
        if let Place::Delayed(at) | Place::InFlight(at) = place {
            self.waiting.insert((at, number));
        }
        self.group(number, |group| {
            match old {
                Place::Ready => drop(group.ready.remove(&number)),
                Place::InFlight(_) => group.in_flight -= 1,
                Place::Delayed(_) => {}
            }
            match place {
                Place::Ready => drop(group.ready.insert(number)),
                Place::InFlight(_) => group.in_flight += 1,
                Place::Delayed(_) => {}
            }
        });
    }

    fn remove(&mut self, number: u64) -> Option<Message> {
        // Delayed entries belong to no count of their group, so this takes the entry out of all of
        // them.
        self.put(number, Place::Delayed(Millis::MAX));
        self.waiting.remove(&(Millis::MAX, number));
        self.entries.remove(&number).map(|entry| entry.message)
    }

    /// Changes the group of a message and its turn with it. An empty group is forgotten.
    fn group<T>(&mut self, number: u64, change: impl FnOnce(&mut Group) -> T) {
        let Some(entry) = self.entries.get(&number) else { return };
        let key = entry.message.group.clone();
        let group = self.groups.entry(key.clone()).or_default();
        self.turn.remove(&(group.in_flight, group.served, key.clone()));
        change(group);
        if !group.ready.is_empty() {
            self.turn.insert((group.in_flight, group.served, key));
        } else if group.in_flight == 0 {
            self.groups.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, group: &str) -> Message {
        Message {
            id: id.into(),
            body: id.into(),
            body_md5: String::new(),
            attributes: Map::new(),
            attributes_md5: None,
            group: (!group.is_empty()).then(|| group.into()),
            sent_at: 0,
            first_received_at: None,
            receives: 0,
            dead_letter_source: None,
            kept: false,
        }
    }

    fn ids(deliveries: &[Delivery]) -> Vec<&str> {
        deliveries.iter().map(|delivery| delivery.message.id.as_str()).collect()
    }

    fn receive(queue: &mut Queue, now: Millis, max: usize) -> Vec<Delivery> {
        queue.receive(now, max, 30_000, None, &mut Vec::new())
    }

    #[test]
    fn a_group_with_much_in_flight_waits_for_the_others() {
        let mut queue = Queue::new(Settings::default(), 0);
        for number in 0..100 {
            queue.send(message(&format!("busy{number}"), "busy"), 0, 0);
        }
        assert_eq!(receive(&mut queue, 0, 10).len(), 10);
        queue.send(message("a0", "a"), 1, 0);
        queue.send(message("a1", "a"), 1, 0);
        queue.send(message("b0", "b"), 1, 0);
        assert_eq!(ids(&receive(&mut queue, 1, 4)), ["a0", "b0", "a1", "busy10"]);
    }

    #[test]
    fn equal_groups_take_turns_and_keep_their_order() {
        let mut queue = Queue::new(Settings::default(), 0);
        for (id, group) in
            [("a0", "a"), ("a1", "a"), ("b0", "b"), ("n0", ""), ("n1", ""), ("b1", "b")]
        {
            queue.send(message(id, group), 0, 0);
        }
        let mut order =
            receive(&mut queue, 0, 6).iter().map(|d| d.message.id.clone()).collect::<Vec<_>>();
        assert_eq!(order[..3].iter().filter(|id| id.ends_with('0')).count(), 3, "{order:?}");
        order.sort();
        assert_eq!(order, ["a0", "a1", "b0", "b1", "n0", "n1"]);
    }

    #[test]
    fn depth_follows_a_message_through_its_places() {
        let mut queue = Queue::new(Settings::default(), 0);
        queue.send(message("m", "g"), 0, 5_000);
        assert_eq!(queue.depth(4_999), Depth { delayed: 1, ..Depth::default() });
        assert_eq!(queue.next_change(), Some(5_000));
        assert_eq!(queue.depth(5_000), Depth { visible: 1, ..Depth::default() });
        let first = receive(&mut queue, 5_000, 1).remove(0);
        assert_eq!(queue.depth(34_999), Depth { in_flight: 1, ..Depth::default() });
        assert_eq!(queue.depth(35_000), Depth { visible: 1, ..Depth::default() });
        let second = receive(&mut queue, 35_000, 1).remove(0);
        queue.delete(first.number, first.message.receives);
        assert_eq!(queue.depth(35_000).in_flight, 1, "an older receipt deletes nothing");
        queue.delete(second.number, second.message.receives);
        assert_eq!(queue.depth(35_000), Depth::default());
        assert!(queue.groups.is_empty() && queue.turn.is_empty() && queue.waiting.is_empty());
    }

    #[test]
    fn messages_are_forgotten_after_the_retention_period() {
        let mut queue = Queue::new(Settings::default(), 0);
        queue.send(message("m", ""), 0, 0);
        let retention = queue.settings.retention;
        assert_eq!(queue.depth(retention - 1).visible, 1);
        assert_eq!(queue.depth(retention), Depth::default());
    }
}
