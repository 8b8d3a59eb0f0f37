//! Secrets change under way: a token, the account, the key that encrypts them.
//! `docs/guides/rotation.md` tells people what is rehearsed here.

use std::sync::Arc;

use carillon_domain::ProviderName;
use carillon_local::Stack;
use carillon_local::engines::{Operation, ServiceName, Verdict};
use carillon_runtime::Context;
use carillon_runtime::re_encrypt::{ReEncrypted, re_encrypt};
use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM, Inbound, sign};
use carillon_tests::people::mobile;
use carillon_tests::{World, callback, shows};
use serde_json::{Value, json};

const PATH: &str = "/v1/integrations/twilio";
const NEW_TOKEN: &str = "0123456789abcdef0123456789abcdef";
const OTHER_ACCOUNT: &str = "AC00000000000000000000000000000002";

fn token(token: &str) -> Value {
    json!({
        "credentials": {"account_sid": DEFAULT_ACCOUNT_SID, "auth_token": token},
        "settings": {"from": DEFAULT_FROM, "rate_per_second": 1000},
    })
}

fn other_account() -> Value {
    json!({
        "credentials": {"account_sid": OTHER_ACCOUNT, "auth_token": NEW_TOKEN},
        "settings": {"from": "+15005550009", "rate_per_second": 1000},
    })
}

/// What Twilio does when a token is promoted.
async fn provider_takes(world: &World, token: &str) {
    let account = json!({"account_sid": DEFAULT_ACCOUNT_SID, "auth_token": token});
    let url = format!("{}/sim/accounts", world.simulator.url());
    let request = world.http().post(url).header("content-type", "application/json");
    let answer = request.body(account.to_string()).send().await.expect("the simulator answers");
    assert!(answer.status().is_success(), "{}", answer.status());
}

#[tokio::test]
async fn receipts_signed_with_the_token_before_count_for_ten_minutes() {
    let world = World::start().await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.stack.settle().await.expect("it is sent");
    shows(&world.message(&id).await, &json!({"status": "sent"}));

    let _ = world.put(PATH, &token(NEW_TOKEN)).await.ok(200);
    world.skip(9);
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    assert!(world.counted("callbacks_by_former_secret") > 0);

    world.skip(1);
    let url = format!("{}/webhooks/twilio/status?o={}&m={id}&a=1", world.url, world.stack.org);
    let fields = callback::status("SM00000000000000000000000000000001", "read");
    let old = sign(DEFAULT_AUTH_TOKEN, &url, &fields);
    assert_eq!(world.call_back(&url, &fields, Some(&old)).await.status, 403);
    let new = sign(NEW_TOKEN, &url, &fields);
    assert_eq!(world.call_back(&url, &fields, Some(&new)).await.status, 200);
}

#[tokio::test]
async fn a_token_that_was_stolen_can_be_forgotten_within_a_minute() {
    let world = World::start().await;
    let mut put = token(NEW_TOKEN);
    put["forget_previous"] = json!(true);
    let _ = world.put(PATH, &put).await.ok(200);
    let url = format!("{}/webhooks/twilio/status?o={}", world.url, world.stack.org);
    let fields = callback::status("SM00000000000000000000000000000001", "delivered");
    assert_eq!(world.call_back_signed(&url, &fields).await.status, 403);

    // Also one that was replaced before, and counted until now.
    let _ = world.put(PATH, &token("another0another0another0another0")).await.ok(200);
    world.skip(2);
    let old = sign(NEW_TOKEN, &url, &fields);
    assert_eq!(world.call_back(&url, &fields, Some(&old)).await.status, 200);
    let _ = world
        .put(PATH, &json!({"settings": {"from": DEFAULT_FROM}, "forget_previous": true}))
        .await
        .ok(200);
    world.skip(1);
    assert_eq!(world.call_back(&url, &fields, Some(&old)).await.status, 403);
}

