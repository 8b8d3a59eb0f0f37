//! What is to go wrong in one run, and what was seen in it: the layer below the
//! SDK and the providers' front ask here about each operation.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use carillon_local::engines::{Faults, Operation, ServiceName, SqsEngine, Verdict};
use carillon_store::keys;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::watch;

use crate::dice::Dice;
use crate::point::{Effect, Place, Point, Step, text};

tokio::task_local! {
    /// The step that this task works in.
    pub static WITHIN: (Step, u64);
}

/// Something of interest to the invariants, in the order in which it was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    pub what: Note,
    /// Partition of the address.
    pub address: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    OptedOut,
    Lifted,
    /// Somebody asked whether there is an opt-out.
    Asked,
    Claimed,
}

/// How often each thing was done.
pub type Counts = BTreeMap<Place, u32>;

pub struct Plot {
    /// For whether a receive can find anything.
    queues: OnceLock<SqsEngine>,
    inner: Mutex<Inner>,
    /// Steps that hang, by serial number.
    hung: watch::Sender<HashSet<u64>>,
    /// Whether those that stand still may go on.
    released: watch::Sender<bool>,
}

#[derive(Default)]
struct Inner {
    armed: bool,
    serial: u64,
    /// The sender's step, for the call that it makes.
    calling: u64,
    point: Option<Point>,
    dice: Option<Dice>,
    struck: bool,
    counts: Counts,
    /// Shards of the due index that ever had something.
    occupied: BTreeSet<String>,
    /// Steps whose look at an empty shard is counted.
    looked: BTreeSet<u64>,
    /// Queues that were found empty once.
    polled: BTreeSet<Place>,
    notes: Vec<Noted>,
}

impl Plot {
    pub fn new(point: Option<Point>, dice: Option<Dice>) -> Arc<Self> {
        let inner = Inner { point, dice, ..Inner::default() };
        let (hung, released) = (watch::Sender::default(), watch::Sender::new(false));
        Arc::new(Self { queues: OnceLock::new(), inner: Mutex::new(inner), hung, released })
    }

    /// From now on operations count.
    pub fn arm(&self, queues: &SqsEngine) {
        self.queues.get_or_init(|| queues.clone());
        self.lock().armed = true;
    }

    /// From now on nothing counts and nothing goes wrong.
    pub fn disarm(&self) {
        self.lock().armed = false;
    }

    pub fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    /// Whether the point was reached.
    pub fn struck(&self) -> bool {
        self.lock().struck
    }

    pub fn point(&self) -> Option<Point> {
        self.lock().point.clone()
    }

    pub fn notes(&self) -> Vec<Noted> {
        self.lock().notes.clone()
    }

    /// A new step's number.
    pub fn begin(&self, step: Step) -> u64 {
        let mut inner = self.lock();
        inner.serial += 1;
        if step == Step::Sender {
            inner.calling = inner.serial;
        }
        inner.serial
    }

    /// Ready once this step hangs.
    pub async fn hangs(&self, serial: u64) {
        let mut hung = self.hung.subscribe();
        if hung.wait_for(|steps| steps.contains(&serial)).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Steps that stand still go on.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// What becomes of a call to a provider (`POST` or `GET`).
    pub fn judge_call(&self, method: &str) -> Option<Point> {
        let place =
            Place { step: Step::Sender, what: format!("{method} provider"), kind: Effect::Calls };
        let mut inner = self.lock();
        let nth = inner.count(&place)?;
        if inner.strikes(&place, nth) {
            return inner.point.clone();
        }
        let dice = inner.dice.clone()?;
        let fault = dice.call(&place, nth)?;
        Some(Point { place, nth, fault, attempts: 1 })
    }

    /// What a call to a provider waits for that hangs.
    pub fn hang_call(&self) -> BoxFuture<'static, ()> {
        let serial = self.lock().calling;
        self.wait(serial)
    }

    fn wait(&self, serial: u64) -> BoxFuture<'static, ()> {
        self.hung.send_modify(|steps| {
            steps.insert(serial);
        });
        let mut released = self.released.subscribe();
        async move {
            if released.wait_for(|yes| *yes).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        .boxed()
    }

