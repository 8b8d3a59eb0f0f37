//! What an organization sets, as the API reads and writes it.

use carillon_domain::Role;
use carillon_domain::settings::Settings;
use carillon_tests::{Answer, World, callers, shows, with_json};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const PATH: &str = "/v1/settings";

fn all() -> Value {
    json!({
        "time_zone": "Australia/Sydney",
        "default_country": "AU",
        "quiet_hours": {
            "start": "20:30", "end": "07:15", "channels": ["sms", "whatsapp"],
            "by_channel": {"voice": {"start": "19:00", "end": "09:00"}},
        },
        "sending_enabled": false,
        "max_per_contact_per_day": 2,
        "max_per_hour": 10_000_000,
        "max_per_day": 1,
        "spend_limit_per_day": {"amount": "25.00", "currency": "AUD"},
        "spend_limit_per_month": {"amount": "0.000001", "currency": "USD"},
        "consent_required": ["promotional"],
        "max_attempts": 2,
        "max_segments": 3,
        "unknown_policy": "resend",
        "api_requests_per_second": 900,
        "retention": {"message_days": 90, "file_days": 7, "audit_days": null},
        "booking": {
            "confirmations": false, "reminders": true, "feedback": false,
            "reminder_hours_before": 48, "feedback_hours_after": 0,
        },
        "feedback_url": "https://coaching.example.com/rate",
        "help_text": "Grace Coaching. Reply STOP to end.",
        "stop_text": "You get no more messages.",
        "first_message_text": "Reply STOP to end.",
        "keyword_answers": "provider",
        "notify": [
            {"by": "sms", "to": "+61491570006", "about": ["spend"]},
            {"by": "webhook", "url": "https://example.com/trouble", "about": ["integration", "dead_letter"]},
        ],
    })
}

#[tokio::test]
async fn every_setting_is_kept_as_it_was_set() {
    let world = World::start().await;
    let before = world.get(PATH).await.ok(200);
    let fields = |v: &Value| v.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&before), fields(&all()), "a field that cannot be set");
    let answer = world.patch(PATH, &all()).await.ok(200);
    assert_eq!(answer, all());
    assert_eq!(world.get(PATH).await.ok(200), all());
    // Each alone leaves the others.
    let _ = world.patch(PATH, &before).await.ok(200);
    let mut expected = before;
    for (field, value) in all().as_object().expect("an object") {
        expected[field] = value.clone();
        assert_eq!(world.patch(PATH, &json!({field: value})).await.ok(200), expected, "{field}");
    }
    assert_eq!(world.patch(PATH, &json!({})).await.ok(200), all());
}

#[tokio::test]
async fn null_clears_what_may_be_empty() {
    let world = World::start().await;
    let _ = world.patch(PATH, &all()).await.ok(200);
    let mut expected = all();
    for field in [
        "default_country",
        "quiet_hours",
        "max_per_contact_per_day",
        "max_per_hour",
        "max_per_day",
        "spend_limit_per_day",
        "spend_limit_per_month",
        "api_requests_per_second",
        "feedback_url",
        "help_text",
        "stop_text",
        "first_message_text",
    ] {
        expected[field] = Value::Null;
        assert_eq!(world.patch(PATH, &json!({field: null})).await.ok(200), expected, "{field}");
        assert_eq!(world.get(PATH).await.ok(200), expected, "{field}");
    }
    for field in
        ["time_zone", "sending_enabled", "consent_required", "max_attempts", "unknown_policy"]
    {
        let refused = world.patch(PATH, &json!({field: null})).await.refusal();
        assert_eq!(refused, (422, "invalid_value".to_owned()), "{field}");
    }
    assert_eq!(world.get(PATH).await.ok(200), expected);
    let _ = world.patch(PATH, &json!({"consent_required": []})).await.ok(200);
}

#[tokio::test]
async fn what_means_the_same_is_written_one_way() {
    let world = World::start().await;
    for (given, shown) in [
        (json!({"time_zone": "europe/london"}), json!({"time_zone": "Europe/London"})),
        (json!({"default_country": "in"}), json!({"default_country": "IN"})),
        (
            json!({"quiet_hours": {"start": "21:00:00", "end": "08:00"}}),
            json!({"quiet_hours": {"start": "21:00", "end": "08:00",
                "channels": ["sms", "whatsapp", "whatsapp_group", "voice"]}}),
        ),
        (
            json!({"quiet_hours": {"start": "21:00", "end": "08:00", "channels": ["sms", "sms"]}}),
            json!({"quiet_hours": {"channels": ["sms"]}}),
        ),
        (
            json!({"consent_required": ["promotional", "promotional"]}),
            json!({"consent_required": ["promotional"]}),
        ),
    ] {
        shows(&world.patch(PATH, &given).await.ok(200), &shown);
    }
}