/// As the guide has it: the new token goes in as the first while the old one
/// still signs, and stays as the second until Twilio has promoted the new one.
#[tokio::test]
async fn a_token_is_rotated_and_no_message_and_no_receipt_is_lost() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for n in 1..=3 {
        ids.push(world.send(&mobile(n), "before", json!({})).await);
    }
    world.stack.settle().await.expect("they are sent");
    let later =
        world.send(&mobile(4), "later", json!({"scheduled_for": world.in_minutes(5)})).await;

    let mut both = token(NEW_TOKEN);
    both["credentials"]["auth_token_secondary"] = json!(DEFAULT_AUTH_TOKEN);
    let _ = world.put(PATH, &both).await.ok(200);
    world.skip(60);
    world.simulator.flush_callbacks().await.expect("receipts, signed with the old one");
    provider_takes(&world, NEW_TOKEN).await;
    world.advance(6).await;
    let _ = world.put(PATH, &token(NEW_TOKEN)).await.ok(200);
    ids.push(later);
    for id in &ids {
        shows(&world.message(id).await, &json!({"status": "delivered"}));
    }
    assert_eq!(world.received().await.len(), ids.len());
}

#[tokio::test]
async fn an_account_is_replaced_and_what_was_under_way_is_neither_lost_nor_doubled() {
    let world = World::start().await;
    // Sent, without a receipt yet.
    let sent = world.send(&mobile(1), "sent", json!({})).await;
    world.stack.settle().await.expect("it is sent");
    // Nobody knows: the provider has one of them, and not the other.
    let kinds = json!([{"kind": "close_after_accept"}, {"kind": "close_before"}]);
    world.providers(json!({"fail_next": kinds})).await;
    let arrived = world.send(&mobile(2), "arrived", json!({})).await;
    world.stack.settle().await.expect("it is sent");
    let lost = world.send(&mobile(3), "lost", json!({})).await;
    world.stack.settle().await.expect("it is sent");
    for id in [&arrived, &lost] {
        shows(&world.message(id).await, &json!({"status": "unknown"}));
    }
    // Queued, but not worked on; and waiting for its time.
    let queued = world.send(&mobile(4), "queued", json!({})).await;
    let waiting =
        world.send(&mobile(5), "waiting", json!({"scheduled_for": world.in_minutes(30)})).await;
    let file = format!("phone\n{}\n{}\n", mobile(6), mobile(7));
    let import = world.import(file.as_bytes(), "from a file", &[]).await;

    // At this very moment: a run may still go by the account before.
    let _ = world.put(PATH, &other_account()).await.ok(200);
    world.advance(40).await;

    for id in [&sent, &arrived, &lost, &queued, &waiting] {
        shows(&world.message(id).await, &json!({"status": "delivered"}));
    }
    assert_eq!(world.list(&format!("import_id={import}&status=delivered")).await.len(), 2);
    for n in 1..=7 {
        assert_eq!(world.accepted_for(&mobile(n)).await.len(), 1, "number {n}");
    }
    shows(&world.message(&arrived).await, &json!({"attempts": [{"outcome": "accepted"}]}));
    shows(
        &world.message(&lost).await,
        &json!({"attempts": [{"outcome": "not_sent"}, {"outcome": "accepted"}]}),
    );
}

#[tokio::test]
async fn who_writes_stop_to_the_account_before_is_heard_for_a_week() {
    let world = World::start().await;
    let _ = world.put(PATH, &other_account()).await.ok(200);
    world.skip(6 * 24 * 60);
    world.person_writes(&mobile(1), "STOP").await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "suppressed"}));

    world.skip(24 * 60);
    let inbound = Inbound {
        from: mobile(2),
        to: DEFAULT_FROM.to_owned(),
        body: "STOP".to_owned(),
        ..Inbound::default()
    };
    let answer = world.simulator.inbound(inbound).await.expect("the simulator runs");
    assert_eq!(answer.answer_status, Some(403));
}

/// The same stack in a process of its own, with these keys.
fn process(world: &World, keys: &[&str]) -> Stack {
    let stack = &world.stack;
    let mut config = stack.ctx.config.clone();
    config.kms_key = keys[0].to_owned();
    config.kms_keys_before = keys[1..].iter().map(|key| (*key).to_owned()).collect();
    let (dynamodb, kms) = (stack.engines.dynamodb(), stack.engines.kms());
    let clock = stack.ctx.clock.clone();
    let mut ctx = Context::new(config, dynamodb, stack.sqs.clone(), kms, clock).expect("a context");
    ctx.sole_worker_since = stack.ctx.sole_worker_since;
    ctx.table_id.clone_from(&stack.ctx.table_id);
    Stack { ctx: Arc::new(ctx), ..stack.clone() }
}

