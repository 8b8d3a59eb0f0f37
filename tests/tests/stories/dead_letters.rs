//! What can never come right by itself is given up, shown with its reason, and
//! then tried again or dropped by a person. Nothing is lost in between.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use carillon_domain::{ImportId, MessageId, OrgId, Role};
use carillon_local::engines::fault::{NoFaults, Operation, Verdict};
use carillon_local::stack::TABLE;
use carillon_store::keys;
use carillon_tests::people::mobile;
use carillon_tests::{Answer, World, callers, shows, with_json};
use reqwest::Method;
use serde_json::{Value, json};

type Row = HashMap<String, AttributeValue>;

fn file(count: u32) -> String {
    let lines = (0..count).map(|n| format!("{}\n", mobile(n)));
    std::iter::once("phone\n".to_owned()).chain(lines).collect()
}

/// A file that is planned and not yet due.
async fn planned(world: &World, count: u32) -> String {
    let at = world.in_minutes(10);
    let import = world.import(file(count).as_bytes(), "Hi", &[("scheduled_for", &at)]).await;
    world.tick().await;
    import
}

async fn take(world: &World, key: &keys::Key) -> Row {
    let table = world.stack.engines.dynamodb();
    let (pk, sk) = (AttributeValue::S(key.pk.clone()), AttributeValue::S(key.sk.clone()));
    let delete = table.delete_item().table_name(TABLE).key("pk", pk).key("sk", sk);
    let delete = delete.return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld);
    delete.send().await.expect("deleted").attributes.expect("it was there")
}

async fn put(world: &World, row: Row) {
    let table = world.stack.engines.dynamodb();
    let put = table.put_item().table_name(TABLE).set_item(Some(row));
    put.send().await.expect("put");
}

fn first_page(world: &World, import: &str) -> keys::Key {
    keys::page(world.stack.org, import.parse::<ImportId>().expect("an import's id"), 0)
}

/// Time for all its runs, with their pauses.
async fn all_runs(world: &World) {
    for _ in 0..11 {
        world.skip(61);
        world.tick().await;
    }
}

async fn letters(world: &World) -> Vec<Value> {
    let list = world.get("/v1/dead-letters").await.ok(200);
    list["data"].as_array().expect("a list").clone()
}

/// A file of three whose page is gone: its pack is a dead letter. Answers the
/// letter and the page.
async fn given_up(world: &World) -> (Value, Row) {
    let import = planned(world, 3).await;
    let page = take(world, &first_page(world, &import)).await;
    all_runs(world).await;
    let letters = letters(world).await;
    let [letter] = &letters[..] else { panic!("not one letter: {letters:?}") };
    shows(letter, &json!({"messages": 3, "import_id": import, "channel": "sms"}));
    (letter.clone(), page)
}

async fn act(world: &World, letter: &Value, what: &str) -> Answer {
    let id = letter["id"].as_str().expect("an id");
    world.post(&format!("/v1/dead-letters/{id}/{what}"), &json!({})).await
}

#[tokio::test]
async fn a_pack_that_cannot_be_sent_is_given_up_shown_and_redriven_and_arrives_once() {
    let world = World::start().await;
    assert!(letters(&world).await.is_empty());
    let (letter, page) = given_up(&world).await;
    let reason = letter["reason"].as_str().expect("a reason");
    assert_eq!(reason, "10 runs in a row came to nothing: a row that it needs is gone");
    assert_eq!(world.counted("dead_letters"), 1);
    assert!(world.received().await.is_empty());
    let errors = world.counted("send_errors");
    all_runs(&world).await;
    assert_eq!(world.counted("send_errors"), errors, "nothing works on it any more");

    put(&world, page).await;
    let waiting = world.list("status=queued").await;
    assert_eq!(waiting.len(), 3);
    let told = world.message(waiting[0]["id"].as_str().expect("an id")).await;
    let told = told["explanation"].as_str().expect("sentences").to_owned();
    let id = letter["id"].as_str().expect("an id");
    assert!(told.contains(reason) && told.contains(id), "{told}");
    let redriven = act(&world, &letter, "redrive").await.ok(202);
    shows(&redriven, &json!({"id": letter["id"], "status": "redriven", "messages": 3}));
    assert!(letters(&world).await.is_empty());
    let again = act(&world, &letter, "redrive").await.refusal();
    assert_eq!(again, (409, "not_given_up".to_owned()));
    world.advance(2).await;
    for n in 0..3 {
        assert_eq!(world.accepted_for(&mobile(n)).await.len(), 1, "{n}");
    }
    assert_eq!(world.list("status=delivered").await.len(), 3);
}

