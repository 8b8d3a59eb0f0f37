//! People write back.

use carillon_domain::ProviderName;
use carillon_domain::receipt::InboundMessage;
use carillon_runtime::body::{ReceiveBody, Received};
use carillon_simulator::{DEFAULT_FROM, Inbound};
use carillon_tests::people::mobile;
use carillon_tests::{World, callback, shows};
use serde_json::json;

#[tokio::test]
async fn a_message_from_a_person_is_in_the_list() {
    let world = World::start().await;
    world.person_writes(&mobile(1), "See you at 7, स्वागत है!").await;
    let inbound = world.list("direction=inbound").await;
    let [message] = &inbound[..] else { panic!("not one message: {inbound:?}") };
    shows(
        message,
        &json!({
            "direction": "inbound", "status": "received", "channel": "sms", "provider": "twilio",
            "from": mobile(1), "to": DEFAULT_FROM, "body": "See you at 7, स्वागत है!",
            "attempts": [], "decisions": [], "created_at": world.now().to_string(),
        }),
    );
    let id = message["id"].as_str().expect("an id");
    let alone = world.message(id).await;
    shows(&alone, message);
    let told = alone["explanation"].as_str().expect("sentences");
    assert!(told.starts_with("The person wrote this on "), "{told}");
    for action in ["cancel", "retry"] {
        let refused = world.post(&format!("/v1/messages/{id}/{action}"), &json!({})).await;
        assert_eq!(refused.refusal(), (409, "too_late".to_owned()), "{action}");
    }
}

#[tokio::test]
async fn the_same_inbound_message_twice_is_one() {
    let world = World::start().await;
    let url = format!("{}/webhooks/twilio/inbound", world.url);
    let fields = callback::inbound("SM00000000000000000000000000000001", &mobile(1), "Hello");
    for _ in 0..2 {
        for _ in 0..2 {
            assert_eq!(world.call_back_signed(&url, &fields).await.status, 200);
        }
        world.settle().await;
        world.skip(3);
    }
    assert_eq!(world.list("direction=inbound").await.len(), 1);
    let another = callback::inbound("SM00000000000000000000000000000002", &mobile(1), "Hello");
    assert_eq!(world.call_back_signed(&url, &another).await.status, 200);
    world.settle().await;
    assert_eq!(world.list("direction=inbound").await.len(), 2, "another message, the same text");
}

#[tokio::test]
async fn a_forged_inbound_message_is_refused() {
    let world = World::start().await;
    let inbound = Inbound {
        from: mobile(1),
        to: DEFAULT_FROM.to_owned(),
        body: "STOP".to_owned(),
        wrong_signature: true,
        ..Inbound::default()
    };
    let answer = world.simulator.inbound(inbound).await.expect("the simulator runs");
    assert_eq!(answer.answer_status, Some(403));
    world.settle().await;
    assert_eq!(world.counted("forged_callbacks"), 1);
    assert!(world.list("").await.is_empty());
    world.providers(json!({"stop_blocks": false})).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn stop_is_obeyed_and_start_lifts_it() {
    for (stop, start) in [
        ("STOP", "START"),
        ("stop texting me", "Start"),
        ("बंद करें", "UNSTOP"),
        ("Stop.", "resubscribe!"),
    ] {
        let world = World::start().await;
        // What the provider itself would refuse must not hide what we do.
        world.providers(json!({"stop_blocks": false})).await;
        let waiting = json!({"scheduled_for": world.in_minutes(2)});
        let planned = world.send(&mobile(1), "Planned before", waiting).await;
        world.person_writes(&mobile(1), stop).await;
        shows(
            &world.list("direction=inbound").await[0],
            &json!({"body": stop, "decisions": [{"decision": "suppressed"}]}),
        );
        let id = world.send(&mobile(1), "Hi", json!({})).await;
        let other = world.send(&mobile(2), "Hi", json!({})).await;
        world.advance(3).await;
        for id in [&id, &planned] {
            let message = world.message(id).await;
            shows(
                &message,
                &json!({
                    "status": "suppressed", "attempts": [], "sent_at": null,
                    "decisions": [{"decision": "suppressed", "reason": "stop_keyword"}],
                }),
            );
            let detail = message["decisions"][0]["detail"].as_str().unwrap_or_default();
            assert!(detail.contains(stop), "the words are shown: {detail}");
        }
        shows(&world.message(&other).await, &json!({"status": "delivered"}));
        assert_eq!(world.received().await.len(), 1, "{stop}");

        world.person_writes(&mobile(1), start).await;
        let id = world.send(&mobile(1), "Hi again", json!({})).await;
        world.settle().await;
        shows(&world.message(&id).await, &json!({"status": "delivered"}));
        assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1, "{start}");
    }
}