async fn can_read(stack: &Stack) -> bool {
    let integration = stack.ctx.store.integration(stack.org, ProviderName::Twilio).await;
    let integration = integration.expect("the table answers").expect("it is there");
    let secret = stack.ctx.address_secret().await.is_ok();
    stack.ctx.credentials(&integration).await.is_ok() && secret
}

#[tokio::test]
async fn a_key_that_rotated_by_itself_still_opens_what_it_had_closed() {
    let world = World::start().await;
    let kms = world.stack.engines.kms();
    for _ in 0..3 {
        kms.rotate_key_on_demand().key_id("embedded").send().await.expect("it rotates");
        let fresh = process(&world, &["embedded"]);
        assert!(can_read(&fresh).await);
        // What is closed now is under the new material.
        let _ = world.put(PATH, &token(NEW_TOKEN)).await.ok(200);
        assert!(can_read(&process(&world, &["embedded"])).await);
    }
}

#[tokio::test]
async fn every_secret_moves_to_another_key_while_the_stack_works() {
    let world = World::start().await;
    let id = world.send(&mobile(1), "Hi", json!({"scheduled_for": world.in_minutes(30)})).await;
    // An account before counts as well: its secret must not be lost either.
    let _ = world.put(PATH, &token(NEW_TOKEN)).await.ok(200);
    let _ = world.put(PATH, &token(DEFAULT_AUTH_TOKEN)).await.ok(200);
    let (store, kms) = (&world.stack.ctx.store, world.stack.engines.kms());

    // First a release that knows both keys; what it closes is under the new one.
    let working = process(&world, &["second", "embedded"]);
    assert!(can_read(&working).await);

    // The command is cut off after its first write, and started again.
    let writes = std::sync::atomic::AtomicU32::new(0);
    world.stack.engines.faults().set(move |operation: &Operation<'_>| {
        let is_move = operation.service == ServiceName::DynamoDb && operation.name == "UpdateItem";
        let number =
            if is_move { writes.fetch_add(1, std::sync::atomic::Ordering::SeqCst) } else { 0 };
        if number >= 1 { Verdict::FailBefore } else { Verdict::Pass }
    });
    let cut_off = re_encrypt(store, &working.ctx.secrets).await;
    assert!(cut_off.is_err());
    world.stack.engines.faults().set(|_: &Operation<'_>| Verdict::Pass);
    let done = re_encrypt(store, &working.ctx.secrets).await.expect("it goes on");
    assert_eq!(done, ReEncrypted { moved: 3, already: 1, changed: 0 });
    let again = re_encrypt(store, &working.ctx.secrets).await.expect("it can be repeated");
    assert_eq!(again, ReEncrypted { moved: 0, already: 4, changed: 0 });

    // The old key is not needed any more: by nobody who starts now, and by nobody
    // who remembers for minutes only.
    kms.disable_key().key_id("embedded").send().await.expect("it is switched off");
    let fresh = process(&world, &["second"]);
    assert!(can_read(&fresh).await);
    world.skip(6);
    assert!(can_read(&working).await);
    assert!(!can_read(&process(&world, &["embedded"])).await);

    world.skip(30);
    assert_eq!(fresh.tick().await.errors, 0);
    fresh.settle().await.expect("it is sent");
    shows(&world.message(&id).await, &json!({"status": "sent"}));
}

#[tokio::test]
async fn what_was_decrypted_is_kept_for_minutes_only() {
    let world = World::start().await;
    let stack = process(&world, &["embedded"]);
    let asked = || world.stack.engines.meter().snapshot().calls(ServiceName::Kms, "Decrypt");
    let before = asked();
    assert!(can_read(&stack).await);
    assert_eq!((asked() - before, stack.ctx.secrets.kept()), (2, 2));
    world.skip(4);
    assert!(can_read(&stack).await);
    assert_eq!(asked() - before, 2);
    world.skip(1);
    let _ = stack.ctx.address_secret().await.expect("it is read again");
    // What nobody asked for again is gone too.
    assert_eq!((asked() - before, stack.ctx.secrets.kept()), (3, 1));
}
