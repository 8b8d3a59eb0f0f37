//! Whatever is sent to the API: a problem document that says what to do, never
//! a 5xx, nothing stored.

use carillon_tests::people::mobile;
use carillon_tests::{Answer, World};
use reqwest::Method;
use serde_json::{Value, json};

fn with(more: Value) -> String {
    let mut body = json!({"channel": "sms", "to": mobile(1), "body": "Hi"});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body.to_string()
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_is_refused_with_its_reason() {
    let world = World::start().await;
    let unicode = "ш".repeat(67 * 10 + 1);
    let to = |number: &str| with(json!({"to": number}));
    let media = |media: Value| with(json!({"media": media}));
    let cases: Vec<(String, u16, &str, Option<&str>)> = vec![
        // numbers
        (to(""), 422, "missing_phone_number", Some("to")),
        (with(json!({"to": null})), 422, "missing_phone_number", Some("to")),
        (to("hello"), 422, "invalid_phone_number", Some("to")),
        (to("0491 570 006"), 422, "invalid_phone_number", Some("to")),
        (to("+61"), 422, "invalid_phone_number", Some("to")),
        (to("+6149157000612345"), 422, "invalid_phone_number", Some("to")),
        (to("+61491570006, +61491570156"), 422, "invalid_phone_number", Some("to")),
        (to("9.19876E+11"), 422, "invalid_phone_number", Some("to")),
        (to("+999123456789"), 422, "unknown_country_code", Some("to")),
        (to("+61298765432"), 422, "landline_phone_number", Some("to")),
        (with(json!({"to": 61_491_570_006_i64})), 422, "invalid_value", None),
        (with(json!({"to": [mobile(1)]})), 422, "invalid_value", None),
        (with(json!({"contact_id": "con_1"})), 422, "unknown_contact", Some("contact_id")),
        // channel
        (with(json!({"channel": null})), 422, "missing_field", Some("channel")),
        (with(json!({"channel": "fax"})), 422, "unknown_channel", Some("channel")),
        (with(json!({"channel": "SMS"})), 422, "unknown_channel", Some("channel")),
        (with(json!({"channel": "whatsapp"})), 422, "channel_not_available", Some("channel")),
        (with(json!({"channel": "voice"})), 422, "channel_not_available", Some("channel")),
        // text
        (with(json!({"body": null})), 422, "missing_field", Some("body")),
        (with(json!({"body": ""})), 422, "empty_body", Some("body")),
        (with(json!({"body": " \n\t"})), 422, "empty_body", Some("body")),
        (with(json!({"body": "a".repeat(1531)})), 422, "too_many_segments", Some("body")),
        (with(json!({"body": unicode})), 422, "too_many_segments", Some("body")),
        (with(json!({"body": "a".repeat(10_001)})), 422, "template_too_long", Some("body")),
        (with(json!({"body": "Hi {{ name"})), 422, "invalid_template", Some("body")),
        (with(json!({"body": "Hi {{ 1 + 1 }}"})), 422, "invalid_template", Some("body")),
        (with(json!({"body": "{% include 'x' %}"})), 422, "invalid_template", Some("body")),
        (
            with(json!({"body": "{% for x in y %}a{% endfor %}"})),
            422,
            "invalid_template",
            Some("body"),
        ),
        (with(json!({"body": "Dear {#var#}"})), 422, "invalid_template", Some("body")),
        (with(json!({"body": "{{ n }}"})), 422, "missing_variable", Some("variables.n")),
        (
            with(json!({"body": "{{ n }}", "variables": {"n": " "}})),
            422,
            "empty_body",
            Some("body"),
        ),
        (
            with(json!({"body": "{{ n }}", "variables": {"n": [1]}})),
            422,
            "invalid_variable",
            Some("variables"),
        ),
        (
            with(json!({"body": "{{ n }}", "variables": {"n": "x".repeat(30_000)}})),
            422,
            "rendered_too_long",
            Some("variables"),
        ),
        (with(json!({"variables": "name=Ada"})), 422, "invalid_value", None),
        (with(json!({"template": "reminder"})), 422, "body_and_template", Some("body")),
        (
            with(json!({"body": null, "template": "none"})),
            422,
            "unknown_template",
            Some("template"),
        ),
        // times
        (
            with(json!({"scheduled_for": "2026-11-21T08:58:00Z"})),
            422,
            "time_in_past",
            Some("scheduled_for"),
        ),
        (
            with(json!({"scheduled_for": "2027-11-23T09:00:00Z"})),
            422,
            "time_too_far",
            Some("scheduled_for"),
        ),
        (with(json!({"scheduled_for": "tomorrow"})), 422, "invalid_time", Some("scheduled_for")),
        (
            with(json!({"scheduled_for": "2026-11-21T18:30:00"})),
            422,
            "invalid_time",
            Some("scheduled_for"),
        ),
        (with(json!({"scheduled_for": "2026-11-31"})), 422, "invalid_time", Some("scheduled_for")),
        (with(json!({"scheduled_for": 1_795_000_000})), 422, "invalid_value", None),
        (
            with(json!({"expires_at": "2026-11-21T08:00:00Z"})),
            422,
            "time_in_past",
            Some("expires_at"),
        ),
        (
            with(json!({
                "scheduled_for": "2026-11-21T10:00:00Z", "expires_at": "2026-11-21T09:30:00Z",
            })),
            422,
            "expires_before_due",
            Some("expires_at"),
        ),
        // the rest
        (with(json!({"colour": "red"})), 422, "unknown_field", Some("colour")),
        (with(json!({"Body": "Hi"})), 422, "unknown_field", Some("Body")),
        (with(json!({"purpose": "spam"})), 422, "invalid_value", Some("purpose")),
        (with(json!({"integration": "pigeon"})), 422, "invalid_value", Some("integration")),
        (with(json!({"flash": "yes"})), 422, "invalid_value", None),
        (with(json!({"related": {"type": "booking"}})), 422, "missing_field", Some("id")),
        (
            with(json!({"related": {"type": "", "id": "1"}})),
            422,
            "invalid_related",
            Some("related"),
        ),
        (media(json!(["http://example.org/a.png"])), 422, "invalid_media_url", Some("media[0]")),
        (media(json!(vec!["https://example.org/a"; 11])), 422, "too_many_media", Some("media")),
        (
            with(json!({"idempotency_key": ""})),
            422,
            "invalid_idempotency_key",
            Some("idempotency_key"),
        ),
        // JSON
        (String::new(), 400, "malformed_json", None),
        ("{".to_owned(), 400, "malformed_json", None),
        ("{'channel': 'sms'}".to_owned(), 400, "malformed_json", None),
        (format!("{} trailing", with(json!({}))), 400, "malformed_json", None),
        ("null".to_owned(), 422, "invalid_value", None),
        ("[]".to_owned(), 422, "invalid_value", None),
        ("\"sms\"".to_owned(), 422, "invalid_value", None),
        ("[".repeat(5_000), 400, "json_too_deep", None),
        (with(json!({"body": "a".repeat(33 * 1024)})), 400, "json_text_too_long", None),
        (
            with(json!({"media": vec!["https://example.org/a"; 1_001]})),
            400,
            "json_too_many_entries",
            None,
        ),
        (media(json!(["https://169.254.169.254/a"])), 422, "invalid_media_url", Some("media[0]")),
        (media(json!(["https://0x7f000001/a"])), 422, "invalid_media_url", Some("media[0]")),
        (media(json!(["https://a:b@example.org/a"])), 422, "invalid_media_url", Some("media[0]")),
        (with(json!({"body": "a".repeat(64 * 1024)})), 413, "body_too_large", None),
        (
            r#"{"channel":"sms","channel":"sms","to":"+61491570001","body":"Hi"}"#.to_owned(),
            422,
            "invalid_value",
            None,
        ),
    ];
    for (body, status, code, field) in cases {
        for path in ["/v1/messages", "/v1/messages/preview"] {
            let request = world.request(Method::POST, path);
            let request = request.header("content-type", "application/json").body(body.clone());
            let answer = Answer::to(request).await;
            let shown: String = body.chars().take(200).collect();
            // The preview makes nothing, so it needs no key.
            if code == "invalid_idempotency_key" && path.ends_with("preview") {
                continue;
            }
            let (found_status, found_code, found_field) = answer.problem();
            assert_eq!((found_status, found_code.as_str()), (status, code), "{path} {shown}");
            if field.is_some() {
                assert_eq!(found_field.as_deref(), field, "{path} {shown}");
            }
        }
    }
    world.advance(2).await;
    assert!(world.list("").await.is_empty());
    assert!(world.received().await.is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_json_by_its_type_is_refused() {
    let world = World::start().await;
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        for path in ["/v1/messages", "/v1/messages/preview", "/v1/templates"] {
            let mut request = world.request(Method::POST, path).body(with(json!({})));
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            let refused = Answer::to(request).await.refusal();
            assert_eq!(refused, (415, "unsupported_media_type".to_owned()), "{content_type:?}");
        }
    }
    let request = world.request(Method::POST, "/v1/messages").body(with(json!({})));
    let request = request.header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(Answer::to(request).await.status, 202);
    assert_eq!(world.list("").await.len(), 1);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    let world = World::start().await;
    for bytes in [&b"\xff\xfe{}"[..], b"\0\0\0", b"{\"channel\":\"\xff\"}", b"\xef\xbb\xbf{}"] {
        let request = world.request(Method::POST, "/v1/messages").body(bytes.to_vec());
        let answer = Answer::to(request.header("content-type", "application/json")).await;
        let (status, _, _) = answer.problem();
        assert!([400, 422].contains(&status), "{}", answer.text);
    }
    // A text may have any character that JSON may have.
    let id = world.send(&mobile(1), "a\u{0}b\u{202e}c\u{fffd}", json!({})).await;
    world.settle().await;
    assert_eq!(world.message(&id).await["status"], "delivered");
}

#[tokio::test]
async fn an_action_with_a_bad_body_changes_nothing() {
    let world = World::start().await;
    let later = json!({"scheduled_for": world.in_minutes(5)});
    let id = world.send(&mobile(1), "Hi", later).await;
    let before = world.message(&id).await;
    let path = format!("/v1/messages/{id}/reschedule");
    for (body, status, code, field) in [
        (json!({}), 422, "missing_field", "scheduled_for"),
        (json!({"scheduled_for": null}), 422, "invalid_value", "scheduled_for"),
        (json!({"scheduled_for": "soon"}), 422, "invalid_time", "scheduled_for"),
        (json!({"scheduled_for": "2020-01-01T00:00:00Z"}), 422, "time_in_past", "scheduled_for"),
        (json!({"at": "2026-12-01T00:00:00Z"}), 422, "unknown_field", "at"),
    ] {
        let (found, found_code, found_field) = world.post(&path, &body).await.problem();
        assert_eq!((found, found_code.as_str()), (status, code), "{body}");
        assert_eq!(found_field.unwrap_or_default(), field, "{body}");
    }
    assert_eq!(world.message(&id).await, before);
}

#[tokio::test]
async fn a_list_is_not_taken_for_an_object_whose_fields_it_may_fit() {
    let world = World::start().await;
    let member = json!({"email": "ada@example.com", "role": "viewer"});
    let member = world.post("/v1/members", &member).await.ok(201);
    let path = format!("/v1/members/{}", member["id"].as_str().expect("an id"));
    for body in [json!([null, null]), json!([]), json!(["Eve", "admin"])] {
        let refused = world.patch(&path, &body).await.refusal();
        assert_eq!(refused, (422, "invalid_value".to_owned()), "{body}");
    }
    assert_eq!(world.get(&path).await.ok(200), member);
}

#[tokio::test]
async fn a_template_that_cannot_be_used_is_not_stored() {
    let world = World::start().await;
    let before = world.get("/v1/templates").await.ok(200);
    let long = "k".repeat(65);
    for (body, code, field) in [
        (json!({"channel": "sms", "body": "Hi"}), "invalid_key", "key"),
        (json!({"key": "Bad Key", "body": "Hi"}), "invalid_key", "key"),
        (json!({"key": long, "body": "Hi"}), "invalid_key", "key"),
        (json!({"key": "a"}), "missing_field", "body"),
        (json!({"key": "a", "body": " "}), "empty_body", "body"),
        (json!({"key": "a", "body": "{{ x"}), "invalid_template", "body"),
        (json!({"key": "a", "body": "Hi", "channel": "fax"}), "unknown_channel", "channel"),
        (json!({"key": "a", "body": "Hi", "sender_id": 7}), "invalid_value", "sender_id"),
        (json!({"key": "a", "body": "Hi", "colour": "red"}), "unknown_field", "colour"),
    ] {
        let refused = world.post("/v1/templates", &body).await.problem();
        assert_eq!(refused, (422, code.to_owned(), Some(field.to_owned())), "{body}");
    }
    assert_eq!(world.get("/v1/templates").await.ok(200), before);
}

#[tokio::test]
async fn settings_that_make_no_sense_are_not_taken() {
    let world = World::start().await;
    let before = world.get("/v1/settings").await.ok(200);
    for (patch, code, field) in [
        (json!({"max_attempts": 0}), "out_of_range", Some("max_attempts")),
        (json!({"max_segments": 11}), "out_of_range", Some("max_segments")),
        (json!({"time_zone": "Mars/Base"}), "unknown_time_zone", Some("time_zone")),
        (json!({"default_country": "XX"}), "unknown_country", Some("default_country")),
        (json!({"unknown_policy": "guess"}), "invalid_value", None),
        (json!({"max_attempts": -1}), "invalid_value", None),
        (json!({"colour": "red"}), "unknown_field", Some("colour")),
        (
            json!({"max_attempts": 2, "time_zone": "Nowhere"}),
            "unknown_time_zone",
            Some("time_zone"),
        ),
    ] {
        let (status, found, at) = world.patch("/v1/settings", &patch).await.problem();
        assert_eq!((status, found.as_str()), (422, code), "{patch}");
        assert!(field.is_none() || at.as_deref() == field, "{patch}: {at:?}");
        assert_eq!(world.get("/v1/settings").await.ok(200), before, "{patch}");
    }
}

#[tokio::test]
async fn a_period_that_is_none_is_refused_by_statistics() {
    let world = World::start().await;
    for (query, code) in [
        ("from=soon", "invalid_parameter"),
        ("to=2026-13-01", "invalid_parameter"),
        ("from=%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A4%A6%E0%A5%80", "invalid_parameter"),
        ("channel=fax", "invalid_parameter"),
        ("colour=red", "unknown_parameter"),
    ] {
        let refused = world.get(&format!("/v1/stats?{query}")).await.refusal();
        assert_eq!(refused, (400, code.to_owned()), "{query}");
    }
}