#[tokio::test]
async fn a_word_in_a_sentence_is_no_stop_but_is_shown_to_a_person() {
    let world = World::start().await;
    for (text, decisions) in [
        ("HELP", json!([])),
        ("Where do we meet?", json!([])),
        ("Where is the bus stop?", json!([{"decision": "hold", "reason": "ambiguous_keyword"}])),
        (
            "Please don't stop the event, we would all be sorry and my daughter too",
            json!([{"decision": "hold", "reason": "ambiguous_keyword"}]),
        ),
    ] {
        world.person_writes(&mobile(1), text).await;
        shows(&world.list("direction=inbound").await[0], &json!({"decisions": decisions}));
        let id = world.send(&mobile(1), "Hi", json!({})).await;
        world.advance(1).await;
        shows(&world.message(&id).await, &json!({"status": "delivered"}));
    }
}

#[tokio::test]
async fn a_bulk_file_skips_who_has_opted_out() {
    let world = World::start().await;
    world.providers(json!({"stop_blocks": false})).await;
    world.person_writes(&mobile(3), "STOP").await;
    let mut file = String::from("phone\n");
    for n in 0..7 {
        file.push_str(&format!("{}\n", mobile(n)));
    }
    world.import(file.as_bytes(), "Hi", &[]).await;
    world.advance(2).await;
    assert_eq!(world.received().await.len(), 6);
    assert!(world.accepted_for(&mobile(3)).await.is_empty());
    let suppressed = world.list("status=suppressed").await;
    assert_eq!(suppressed.len(), 1);
    shows(&suppressed[0], &json!({"to": mobile(3), "decisions": [{"reason": "stop_keyword"}]}));
}

/// The provider knows of an opt-out that we do not.
#[tokio::test]
async fn an_opt_out_at_the_provider_is_learned() {
    let world = World::start().await;
    let number = mobile(1);
    world.providers(json!({"numbers": {number.as_str(): {"refuse": 21610}}})).await;
    let id = world.send(&number, "Hi", json!({})).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({"status": "failed", "error": {"code": "21610", "reason": "opted_out"}}),
    );
    let next = world.send(&number, "Hi again", json!({})).await;
    world.settle().await;
    shows(
        &world.message(&next).await,
        &json!({"status": "suppressed", "decisions": [{"reason": "provider"}]}),
    );
    assert_eq!(world.received().await.len(), 1);
}

/// People say yes to much; to be written to again must be meant.
#[tokio::test]
async fn a_yes_lifts_nothing() {
    let world = World::start().await;
    world.person_writes(&mobile(1), "STOP").await;
    world.skip(1);
    for text in ["YES", "ok", "start again please", "why did you stop?"] {
        world.person_writes(&mobile(1), text).await;
        let id = world.send(&mobile(1), "Hi", json!({})).await;
        world.settle().await;
        shows(&world.message(&id).await, &json!({"status": "suppressed"}));
    }
    assert!(world.received().await.is_empty());
}

