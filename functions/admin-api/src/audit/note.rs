//! What a handler says of the thing that it is about to change, for the entry
//! that the door writes. Said or not, the entry is written.

use std::cell::RefCell;

use serde::Serialize;
use serde_json::Value;

tokio::task_local! {
    static BEFORE: RefCell<Option<Value>>;
}

/// How the resource was shown before this change. Said again, the last counts.
pub fn before(shown: &impl Serialize) {
    let shown = serde_json::to_value(shown).ok();
    // Outside of a request there is no entry.
    let _ = BEFORE.try_with(|before| before.replace(shown));
}

/// Runs a handler; answers what it said besides.
pub async fn listening<T>(work: impl Future<Output = T>) -> (T, Option<Value>) {
    BEFORE
        .scope(RefCell::default(), async {
            let done = work.await;
            (done, BEFORE.with(RefCell::take))
        })
        .await
}