#[tokio::test]
async fn a_redriven_pack_has_all_its_runs_again() {
    let world = World::start().await;
    let (letter, page) = given_up(&world).await;
    let _ = act(&world, &letter, "redrive").await.ok(202);
    for _ in 0..9 {
        world.skip(61);
        world.tick().await;
        assert!(letters(&world).await.is_empty());
    }
    all_runs(&world).await;
    assert_eq!(letters(&world).await.len(), 1);
    put(&world, page).await;
    let _ = act(&world, &letter, "redrive").await.ok(202);
    world.advance(1).await;
    assert_eq!(world.list("status=delivered").await.len(), 3);
}

#[tokio::test]
async fn a_dropped_pack_cancels_its_messages_and_says_why() {
    let world = World::start().await;
    let (letter, page) = given_up(&world).await;
    put(&world, page).await;
    let dropped = act(&world, &letter, "drop").await.ok(200);
    shows(&dropped, &json!({"status": "dropped", "messages": 3, "cancelled": 3, "not_found": 0}));
    assert!(letters(&world).await.is_empty());
    for what in ["drop", "redrive"] {
        let again = act(&world, &letter, what).await.refusal();
        assert_eq!(again, (409, "not_given_up".to_owned()));
    }
    let cancelled = world.list("status=cancelled").await;
    assert_eq!(cancelled.len(), 3);
    for message in &cancelled {
        shows(message, &json!({"decisions": [{"decision": "gave_up", "reason": "dropped"}]}));
        let detail = message["decisions"][0]["detail"].as_str().expect("a detail");
        assert!(detail.contains("came to nothing"), "{detail}");
    }
    all_runs(&world).await;
    assert!(world.received().await.is_empty());
}

#[tokio::test]
async fn a_drop_that_is_cut_off_at_any_write_can_be_repeated() {
    for allowed in 0..4 {
        let world = World::start().await;
        let (letter, page) = given_up(&world).await;
        put(&world, page).await;
        let writes = std::sync::atomic::AtomicU32::new(0);
        world.stack.engines.faults().set(move |operation: &Operation<'_>| {
            let passes = !operation.is_write()
                || writes.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < allowed;
            if passes { Verdict::Pass } else { Verdict::FailBefore }
        });
        let cut_off = act(&world, &letter, "drop").await;
        assert_eq!(cut_off.status, 503, "{allowed}: {}", cut_off.text);
        world.stack.engines.faults().set(NoFaults);
        assert_eq!(letters(&world).await.len(), 1, "it stays in sight");
        shows(&act(&world, &letter, "drop").await.ok(200), &json!({"status": "dropped"}));
        assert_eq!(world.list("status=cancelled").await.len(), 3);
        assert!(letters(&world).await.is_empty());
    }
}