/// A service that manages opt-outs itself says which word it was.
#[tokio::test]
async fn the_providers_own_reading_of_a_word_counts() {
    let world = World::start().await;
    world.providers(json!({"stop_blocks": false})).await;
    let url = format!("{}/webhooks/twilio/inbound", world.url);
    for (sid, body, kind, status) in [
        ("SM01", "no more of this", "STOP", "suppressed"),
        ("SM02", "back again", "START", "delivered"),
    ] {
        let mut fields = callback::inbound(sid, &mobile(1), body);
        fields.push(("OptOutType".to_owned(), kind.to_owned()));
        assert_eq!(world.call_back_signed(&url, &fields).await.status, 200);
        world.settle().await;
        let id = world.send(&mobile(1), "Hi", json!({})).await;
        world.settle().await;
        assert_eq!(world.message(&id).await["status"], status, "{kind}");
        world.skip(1);
    }
}

/// Queues keep no order, and bring things again: what the person wrote last counts.
#[tokio::test]
async fn an_old_start_that_comes_late_does_not_undo_a_newer_stop() {
    let world = World::start().await;
    let wrote = world.now();
    world.skip(1);
    world.person_writes(&mobile(1), "STOP").await;
    world.settle().await;
    let start = InboundMessage {
        provider: ProviderName::Twilio,
        provider_message_id: "SM0000000000000000000000000000late".to_owned(),
        from: mobile(1),
        to: "+15005550006".to_owned(),
        body: "START".to_owned(),
        media: Vec::new(),
        keyword: None,
    };
    let body = ReceiveBody::new(world.stack.org, Received::Inbound(start), wrote);
    world.stack.ctx.queues.receive(&body).await.expect("queued");
    world.settle().await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "suppressed"}));
    assert!(world.accepted_for(&mobile(1)).await.is_empty());
}

/// A world in which the provider neither answers words itself nor refuses after STOP.
async fn plain_number() -> World {
    let world = World::start().await;
    world.providers(json!({"stop_blocks": false})).await;
    world
}

async fn bodies(world: &World, number: &str) -> Vec<String> {
    world.accepted_for(number).await.into_iter().map(|m| m.body).collect()
}

#[tokio::test]
async fn help_is_answered_with_who_writes_and_how_to_stop_it() {
    let world = plain_number().await;
    for (n, word) in ["HELP", "help.", "INFO", "Ayuda", "Hilfe"].into_iter().enumerate() {
        let number = mobile(u32::try_from(n).expect("few"));
        world.person_writes(&number, word).await;
        let said = bodies(&world, &number).await;
        let [answer] = &said[..] else { panic!("{word}: not one answer: {said:?}") };
        assert!(answer.starts_with("My organization") && answer.contains("STOP"), "{answer}");
    }
    let own = json!({"help_text": "Grace Coaching, +61 2 5550 0000. STOP to end."});
    let _ = world.patch("/v1/settings", &own).await.ok(200);
    world.person_writes(&mobile(9), "HELP").await;
    assert_eq!(bodies(&world, &mobile(9)).await, ["Grace Coaching, +61 2 5550 0000. STOP to end."]);
    let outbound = world.list("direction=outbound").await;
    shows(
        &outbound[0],
        &json!({"created_by": "keyword", "purpose": "transactional", "to": mobile(9)}),
    );
}

#[tokio::test]
async fn a_callback_that_comes_again_is_answered_once() {
    let world = plain_number().await;
    let _ = world.patch("/v1/settings", &json!({"stop_text": "You get no more."})).await.ok(200);
    let url = format!("{}/webhooks/twilio/inbound", world.url);
    for (sid, word) in [("SM01", "HELP"), ("SM02", "STOP")] {
        let fields = callback::inbound(sid, &mobile(1), word);
        for _ in 0..3 {
            assert_eq!(world.call_back_signed(&url, &fields).await.status, 200);
            world.settle().await;
            world.skip(1);
        }
    }
    assert_eq!(bodies(&world, &mobile(1)).await.len(), 2);
}