#[tokio::test]
async fn each_wrong_value_is_named_and_nothing_is_changed() {
    let world = World::start().await;
    let before = world.get(PATH).await.ok(200);
    let quiet = |more: Value| {
        let mut quiet = json!({"start": "21:00", "end": "08:00"});
        for (field, value) in more.as_object().expect("an object") {
            quiet[field] = value.clone();
        }
        json!({"quiet_hours": quiet, "max_attempts": 2})
    };
    let voice = |window: Value| quiet(json!({"by_channel": {"voice": window}}));
    let money = |amount: &str, currency: &str| json!({"spend_limit_per_day": {"amount": amount, "currency": currency}, "max_attempts": 2});
    for (patch, code, field) in [
        (quiet(json!({"start": "25:00"})), "invalid_time", "quiet_hours.start"),
        (quiet(json!({"start": "9 PM"})), "invalid_time", "quiet_hours.start"),
        (quiet(json!({"end": "08:00:30"})), "invalid_time", "quiet_hours.end"),
        (quiet(json!({"end": "21:00"})), "empty_window", "quiet_hours.end"),
        (quiet(json!({"channels": ["fax"]})), "unknown_channel", "quiet_hours.channels"),
        (quiet(json!({"channels": []})), "no_channel", "quiet_hours.channels"),
        (quiet(json!({"colour": "red"})), "unknown_field", "colour"),
        (
            voice(json!({"start": "20:00", "end": "9:00"})),
            "invalid_time",
            "quiet_hours.by_channel.voice.end",
        ),
        (
            voice(json!({"start": "20:00", "end": "20:00"})),
            "empty_window",
            "quiet_hours.by_channel.voice.end",
        ),
        (voice(json!({"start": "20:00"})), "missing_field", "end"),
        (
            quiet(json!({"by_channel": {"fax": {"start": "20:00", "end": "09:00"}}})),
            "unknown_channel",
            "quiet_hours.by_channel.fax",
        ),
        (json!({"quiet_hours": {"start": "21:00"}}), "missing_field", "end"),
        (json!({"max_per_hour": 0}), "out_of_range", "max_per_hour"),
        (json!({"max_per_day": 10_000_001}), "out_of_range", "max_per_day"),
        (json!({"max_per_contact_per_day": 0}), "out_of_range", "max_per_contact_per_day"),
        (money("-1", "USD"), "invalid_amount", "spend_limit_per_day.amount"),
        (money("1e3", "USD"), "invalid_amount", "spend_limit_per_day.amount"),
        (money("0.00", "USD"), "invalid_amount", "spend_limit_per_day.amount"),
        (money("1000000", "USD"), "invalid_amount", "spend_limit_per_day.amount"),
        (money("1.00", "usd"), "invalid_currency", "spend_limit_per_day.currency"),
        (json!({"consent_required": ["spam"]}), "unknown_purpose", "consent_required"),
        (json!({"time_zone": "Etc/Unknown"}), "unknown_time_zone", "time_zone"),
        (json!({"time_zone": "Factory"}), "unknown_time_zone", "time_zone"),
        (json!({"time_zone": ""}), "unknown_time_zone", "time_zone"),
        (
            json!({"booking": {"reminder_hours_before": 0}}),
            "out_of_range",
            "booking.reminder_hours_before",
        ),
        (
            json!({"booking": {"feedback_hours_after": 721}}),
            "out_of_range",
            "booking.feedback_hours_after",
        ),
        (json!({"booking": {"colour": "red"}}), "unknown_field", "colour"),
        (json!({"feedback_url": "http://example.com"}), "url_not_https", "feedback_url"),
        (json!({"feedback_url": "https://localhost/x"}), "url_not_public", "feedback_url"),
        (json!({"feedback_url": "https://example.com/#a"}), "invalid_url", "feedback_url"),
        (json!({"help_text": ""}), "invalid_text", "help_text"),
        (json!({"stop_text": "x".repeat(481)}), "invalid_text", "stop_text"),
        (json!({"help_text": "Hi {{ name }}"}), "variables_not_allowed", "help_text"),
        (json!({"notify": [{"by": "pigeon"}]}), "invalid_value", "notify[0].by"),
        (json!({"notify": [{"by": "email"}]}), "missing_field", "notify[0].to"),
        (json!({"notify": [{"by": "email", "to": "ada"}]}), "invalid_email", "notify[0].to"),
        (json!({"notify": [{"by": "sms"}]}), "missing_field", "notify[0].to"),
        (json!({"notify": [{"by": "sms", "to": "+1"}]}), "invalid_phone_number", "notify[0].to"),
        (
            json!({"notify": [{"by": "webhook", "url": "https://10.0.0.1/"}]}),
            "url_not_public",
            "notify[0].url",
        ),
        (
            json!({"notify": [{"by": "sms", "to": "+61491570006", "about": ["weather"]}]}),
            "invalid_value",
            "notify[0].about",
        ),
        (
            json!({"notify": vec![json!({"by": "sms", "to": "+61491570006"}); 11]}),
            "too_many",
            "notify",
        ),
    ] {
        let answer = world.patch(PATH, &patch).await;
        let (status, found, at) = answer.problem();
        assert_eq!((status, found.as_str(), at.as_deref()), (422, code, Some(field)), "{patch}");
        let document = answer.ok(422);
        let sentence = document["detail"].as_str().unwrap_or_default();
        assert!(sentence.ends_with('.') && sentence.len() > 20, "{sentence}");
    }
    for wrong_kind in [
        json!({"quiet_hours": "21:00-08:00"}),
        json!({"quiet_hours": {"start": 21, "end": 8}}),
        json!({"sending_enabled": "no"}),
        json!({"max_per_hour": -1}),
        json!({"max_per_hour": "500"}),
        json!({"spend_limit_per_day": 25}),
        json!({"consent_required": "promotional"}),
        json!({"unknown_policy": 5}),
    ] {
        let refused = world.patch(PATH, &wrong_kind).await.refusal();
        assert_eq!(refused, (422, "invalid_value".to_owned()), "{wrong_kind}");
    }
    assert_eq!(world.get(PATH).await.ok(200), before);
    // All that is wrong is told at once.
    let many =
        json!({"max_per_hour": 0, "time_zone": "x", "quiet_hours": {"start": "x", "end": "y"}});
    let document = world.patch(PATH, &many).await.ok(422);
    assert_eq!(document["errors"].as_array().map(Vec::len), Some(4), "{document}");
}