#[tokio::test]
async fn what_has_left_a_pack_is_neither_sent_again_nor_cancelled() {
    let world = World::start().await;
    let import = planned(&world, 3).await;
    let lost = world.list("status=pending").await;
    let id: MessageId = lost[1]["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    take(&world, &keys::message(world.stack.org, id)).await;
    all_runs(&world).await;
    let letter = &letters(&world).await[0];
    shows(
        letter,
        &json!({
            "import_id": import,
            "reason": "10 runs in a row came to nothing: rows of its messages are missing or \
                       cannot be read",
        }),
    );
    let _ = act(&world, letter, "redrive").await.ok(202);
    all_runs(&world).await;
    assert_eq!(world.received().await.len(), 2, "once each");
    let dropped = act(&world, letter, "drop").await.ok(200);
    shows(&dropped, &json!({"cancelled": 0, "not_found": 1}));
    assert_eq!(world.list("status=delivered").await.len(), 2);
}

#[tokio::test]
async fn dead_letters_are_listed_newest_first_page_by_page_and_over_months() {
    let world = World::start().await;
    let mut expected = Vec::new();
    for days in [0, 20, 20] {
        world.skip(days * 24 * 60);
        let import = planned(&world, 5).await;
        take(&world, &first_page(&world, &import)).await;
        all_runs(&world).await;
        // Five lines are two packs.
        expected.extend([import.clone(), import]);
    }
    expected.reverse();
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.get(&format!("/v1/dead-letters?limit=2{cursor}")).await.ok(200);
        let data = page["data"].as_array().expect("a list");
        found.extend(data.iter().map(|l| l["import_id"].as_str().expect("an id").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, expected);
    let bad = world.get("/v1/dead-letters?cursor=x").await.refusal();
    assert_eq!(bad, (400, "invalid_cursor".to_owned()));
}

#[tokio::test]
async fn a_viewer_may_look_and_another_organization_sees_nothing() {
    let world = World::start().await;
    let (letter, _) = given_up(&world).await;
    let other = OrgId::from_hash(&[b"another"]);
    for (secret, org, role) in
        [("crl_viewer", world.stack.org, Role::Viewer), ("crl_another", other, Role::SuperAdmin)]
    {
        callers::add(&world.stack.ctx, org, secret, role).await;
    }
    let ask = async |key: &str, method: Method, path: &str| {
        Answer::to(with_json(world.request_by(key, method, path), &json!({}))).await
    };
    let seen = ask("crl_viewer", Method::GET, "/v1/dead-letters").await.ok(200);
    assert_eq!(seen["data"], json!([letter]));
    let nothing = ask("crl_another", Method::GET, "/v1/dead-letters").await.ok(200);
    assert_eq!(nothing["data"], json!([]));
    let id = letter["id"].as_str().expect("an id");
    for what in ["redrive", "drop"] {
        let path = format!("/v1/dead-letters/{id}/{what}");
        let refused = ask("crl_viewer", Method::POST, &path).await.refusal();
        assert_eq!(refused, (403, "role_too_low".to_owned()));
        let refused = ask("crl_another", Method::POST, &path).await.refusal();
        assert_eq!(refused, (404, "not_found".to_owned()));
    }
    assert_eq!(letters(&world).await, [letter]);
}

/// A release that knows nothing of dead letters reads such a row and leaves it.
#[tokio::test]
async fn a_dead_letter_is_a_row_that_the_release_before_leaves_alone() {
    let world = World::start().await;
    let (letter, _) = given_up(&world).await;
    let id = letter["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let key = keys::pack(world.stack.org, id);
    let row = take(&world, &key).await;
    assert_eq!(row["sg"], AttributeValue::S("s".to_owned()), "a stage it knows");
    assert_eq!(row["v"], AttributeValue::N("1".to_owned()));
    assert!(!row.contains_key("due") && !row.contains_key("due_at"), "nothing it would take up");
}

#[tokio::test]
async fn a_single_message_whose_work_always_fails_is_given_up_and_can_be_retried() {
    let world = World::start().await;
    let later = json!({"scheduled_for": world.in_minutes(5)});
    let id = world.send(&mobile(1), "Hi", later).await;
    let key = keys::message(world.stack.org, id.parse().expect("an id"));
    let spoil = async |to: &str| {
        let mut row = take(&world, &key).await;
        row.insert("to".to_owned(), AttributeValue::S(to.to_owned()));
        put(&world, row).await;
    };
    spoil("nobody").await;
    world.advance(20).await;
    assert_ne!(world.message(&id).await["status"], "failed", "not before it is sure");
    world.advance(25).await;
    let message = world.message(&id).await;
    shows(
        &message,
        &json!({
            "status": "failed", "attempts": [],
            "error": {
                "code": "gave_up", "reason": "other",
                "detail": "sending it failed again and again: the stored address is not a phone \
                           number",
            },
        }),
    );
    assert_eq!(world.counted("messages_given_up"), 1);
    let errors = world.counted("send_errors");
    spoil(&mobile(1)).await;
    world.advance(10).await;
    assert_eq!(world.counted("send_errors"), errors, "it is not due any more");
    let _ = world.post(&format!("/v1/messages/{id}/retry"), &json!({})).await.ok(202);
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1);
}

fn single(world: &World, id: &str) -> keys::Key {
    keys::message(world.stack.org, id.parse().expect("an id"))
}

/// Changes an attribute of a row below the store; answers what it was.
async fn spoil(world: &World, key: &keys::Key, name: &str, to: AttributeValue) -> AttributeValue {
    let mut row = take(world, key).await;
    let was = row.insert(name.to_owned(), to).expect("it was there");
    put(world, row).await;
    was
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_set_aside_shown_and_sent_once_after_its_repair() {
    let world = World::start().await;
    let later = json!({"scheduled_for": world.in_minutes(5)});
    let id = world.send(&mobile(1), "Hi", later).await;
    let key = single(&world, &id);
    let was = spoil(&world, &key, "ca", text("yesterday")).await;
    world.advance(20).await;
    assert!(letters(&world).await.is_empty(), "not before it is sure");
    world.advance(25).await;
    let listed = letters(&world).await;
    let reason = "the row cannot be read (message: attribute ca)";
    let letter = json!({"kind": "row", "row": "message", "row_id": id, "reason": reason});
    shows(&json!(listed), &json!([letter]));
    assert_eq!(world.counted("rows_set_aside"), 1);
    let errors = world.counted("send_errors");
    world.advance(10).await;
    assert_eq!(world.counted("send_errors"), errors, "it is not leased any more");

    let early = act(&world, &listed[0], "redrive").await.refusal();
    assert_eq!(early, (409, "row_unreadable".to_owned()));
    let _ = spoil(&world, &key, "ca", was).await;
    let _ = act(&world, &listed[0], "redrive").await.ok(202);
    assert!(letters(&world).await.is_empty());
    world.advance(2).await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_and_is_dropped_is_never_sent() {
    let world = World::start().await;
    let mut was = Vec::new();
    for n in 1..=2 {
        let later = json!({"scheduled_for": world.in_minutes(5)});
        let id = world.send(&mobile(n), "Hi", later).await;
        let key = single(&world, &id);
        was.push((id, spoil(&world, &key, "ca", text("yesterday")).await));
    }
    world.advance(45).await;
    let listed = letters(&world).await;
    assert_eq!(listed.len(), 2);
    let (repaired, value) = was.remove(0);
    let _ = spoil(&world, &single(&world, &repaired), "ca", value).await;
    for letter in &listed {
        let _ = act(&world, letter, "drop").await.ok(200);
        assert_eq!(act(&world, letter, "drop").await.status, 404);
    }
    world.advance(10).await;
    assert!(letters(&world).await.is_empty() && world.received().await.is_empty());
    let cancelled = json!({
        "status": "cancelled", "decisions": [{"decision": "gave_up", "reason": "dropped"}],
    });
    shows(&world.message(&repaired).await, &cancelled);
}

#[tokio::test]
async fn a_row_that_cannot_even_be_leased_is_set_aside_and_others_go_on() {
    let world = World::start().await;
    let soon = json!({"scheduled_for": world.in_minutes(2)});
    let id = world.send(&mobile(1), "Hi", soon.clone()).await;
    let other = world.send(&mobile(2), "Hi", soon).await;
    let was = spoil(&world, &single(&world, &id), "ver", text("one")).await;
    let lost = {
        let mut row = take(&world, &single(&world, &other)).await;
        let elsewhere = row.clone();
        // A key that no release has ever made.
        row.insert("sk".to_owned(), text("?"));
        put(&world, row).await;
        elsewhere
    };
    put(&world, lost).await;
    world.advance(3).await;
    let listed = letters(&world).await;
    assert_eq!((listed.len(), world.counted("rows_set_aside")), (2, 2), "{listed:?}");
    assert!(listed.iter().any(|l| l["row"] == "unknown" && l["row_id"].is_null()));
    shows(&world.message(&other).await, &json!({"status": "delivered"}));

    let _ = spoil(&world, &single(&world, &id), "ver", was).await;
    let letter = listed.iter().find(|l| l["row_id"] == json!(id)).expect("its letter");
    let _ = act(&world, letter, "redrive").await.ok(202);
    world.advance(1).await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    let unknown = listed.iter().find(|l| l["row"] == "unknown").expect("the other's");
    let _ = act(&world, unknown, "redrive").await.ok(202);
    world.advance(1).await;
    assert_eq!(letters(&world).await.len(), 1, "it comes again");
    let _ = act(&world, unknown, "drop").await.ok(200);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn a_pack_and_a_file_that_cannot_be_read_are_set_aside_and_redriven() {
    let world = World::start().await;
    let _ = planned(&world, 2).await;
    let org = world.stack.org;
    let rows = world.stack.engines.dynamodb().scan().table_name(TABLE).send().await.expect("rows");
    let pack = rows.items().iter().find(|row| row["sk"] == text("k")).expect("a pack");
    let pk = pack["pk"].as_s().expect("a key").clone();
    let pack = keys::Key { pk, sk: "k".to_owned() };
    let was = spoil(&world, &pack, "sg", text("?")).await;
    for _ in 0..40 {
        world.advance(10).await;
    }
    let listed = letters(&world).await;
    shows(&json!(listed), &json!([{"kind": "row", "row": "pack"}]));
    let _ = spoil(&world, &pack, "sg", was).await;
    let refused = act(&world, &listed[0], "drop").await.refusal();
    assert_eq!(refused, (409, "row_readable".to_owned()));
    let _ = act(&world, &listed[0], "redrive").await.ok(202);
    world.advance(2).await;
    assert_eq!(world.list("status=delivered").await.len(), 2);
    assert_eq!(world.received().await.len(), 2);

    let import = world.import(file(2).as_bytes(), "Again", &[]).await;
    let key = keys::import(org, import.parse().expect("an import's id"));
    let was = spoil(&world, &key, "ca", text("yesterday")).await;
    for _ in 0..40 {
        world.skip(2);
        let _ = world.stack.tick().await;
    }
    let listed = letters(&world).await;
    shows(&json!(listed), &json!([{"kind": "row", "row": "import", "row_id": import}]));
    let _ = spoil(&world, &key, "ca", was).await;
    let _ = act(&world, &listed[0], "redrive").await.ok(202);
    world.advance(3).await;
    assert_eq!(world.received().await.len(), 4);
}
