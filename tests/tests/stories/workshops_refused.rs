//! What cannot be asked of a workshop, each with its code; nothing half-made.

use carillon_tests::workshops::{STARTS_AT, three_steps};
use carillon_tests::{Setup, World, shows};
use serde_json::json;

#[tokio::test]
async fn a_workshop_that_cannot_be_is_refused_by_its_field() {
    let world = World::start().await;
    let templates = world.three_templates().await;
    let tag = world.tag(three_steps(&templates)).await;
    let good = json!({"title": "A", "tag_id": tag, "starts_at": STARTS_AT});
    for (field, value, code) in [
        ("starts_at", json!("2026-11-20T08:00:00Z"), "time_in_past"),
        ("starts_at", json!("2028-11-20T08:00:00Z"), "time_too_far"),
        ("starts_at", json!("tomorrow"), "invalid_time"),
        ("starts_at", json!(null), "missing_field"),
        ("tag_id", json!("tag_0123456789abcdef"), "unknown_tag"),
        ("tag_id", json!("CryptoCloud"), "unknown_tag"),
        ("tag_id", json!(null), "missing_field"),
        ("title", json!(""), "invalid_title"),
        ("title", json!("a\nb"), "invalid_title"),
        ("title", json!("x".repeat(201)), "invalid_title"),
        ("time_zone", json!("Mars/Olympus"), "unknown_time_zone"),
        ("whatsapp_group_ids", json!([""]), "invalid_value"),
        ("colour", json!("red"), "unknown_field"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let refused = world.post("/v1/workshops", &body).await;
        assert_eq!(refused.refusal(), (422, code.to_owned()), "{field} {body}");
        assert_eq!(refused.json()["errors"][0]["field"], field);
    }
    let mut kiev = good.clone();
    kiev["time_zone"] = json!("Europe/Kiev");
    let made = world.post_once("/v1/workshops", "k", &kiev).await.ok(201);
    assert_eq!(world.post_once("/v1/workshops", "k", &kiev).await.ok(201), made);
    shows(&made, &json!({"time_zone": "Europe/Kiev", "title": "A"}));
    let listed = world.get("/v1/workshops").await.ok(200);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    for (query, found) in [
        ("from=2026-11-22", 1),
        ("from=2026-11-23", 0),
        ("to=2026-11-21", 0),
        ("from=2026-11-20&to=2026-11-22", 1),
        ("tag_id=tag_0123456789abcdef", 0),
    ] {
        let listed = world.get(&format!("/v1/workshops?{query}")).await.ok(200);
        assert_eq!(listed["data"].as_array().map(Vec::len), Some(found), "{query}");
    }
}

#[tokio::test]
async fn somebody_who_is_unknown_registers_nobody() {
    let world = World::start().await;
    let (workshop, contacts) = world.full_workshop(2, 0).await;
    let stranger = "con_0123456789abcdef".to_owned();
    let new = world.contact(9, true).await;
    let refused = world.register(&workshop, &[new, stranger]).await;
    assert_eq!(refused.refusal(), (422, "unknown_contact".to_owned()));
    assert_eq!(refused.json()["errors"][0]["field"], "contact_ids[1]");
    assert_eq!(world.register(&workshop, &[]).await.refusal(), (422, "invalid_value".to_owned()));
    let listed = world.get(&format!("/v1/workshops/{workshop}/registrations")).await.ok(200);
    let named: Vec<_> = listed["data"].as_array().expect("a list").iter().collect();
    assert_eq!(named.len(), 2);
    assert_eq!(named[0]["contact_id"], contacts[0].as_str());
    let gone = world.unregister(&workshop, &["con_0123456789abcdef".to_owned()]).await;
    assert_eq!(gone, json!({"left": 0, "not_registered": 1}));
}

#[tokio::test]
async fn a_sequence_that_cannot_be_run_says_why() {
    let world = World::with(Setup { twilio: false, ..Setup::default() }).await;
    let (workshop, _) = world.full_workshop(2, 0).await;
    let refused = world.run_sequence(&workshop).await;
    assert_eq!(refused.refusal(), (422, "channel_not_configured".to_owned()));
    world.set_up_twilio(json!({})).await;
    let path = format!("/v1/workshops/{workshop}/run-sequence");
    for (body, code) in [
        (json!({}), "missing_field"),
        (json!({"channel": "fax"}), "unknown_channel"),
        (json!({"channel": "voice"}), "channel_not_available"),
        (json!({"channel": "sms", "purpose": "x"}), "invalid_value"),
    ] {
        let refused = world.post(&path, &body).await;
        assert_eq!(refused.refusal(), (422, code.to_owned()), "{body}");
    }
    let bare = world.post("/v1/tags", &json!({"name": "Bare"})).await.ok(201);
    let tag = json!({"tag_id": bare["id"]});
    let _ = world.patch(&format!("/v1/workshops/{workshop}"), &tag).await.ok(200);
    let refused = world.run_sequence(&workshop).await;
    assert_eq!(refused.refusal(), (422, "no_sequence_for_channel".to_owned()));
    assert!(world.get("/v1/campaigns").await.ok(200)["data"] == json!([]), "nothing half-made");
    let tags = format!("/v1/tags/{}", bare["id"].as_str().expect("an id"));
    let deleted = world.request(reqwest::Method::DELETE, &tags).send().await.expect("an answer");
    assert_eq!(deleted.status(), 409, "the workshop has it");
}

#[tokio::test]
async fn a_workshop_that_is_over_runs_nothing() {
    let world = World::start().await;
    let (workshop, _) = world.full_workshop(2, 0).await;
    world.skip(60 * 24);
    let refused = world.run_sequence(&workshop).await;
    assert_eq!(refused.refusal(), (409, "workshop_over".to_owned()));
}

#[tokio::test]
async fn a_time_that_no_clock_shows_that_night_is_counted_on_and_told() {
    let world = World::start().await;
    let templates = world.three_templates().await;
    let steps = json!([{"template": templates[2], "send_time": "02:30", "label": "Night"}]);
    let tag = world.tag(steps).await;
    // On 28 March 2027 the clocks of Berlin are put forward from 2:00 to 3:00.
    let workshop = json!({
        "title": "Night", "tag_id": tag, "starts_at": "2027-03-28T18:00:00+02:00",
        "time_zone": "Europe/Berlin",
    });
    let workshop = world.post("/v1/workshops", &workshop).await.ok(201);
    let workshop = workshop["id"].as_str().expect("an id").to_owned();
    let contact = world.contact(1, true).await;
    let _ = world.register(&workshop, &[contact]).await.ok(200);
    let run = world.run_sequence(&workshop).await.ok(202);
    shows(
        &run["steps"][0],
        &json!({"at": "2027-03-28T01:30:00Z", "clock": {"code": "time_left_out"}}),
    );
}

#[tokio::test]
async fn what_cannot_be_sent_now_says_why() {
    let world = World::start().await;
    let (workshop, _) = world.full_workshop(2, 2).await;
    let path = format!("/v1/workshops/{workshop}/send-now");
    for (body, code) in [
        (json!({"channel": "sms", "template": "nothing"}), "unknown_template"),
        (json!({"channel": "sms"}), "unknown_template"),
        (json!({"template": "soon"}), "missing_field"),
        (json!({"channel": "sms", "template": "soon", "variables": {"a": []}}), "invalid_value"),
        (json!({"channel": "sms", "template": "soon", "test_to": "12"}), "invalid_phone_number"),
        (json!({"channel": "sms", "template": "soon"}), "no_recipients"),
    ] {
        let refused = world.post(&path, &body).await;
        assert_eq!(refused.refusal(), (422, code.to_owned()), "{body}");
    }
}