#[tokio::test]
async fn a_viewer_may_look_but_not_set() {
    let world = World::start().await;
    callers::add(&world.stack.ctx, world.stack.org, "crl_viewer", Role::Viewer).await;
    let by_viewer = |method, body: Value| {
        Answer::to(with_json(world.request_by("crl_viewer", method, PATH), &body))
    };
    let before = by_viewer(Method::GET, json!({})).await.ok(200);
    for (field, value) in all().as_object().expect("an object") {
        let refused = by_viewer(Method::PATCH, json!({field: value})).await.refusal();
        assert_eq!(refused, (403, "role_too_low".to_owned()), "{field}");
    }
    assert_eq!(world.get(PATH).await.ok(200), before);
}

/// The switch that stops sending must not be taken back by somebody who
/// changes the price at the same moment.
#[tokio::test]
async fn changes_at_the_same_moment_are_all_kept() {
    let world = World::start().await;
    for round in 1..=5 {
        let patches = [
            json!({"sending_enabled": round % 2 == 0}),
            json!({"max_per_hour": round}),
            json!({"max_per_day": round}),
            json!({"max_per_contact_per_day": round}),
            json!({"max_attempts": round}),
            json!({"max_segments": round}),
            json!({"spend_limit_per_day": {"amount": format!("{round}.00"), "currency": "USD"}}),
            json!({"quiet_hours": {"start": "21:00", "end": format!("0{round}:00")}}),
        ];
        let request = |patch| with_json(world.request(Method::PATCH, PATH), patch);
        let answers: JoinSet<_> = patches.iter().map(|p| Answer::to(request(p))).collect();
        for answer in answers.join_all().await {
            let _ = answer.ok(200);
        }
        let kept = world.get(PATH).await.ok(200);
        for patch in &patches {
            shows(&kept, patch);
        }
    }
}

#[test]
fn settings_of_an_earlier_release_have_the_defaults_for_the_rest() {
    let stored = json!({
        "time_zone": "Asia/Kolkata", "default_country": "IN", "max_attempts": 3,
        "max_segments": 2, "unknown_policy": "resend",
    });
    let read: Settings = serde_json::from_value(stored.clone()).expect("as it was written");
    let mut expected = json!(Settings::default());
    for (field, value) in stored.as_object().expect("an object") {
        expected[field] = value.clone();
    }
    assert_eq!(json!(read), expected);
    shows(
        &expected,
        &json!({
            "quiet_hours": {"start": "21:00", "end": "08:00",
                "channels": ["sms", "whatsapp", "whatsapp_group", "voice"]},
            "sending_enabled": true, "max_per_contact_per_day": 5, "max_per_hour": 500,
            "max_per_day": null, "spend_limit_per_day": null, "consent_required": [],
        }),
    );
}