    fn is_empty(&self, queue: Option<&str>) -> bool {
        let depth = self.queues.get().zip(queue).and_then(|(queues, name)| queues.depth(name));
        depth.is_some_and(|depth| depth.visible == 0)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faults for Plot {
    fn before(&self, operation: &Operation<'_>) -> Verdict {
        let Ok((step, serial)) = WITHIN.try_with(|within| *within) else { return Verdict::Pass };
        let mut inner = self.lock();
        if !inner.armed {
            return Verdict::Pass;
        }
        let mut place = Place::of(step, operation);
        if operation.index.is_some() && !inner.finds_something(operation) {
            // Fifteen empty shards are as good as one. The engine need not be
            // asked for what is not there.
            if !inner.looked.insert(serial) {
                return Verdict::StaleIndex;
            }
            place.what.push_str(" (empty)");
        }
        if operation.name == "ReceiveMessage" && self.is_empty(operation.resource) {
            // The platform asks again and again; once is as good as ever.
            if !inner.polled.insert(place.clone()) {
                return Verdict::Pass;
            }
            place.what.push_str(" (empty)");
            place.kind = Effect::Reads;
        }
        let Some(nth) = inner.count(&place) else { return Verdict::Pass };
        let verdict = if inner.strikes(&place, nth) {
            inner.point.as_ref().map_or(Verdict::Pass, |point| point.fault.verdict())
        } else {
            inner.dice.as_ref().map_or(Verdict::Pass, |dice| dice.operation(&place, nth))
        };
        inner.note(operation, verdict);
        verdict
    }

    fn hang(&self) -> BoxFuture<'static, ()> {
        match WITHIN.try_with(|(_, serial)| *serial) {
            Ok(serial) => self.wait(serial),
            Err(_) => std::future::pending().boxed(),
        }
    }
}

impl Inner {
    fn count(&mut self, place: &Place) -> Option<u32> {
        if !self.armed {
            return None;
        }
        let count = self.counts.entry(place.clone()).or_default();
        *count += 1;
        Some(*count)
    }

    fn strikes(&mut self, place: &Place, nth: u32) -> bool {
        let point = self.point.as_ref();
        let strikes = !self.struck && point.is_some_and(|p| p.place == *place && p.nth == nth);
        self.struck |= strikes;
        strikes
    }

    /// Whether this shard of the due index has ever had something.
    fn finds_something(&self, operation: &Operation<'_>) -> bool {
        text(operation.body, "/ExpressionAttributeValues/:due/S")
            .is_none_or(|shard| self.occupied.contains(shard))
    }

    fn note(&mut self, operation: &Operation<'_>, verdict: Verdict) {
        let body = operation.body;
        if operation.service != ServiceName::DynamoDb {
            return;
        }
        // By itself, or in a transaction with others.
        let together = body.pointer("/TransactItems").and_then(Value::as_array);
        let together = together.into_iter().flatten().map(|item| text(item, "/Put/Item/due/S"));
        for shard in together.chain([text(body, "/Item/due/S")]).flatten() {
            self.occupied.insert(shard.to_owned());
        }
        let takes_effect =
            matches!(verdict, Verdict::Pass | Verdict::LoseAnswer | Verdict::HangAfter);
        let (pk, sk) = match operation.name {
            "PutItem" => ("/Item/pk/S", "/Item/sk/S"),
            "Query" => ("/ExpressionAttributeValues/:pk/S", "/ExpressionAttributeValues/:low/S"),
            _ => ("/Key/pk/S", "/Key/sk/S"),
        };
        let (Some(pk), Some(sk)) = (text(body, pk), text(body, sk)) else { return };
        let is_opt_out = sk.starts_with(keys::GATES_PREFIX) && !keys::is_consent(sk);
        let what = match (operation.name, text(body, "/Item/s/S")) {
            ("PutItem", _) if is_opt_out => Note::OptedOut,
            ("DeleteItem", _) if is_opt_out => Note::Lifted,
            ("Query", _) if is_opt_out => Note::Asked,
            ("PutItem", Some("snd")) if sk.starts_with(keys::MESSAGE_PREFIX) => Note::Claimed,
            _ => return,
        };
        if takes_effect {
            self.notes.push(Noted { what, address: pk.to_owned() });
        }
    }
}