#[tokio::test]
async fn stop_is_confirmed_once_and_nothing_else_passes_after_it() {
    let world = plain_number().await;
    let _ = world.patch("/v1/settings", &json!({"stop_text": "You get no more."})).await.ok(200);
    world.person_writes(&mobile(1), "STOP").await;
    assert_eq!(bodies(&world, &mobile(1)).await, ["You get no more."]);
    world.skip(1);
    world.person_writes(&mobile(1), "STOP").await;
    world.person_writes(&mobile(1), "stop texting me").await;
    world.person_writes(&mobile(1), "HELP").await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.advance(1).await;
    shows(&world.message(&id).await, &json!({"status": "suppressed"}));
    assert_eq!(bodies(&world, &mobile(1)).await.len(), 1);
    // Who comes back and leaves again is told so again.
    world.skip(1);
    world.person_writes(&mobile(1), "START").await;
    world.skip(1);
    world.person_writes(&mobile(1), "STOP").await;
    assert_eq!(bodies(&world, &mobile(1)).await.len(), 2);
}

/// Late is worse than never: sending was off while the person waited.
#[tokio::test]
async fn a_confirmation_that_cannot_go_soon_does_not_go() {
    let world = plain_number().await;
    let off = json!({"stop_text": "You get no more.", "sending_enabled": false});
    let _ = world.patch("/v1/settings", &off).await.ok(200);
    world.person_writes(&mobile(1), "STOP").await;
    world.advance(6).await;
    let _ = world.patch("/v1/settings", &json!({"sending_enabled": true})).await.ok(200);
    world.advance(10).await;
    assert!(bodies(&world, &mobile(1)).await.is_empty());
    let answer = &world.list("direction=outbound").await[0];
    shows(answer, &json!({"status": "failed", "error": {"reason": "expired"}}));
}

#[tokio::test]
async fn where_the_provider_answers_words_we_do_not() {
    let world = plain_number().await;
    let texts = json!({"stop_text": "You get no more.", "help_text": "It is us."});
    let _ = world.patch("/v1/settings", &texts).await.ok(200);
    // The provider says that it has read the word.
    let url = format!("{}/webhooks/twilio/inbound", world.url);
    for (sid, word) in [("SM01", "HELP"), ("SM02", "STOP")] {
        let mut fields = callback::inbound(sid, &mobile(1), word);
        fields.push(("OptOutType".to_owned(), word.to_owned()));
        assert_eq!(world.call_back_signed(&url, &fields).await.status, 200);
        world.settle().await;
    }
    // It does so without saying it; the setting does.
    let _ = world.patch("/v1/settings", &json!({"keyword_answers": "provider"})).await.ok(200);
    for word in ["HELP", "STOP"] {
        world.person_writes(&mobile(2), word).await;
    }
    assert!(world.received().await.is_empty());
    let id = world.send(&mobile(2), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "suppressed"}));
}

#[tokio::test]
async fn the_first_message_to_an_address_says_who_writes() {
    let world = plain_number().await;
    let _ = world.send(&mobile(1), "Before", json!({})).await;
    world.settle().await;
    let text = json!({"first_message_text": "Grace Coaching. Reply STOP to end."});
    let _ = world.patch("/v1/settings", &text).await.ok(200);
    // What no provider took is not the first.
    let number = mobile(2);
    world.providers(json!({"numbers": {number.as_str(): {"refuse": 21612}}})).await;
    let _ = world.send(&number, "One", json!({})).await;
    world.settle().await;
    world.providers(json!({"numbers": {number.as_str(): null}})).await;
    for body in ["Two", "Three"] {
        let _ = world.send(&number, body, json!({})).await;
        world.settle().await;
    }
    let said = bodies(&world, &number).await;
    assert_eq!(said, ["Two\n\nGrace Coaching. Reply STOP to end.", "Three"]);
    let file = format!("phone\n{}\n{}\n", mobile(2), mobile(3));
    world.import(file.as_bytes(), "From a file", &[]).await;
    world.advance(1).await;
    assert_eq!(bodies(&world, &mobile(2)).await.last().map(String::as_str), Some("From a file"));
    let first = bodies(&world, &mobile(3)).await;
    assert_eq!(first, ["From a file\n\nGrace Coaching. Reply STOP to end."]);
    let all = world.list("direction=outbound").await;
    let shown = all.iter().find(|m| m["to"] == mobile(3)).expect("the message");
    assert_eq!(shown["body"], first[0], "it is shown as it was sent");
}
