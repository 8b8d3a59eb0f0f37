//! Templates: kinds, versions, languages, previews, and what is refused when
//! they are stored rather than when they are sent.

use carillon_tests::people::{indian, mobile};
use carillon_tests::{Answer, World, shows, with_json};
use reqwest::Method;
use serde_json::{Value, json};

async fn made(world: &World, template: Value) -> String {
    let made = world.post("/v1/templates", &template).await.ok(201);
    made["id"].as_str().expect("an id").to_owned()
}

async fn delete(world: &World, path: &str) -> Answer {
    Answer::to(world.request(Method::DELETE, path)).await
}

async fn preview(world: &World, id: &str, body: Value) -> Answer {
    world.post(&format!("/v1/templates/{id}/preview"), &body).await
}

#[tokio::test]
async fn an_organization_begins_with_the_templates_of_its_bookings() {
    let world = World::start().await;
    let new = json!({"name": "Coaching"});
    let other = world.post("/v1/organizations", &new).await.ok(201);
    let key = other["admin_key"].as_str().expect("a secret");
    for secret in [carillon_tests::ADMIN_KEY, key] {
        let list = Answer::to(world.request_by(secret, Method::GET, "/v1/templates")).await.ok(200);
        let mut keys: Vec<_> = list["data"].as_array().expect("templates").iter().collect();
        keys.sort_by_key(|t| t["key"].to_string());
        let keys: Vec<_> = keys.iter().map(|t| &t["key"]).collect();
        assert_eq!(keys, ["booking_confirmation", "feedback_request", "session_reminder"]);
    }
    // What is deleted stays deleted when the program starts again.
    let list = world.get("/v1/templates").await.ok(200);
    let id = list["data"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(delete(&world, &format!("/v1/templates/{id}")).await.status, 204);
    let hash = carillon_admin_api::first_organization::hash(carillon_tests::ADMIN_KEY);
    let again = carillon_admin_api::first_organization::ensure(&world.stack.ctx, &hash).await;
    assert!(again.is_ok());
    let left = world.get("/v1/templates").await.ok(200);
    assert_eq!(left["data"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn every_version_is_kept_and_can_be_read() {
    let world = World::start().await;
    let id = made(&world, json!({"key": "notice", "body": "One"})).await;
    let path = format!("/v1/templates/{id}");
    for body in ["Two", "Three"] {
        let _ = world.patch(&path, &json!({"body": body})).await.ok(200);
    }
    let page = world.get(&format!("{path}/versions?limit=2")).await.ok(200);
    shows(&page, &json!({"data": [{"version": 3, "body": "Three"}, {"version": 2}]}));
    let next = page["next_cursor"].as_str().expect("another page");
    let page = world.get(&format!("{path}/versions?limit=2&cursor={next}")).await.ok(200);
    shows(&page, &json!({"data": [{"version": 1, "body": "One"}], "next_cursor": null}));
    let text = preview(&world, &id, json!({"version": 2})).await.ok(200);
    shows(&text, &json!({"template": "notice@2", "body": "Two"}));
    let refused = preview(&world, &id, json!({"version": 4})).await.problem();
    assert_eq!(refused, (422, "unknown_version".to_owned(), Some("version".to_owned())));
}

#[tokio::test]
async fn a_deleted_template_is_sent_no_more_but_what_was_promised_is() {
    let world = World::start().await;
    let id = made(&world, json!({"key": "notice", "body": "First"})).await;
    let later = json!({
        "channel": "sms", "to": mobile(1), "template": "notice",
        "scheduled_for": world.in_minutes(2),
    });
    let _ = world.post("/v1/messages", &later).await.ok(202);
    let path = format!("/v1/templates/{id}");
    assert_eq!(delete(&world, &path).await.status, 204);
    assert_eq!(world.get(&path).await.status, 404);
    assert_eq!(delete(&world, &path).await.status, 404);
    let refused = world.post("/v1/messages", &later).await.refusal();
    assert_eq!(refused, (422, "unknown_template".to_owned()));
    // Its key is free for another one.
    let other = made(&world, json!({"key": "notice", "body": "Second"})).await;
    assert_ne!(other, id);
    world.advance(2).await;
    let bodies: Vec<_> = world.received().await.into_iter().map(|r| r.body).collect();
    assert_eq!(bodies, ["First"]);
}

#[tokio::test]
async fn each_kind_is_shown_as_it_was_written() {
    let world = World::start().await;
    for template in [
        json!({
            "key": "a", "channel": "sms", "kind": "text", "body": "Hi {{ contact.name }}",
            "language": "en", "translations": {"hi-IN": "नमस्ते {{ contact.name }}"},
            "strategy": "warm",
        }),
        json!({
            "key": "b", "channel": "sms", "kind": "dlt", "body": "Dear {#var#}, fee {#numeric#}.",
            "dlt_template_id": "1107160000000000001", "entity_id": "1101160000000000001",
            "sender_id": "CARLLN", "category": "service_explicit",
            "variables": [
                {"key": "name", "label": "Customer name", "required": true, "default": null},
                {"key": "fee", "label": null, "required": true, "default": "100"},
            ],
            "warnings": [{"code": "promotional_hours"}],
        }),
        json!({
            "key": "c", "channel": "whatsapp", "kind": "whatsapp_campaign", "body": "",
            "campaign_name": "nov_meetup",
            "variables": [{"key": "name", "label": null, "required": true, "default": null}],
        }),
        json!({
            "key": "d", "channel": "voice", "kind": "voice", "body": "Hello {{ name }}",
            "keys": {"1": {"answer": "confirm", "label": "Yes", "say": "Thank you."}},
        }),
        json!({
            "key": "e", "channel": "voice", "kind": "voice", "body": "",
            "audio_url": "https://example.org/a.mp3",
        }),
        json!({"key": "f", "channel": "whatsapp_group", "kind": "text", "body": "Hi all"}),
    ] {
        let mut new = template.clone();
        if let Some(fields) = new.as_object_mut() {
            fields.retain(|name, value| name != "warnings" && *value != json!(""));
        }
        let id = made(&world, new).await;
        let path = format!("/v1/templates/{id}");
        shows(&world.get(&path).await.ok(200), &template);
        // A change of something else leaves it as it is.
        let renamed = world.patch(&path, &json!({"name": "Renamed"})).await.ok(200);
        shows(&renamed, &template);
        shows(&renamed, &json!({"name": "Renamed", "version": 2}));
    }
    // The channel follows from the kind.
    let voice = json!({"key": "g", "kind": "voice", "body": "Hello"});
    let made = world.post("/v1/templates", &voice).await.ok(201);
    shows(&made, &json!({"channel": "voice"}));
}

#[tokio::test]
async fn a_person_reads_the_language_that_is_nearest() {
    let world = World::start().await;
    let template = json!({
        "key": "notice", "body": "Hi {{ contact.first_name }}", "language": "en",
        "translations": {"hi": "नमस्ते {{ contact.first_name }}", "pt-BR": "Oi {{ contact.first_name }}"},
    });
    let id = made(&world, template).await;
    for (language, body, in_language) in [
        (Value::Null, "Hi Ada", "en"),
        (json!("hi-IN"), "नमस्ते Ada", "hi"),
        (json!("pt"), "Oi Ada", "pt-BR"),
        (json!("fr"), "Hi Ada", "en"),
    ] {
        let text = preview(&world, &id, json!({"language": language})).await.ok(200);
        shows(&text, &json!({"body": body, "language": in_language}));
    }
    let text = preview(&world, &id, json!({"language": "hi"})).await.ok(200);
    shows(&text, &json!({"encoding": "ucs2", "segments": 1}));
}

#[tokio::test]
async fn a_preview_says_what_is_missing() {
    let world = World::start().await;
    let template = json!({
        "key": "notice",
        "body": "{{ name }} {{ seat }} {{ contact.attributes.city }} {{ workshop.title }}",
        "variables": [{"key": "seat", "default": "any"}],
    });
    let id = made(&world, template).await;
    for (body, code, field) in [
        (
            json!({"variables": {"name": "Ada"}}),
            "missing_variable",
            "variables.contact.attributes.city",
        ),
        (json!({"contact_id": "con_0000000000000000"}), "unknown_contact", "contact_id"),
        (json!({"contact_id": "nobody"}), "unknown_contact", "contact_id"),
        (json!({"language": "english"}), "invalid_language", "language"),
        (json!({"colour": "red"}), "unknown_field", "colour"),
    ] {
        let refused = preview(&world, &id, body.clone()).await.problem();
        assert_eq!(refused, (422, code.to_owned(), Some(field.to_owned())), "{body}");
    }
    assert_eq!(world.received().await.len(), 0);
}

#[tokio::test]
async fn what_an_operator_would_refuse_is_refused_when_it_is_stored() {
    let world = World::start().await;
    let good = json!({
        "key": "class", "kind": "dlt", "body": "Dear {#var#}, class at {#var#}.",
        "dlt_template_id": "1107160000000000001", "sender_id": "CARLLN",
        "variables": [{"key": "name"}, {"key": "time"}],
    });
    let with = |changes: Value| {
        let mut body = good.clone();
        let fields = body.as_object_mut().expect("an object");
        for (name, value) in changes.as_object().expect("an object") {
            fields.insert(name.clone(), value.clone());
        }
        body
    };
    for (changes, code, field) in [
        (json!({"sender_id": "CARILLN"}), "invalid_header", "sender_id"),
        (json!({"sender_id": "CARLL"}), "invalid_header", "sender_id"),
        (json!({"sender_id": "123456"}), "invalid_header", "sender_id"),
        (json!({"dlt_template_id": "110716"}), "invalid_dlt_id", "dlt_template_id"),
        (json!({"entity_id": "11071600000000000ab"}), "invalid_dlt_id", "entity_id"),
        (json!({"dlt_template_id": null}), "missing_dlt_template_id", "dlt_template_id"),
        (json!({"body": "Dear {#var#}."}), "slot_count_mismatch", "body"),
        (json!({"body": "Dear {#name#}, {#var#}."}), "unknown_slot", "body"),
        (json!({"body": "Dear {{ name }}, {#var#}."}), "invalid_template", "body"),
        (json!({"body": "Dear {#var#}, {#var."}), "invalid_template", "body"),
        (json!({"category": "spam"}), "invalid_value", "category"),
        (json!({"language": "en"}), "field_of_other_kind", "language"),
        (json!({"channel": "whatsapp"}), "wrong_channel", "channel"),
        (
            json!({"variables": [{"key": "name"}, {"key": "time", "default": "x".repeat(31)}]}),
            "slot_value_too_long",
            "variables[1].default",
        ),
        (
            json!({"variables": [{"key": "name"}, {"key": "time", "required": false}]}),
            "missing_variable",
            "variables[1].required",
        ),
        (
            json!({"variables": [{"key": "name"}, {"key": "name"}]}),
            "duplicate_variable",
            "variables[1].key",
        ),
    ] {
        let refused = world.post("/v1/templates", &with(changes.clone())).await.problem();
        assert_eq!(refused, (422, code.to_owned(), Some(field.to_owned())), "{changes}");
    }
    // Before it is registered it can be kept, switched off.
    let draft = with(json!({"key": "draft", "dlt_template_id": null, "is_active": false}));
    let draft = made(&world, draft).await;
    let on = world.patch(&format!("/v1/templates/{draft}"), &json!({"is_active": true})).await;
    assert_eq!(on.refusal(), (422, "missing_dlt_template_id".to_owned()));

    let id = made(&world, good.clone()).await;
    let path = format!("/v1/templates/{id}");
    let reworded = json!({"body": "Dear {#var#}, lesson at {#var#}."});
    let refused = world.patch(&path, &reworded).await.problem();
    let field = Some("body".to_owned());
    assert_eq!(refused, (422, "registered_text_changed".to_owned(), field));
    let renamed = json!({"variables": [{"key": "who"}, {"key": "when", "label": "Start"}]});
    let _ = world.patch(&path, &renamed).await.ok(200);
    let registered = json!({
        "body": "Dear {#var#}, lesson at {#var#}.", "dlt_template_id": "1107160000000000002",
    });
    shows(&world.patch(&path, &registered).await.ok(200), &json!({"version": 3}));
}

#[tokio::test]
async fn a_value_that_an_operator_would_drop_is_refused_at_the_door() {
    let world = World::start().await;
    let template = json!({
        "key": "class", "kind": "dlt", "body": "Dear {#var#}, fee {#numeric#} at {#url#}.",
        "dlt_template_id": "1107160000000000001",
        "variables": [{"key": "name"}, {"key": "fee"}, {"key": "page", "default": "https://a.in"}],
    });
    let _ = made(&world, template).await;
    let send = |variables: Value| json!({"channel": "sms", "to": indian(1), "template": "class", "variables": variables});
    for (variables, code, field) in [
        (json!({"name": "x".repeat(31), "fee": 100}), "slot_value_too_long", "variables.name"),
        (json!({"name": "see www.a.in", "fee": 100}), "link_in_slot", "variables.name"),
        (json!({"name": "Asha", "fee": "none"}), "slot_value_mismatch", "variables.fee"),
        (
            json!({"name": "Asha", "fee": 1, "page": "soon"}),
            "slot_value_mismatch",
            "variables.page",
        ),
        (json!({"name": "Asha"}), "missing_variable", "variables.fee"),
        (json!({"name": "", "fee": 1}), "missing_variable", "variables.name"),
    ] {
        let refused = world.post("/v1/messages", &send(variables.clone())).await.problem();
        assert_eq!(refused, (422, code.to_owned(), Some(field.to_owned())), "{variables}");
    }
    let sent = world.post("/v1/messages", &send(json!({"name": "Asha", "fee": 100}))).await.ok(202);
    shows(
        &sent,
        &json!({
            "body": "Dear Asha, fee 100 at https://a.in.",
            "variables": {"name": "Asha", "fee": 100, "page": "https://a.in"},
        }),
    );
}

#[tokio::test]
async fn a_promotional_registration_goes_by_the_rules_of_promotion() {
    let world = World::start().await;
    let template = json!({
        "key": "offer", "kind": "dlt", "body": "Offer for {#var#}.", "category": "promotional",
        "dlt_template_id": "1107160000000000001", "sender_id": "612345",
    });
    let _ = made(&world, template).await;
    let send = |purpose: Value| {
        json!({
            "channel": "sms", "to": indian(1), "template": "offer", "purpose": purpose,
            "variables": {"var1": "Asha"}, "scheduled_for": "2026-11-22T09:00:00+05:30",
        })
    };
    let refused = world.post("/v1/messages", &send(json!("transactional"))).await.problem();
    let field = Some("purpose".to_owned());
    assert_eq!(refused, (422, "purpose_of_template".to_owned(), field));
    for purpose in [Value::Null, json!("promotional")] {
        let shown = world.post("/v1/messages/preview", &send(purpose)).await.ok(200);
        let until = "2026-11-22T04:30:00Z";
        let reason = "promotional_hours";
        shows(&shown, &json!({"decision": "deferred", "reason": reason, "until": until}));
    }
}

#[tokio::test]
async fn what_makes_no_template_of_its_kind_is_refused() {
    let world = World::start().await;
    let before = world.get("/v1/templates").await.ok(200);
    let many: Vec<_> = (0..51).map(|n| json!({"key": format!("v{n}")})).collect();
    for (body, code, field) in [
        (json!({"kind": "fax", "body": "Hi"}), "unknown_kind", "kind"),
        (json!({"kind": "voice"}), "missing_field", "body"),
        (json!({"kind": "voice", "body": "Hi", "channel": "sms"}), "wrong_channel", "channel"),
        (
            json!({"kind": "voice", "body": "Hi", "audio_url": "https://a.in/a.mp3"}),
            "body_and_audio",
            "audio_url",
        ),
        (
            json!({"kind": "voice", "audio_url": "http://10.0.0.1/a"}),
            "invalid_media_url",
            "audio_url",
        ),
        (
            json!({"kind": "voice", "body": "Hi", "keys": {"a": {"answer": "confirm"}}}),
            "unknown_key",
            "keys.a",
        ),
        (
            json!({"kind": "voice", "body": "Hi", "keys": {"1": {"answer": "dance"}}}),
            "invalid_value",
            "keys.1.answer",
        ),
        (json!({"kind": "whatsapp_campaign"}), "missing_field", "campaign_name"),
        (
            json!({"kind": "whatsapp_campaign", "campaign_name": "x", "body": "Hi {{ name }}"}),
            "unknown_variable",
            "body",
        ),
        (json!({"body": "Hi", "campaign_name": "x"}), "field_of_other_kind", "campaign_name"),
        (json!({"body": "Hi", "audio_url": "https://a.in"}), "field_of_other_kind", "audio_url"),
        (json!({"body": "Hi {{ contact.nam }}"}), "unknown_variable", "body"),
        (json!({"body": "Hi {{ workshop.day | default('') }}"}), "unknown_variable", "body"),
        (json!({"body": "Hi", "language": "english"}), "invalid_language", "language"),
        (
            json!({"body": "Hi", "translations": {"de": "{{ x"}}),
            "invalid_template",
            "translations.de",
        ),
        (json!({"body": "Hi", "translations": {"de": " "}}), "empty_body", "translations.de"),
        (
            json!({"body": "Hi", "language": "de", "translations": {"DE": "Hallo"}}),
            "duplicate_language",
            "translations.DE",
        ),
        (
            json!({"body": "Hi", "variables": [{"key": "a b"}]}),
            "invalid_variable",
            "variables[0].key",
        ),
        (
            json!({"body": "Hi", "variables": [{"key": "contact"}]}),
            "reserved_variable",
            "variables[0].key",
        ),
        (json!({"body": "Hi", "variables": many}), "invalid_value", "variables"),
        (json!({"body": "Hi", "dlt_template_id": "7"}), "invalid_dlt_id", "dlt_template_id"),
        (json!({"body": "Hi", "name": "x".repeat(201)}), "invalid_value", "name"),
    ] {
        let mut new = body.clone();
        new["key"] = json!("a");
        let refused = world.post("/v1/templates", &new).await.problem();
        assert_eq!(refused, (422, code.to_owned(), Some(field.to_owned())), "{body}");
    }
    assert_eq!(world.get("/v1/templates").await.ok(200), before);
    let id = made(&world, json!({"key": "a", "body": "Hi"})).await;
    let path = format!("/v1/templates/{id}");
    for (patch, code) in [
        (json!({"key": "b"}), "key_is_fixed"),
        (json!({"channel": "whatsapp"}), "channel_is_fixed"),
        (json!({"body": null}), "empty_body"),
        (json!({"kind": "voice"}), "wrong_channel"),
    ] {
        assert_eq!(world.patch(&path, &patch).await.refusal(), (422, code.to_owned()), "{patch}");
    }
    shows(&world.get(&path).await.ok(200), &json!({"version": 1, "body": "Hi"}));
}

#[tokio::test]
async fn texts_of_the_library_make_templates() {
    let world = World::start().await;
    let library = world.get("/v1/templates/library").await.ok(200);
    let ready = library["data"].as_array().expect("texts");
    assert!(ready.len() >= 6);
    for text in ready {
        let mut new = text.clone();
        let fields = new.as_object_mut().expect("an object");
        let _ = fields.remove("description");
        fields.insert(
            "key".to_owned(),
            json!(format!("my_{}", text["key"].as_str().expect("a key"))),
        );
        let _ =
            Answer::to(with_json(world.request(Method::POST, "/v1/templates"), &new)).await.ok(201);
    }
}

#[tokio::test]
async fn a_file_gets_the_defaults_of_its_template_and_rows_that_do_not_fit_a_slot_are_rejected() {
    let world = World::start().await;
    let template = json!({
        "key": "class", "kind": "dlt", "body": "Dear {#var#}, fee {#numeric#}.",
        "dlt_template_id": "1107160000000000001",
        "variables": [{"key": "name"}, {"key": "fee", "default": "100"}],
    });
    let _ = made(&world, template).await;
    let long = "x".repeat(31);
    let file = format!("to,name\n{},Asha\n{},{long}\n", indian(1), indian(2));
    let (kind, form) =
        carillon_tests::file_form(file.as_bytes(), &[("channel", "sms"), ("template", "class")]);
    let request = world.request(Method::POST, "/v1/messages/bulk").header("content-type", kind);
    let import = Answer::to(request.body(form)).await.ok(202);
    world.advance(1).await;
    let id = import["id"].as_str().expect("an id");
    let rejected = world.get(&format!("/v1/imports/{id}/rejected")).await;
    assert!(rejected.text.contains("slot_value_too_long"), "{}", rejected.text);
    let bodies: Vec<_> = world.received().await.into_iter().map(|r| r.body).collect();
    assert_eq!(bodies, ["Dear Asha, fee 100."]);
}

#[tokio::test]
async fn a_preview_is_what_a_contact_would_read() {
    let world = World::start().await;
    let template = json!({
        "key": "notice", "language": "en",
        "body": "Hi {{ contact.first_name }} of {{ contact.attributes.city | default('there') }}: \
                 {{ workshop.date }}",
        "translations": {"hi": "{{ contact.first_name }}: {{ workshop.date }}"},
    });
    let id = made(&world, template).await;
    for (contact, body) in [
        (
            json!({"name": "Grace Hopper", "attributes": {"city": "Pune"}}),
            "Hi Grace of Pune: Sun 22 Nov",
        ),
        (json!({"name": "Asha", "language": "hi-IN"}), "Asha: रवि, 22 नव॰"),
    ] {
        let contact = world.post("/v1/contacts", &contact).await.ok(201);
        let text = preview(&world, &id, json!({"contact_id": contact["id"]})).await.ok(200);
        shows(&text, &json!({"body": body}));
    }
    // Somebody of whom there is no name.
    let nameless = world.post("/v1/contacts", &json!({"phone": mobile(1)})).await.ok(201);
    let refused = preview(&world, &id, json!({"contact_id": nameless["id"]})).await.problem();
    let field = Some("variables.contact.first_name".to_owned());
    assert_eq!(refused, (422, "missing_variable".to_owned(), field));
}

#[tokio::test]
async fn what_is_registered_for_promotion_is_sent_to_a_workshop_as_nothing_else() {
    let world = World::start().await;
    let template = json!({
        "key": "offer", "kind": "dlt", "body": "Offer for {#var#}.", "category": "promotional",
        "dlt_template_id": "1107160000000000001", "variables": [{"key": "name"}],
    });
    let _ = made(&world, template).await;
    let steps = json!([
        {"template": "offer", "send_time": "11:00", "variables": {"name": "you"}},
    ]);
    let tag = world.tag(steps).await;
    let workshop = world.workshop(&tag).await;
    let contact = world.contact(1, true).await;
    let _ = world.register(&workshop, &[contact]).await.ok(200);
    for (action, body) in [
        ("run-sequence", json!({"channel": "sms", "purpose": "transactional"})),
        (
            "send-now",
            json!({
                "channel": "sms", "template": "offer", "variables": {"name": "you"},
                "purpose": "transactional",
            }),
        ),
    ] {
        let path = format!("/v1/workshops/{workshop}/{action}");
        let refused = world.post(&path, &body).await.problem();
        let field = Some("purpose".to_owned());
        assert_eq!(refused, (422, "purpose_of_template".to_owned(), field), "{action}");
    }
    let path = format!("/v1/workshops/{workshop}/run-sequence");
    let run = world.post(&path, &json!({"channel": "sms"})).await.ok(202);
    let campaign = run["campaign_id"].as_str().expect("an id");
    let shown = world.get(&format!("/v1/campaigns/{campaign}")).await.ok(200);
    shows(&shown, &json!({"purpose": "promotional"}));
}

#[tokio::test]
async fn templates_are_listed_by_channel_kind_language_and_whether_they_are_switched_on() {
    let world = World::start().await;
    for template in [
        json!({"key": "english", "body": "Hi", "language": "en", "translations": {"de-AT": "Servus"}}),
        json!({"key": "off", "body": "Bye", "is_active": false}),
        json!({"key": "call", "kind": "voice", "body": "Hello"}),
        json!({"key": "invitation", "kind": "whatsapp_campaign", "campaign_name": "nov", "body": "Hi"}),
    ] {
        let _ = made(&world, template).await;
    }
    for (filter, expected) in [
        ("channel=voice", vec!["call"]),
        ("kind=whatsapp_campaign", vec!["invitation"]),
        ("language=de", vec!["english"]),
        ("language=DE-at&channel=sms", vec!["english"]),
        ("language=d", vec![]),
        ("is_active=false", vec!["off"]),
        ("channel=voice&is_active=false", vec![]),
    ] {
        let page = world.get(&format!("/v1/templates?{filter}")).await.ok(200);
        let keys: Vec<_> = page["data"].as_array().expect("a list").iter().collect();
        let keys: Vec<_> = keys.iter().map(|t| t["key"].as_str().expect("a key")).collect();
        assert_eq!(keys, expected, "{filter}");
        assert_eq!(page["next_cursor"], Value::Null, "{filter}");
    }
    // Page by page each is shown once, however narrow the filter is.
    let mut found = 0;
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/templates?channel=sms&is_active=true&limit=1{cursor}");
        let page = world.get(&path).await.ok(200);
        found += page["data"].as_array().map_or(0, Vec::len);
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, 4, "three that were there, and one");
    let refused = world.get("/v1/templates?kind=poem").await;
    assert_eq!(refused.status, 400, "{}", refused.text);
}
