//! The settings page: all that an organization can set.

use carillon_domain::Role;
use carillon_tests::browser::csrf;
use carillon_tests::{Answer, World};
use serde_json::json;

use super::{hidden, reader, shows};

/// The form as it is on the page, with some fields changed: texts, crosses and choices as a browser sends them.
fn filled(page: &Answer, changed: &[(&str, &str)], without: &[&str]) -> Vec<(String, String)> {
    let (_, form) = page.text.split_once("action=\"/console/settings\"").expect("a form");
    let form = form.split("</form>").next().expect("its end");
    let text = |text: &str| text.replace("&#34;", "\"").replace("&#38;", "&");
    let part = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        rest.split('"').next().map(text)
    };
    let mut fields: Vec<(String, String)> = Vec::new();
    for rest in form.split("<input").skip(1) {
        let tag = rest.split('>').next().expect("a tag");
        let (kind, name) = (part(tag, "type").expect("a type"), part(tag, "name").expect("a name"));
        let is_choice = ["checkbox", "radio"].contains(&kind.as_str());
        if !is_choice || tag.contains(" checked") {
            fields.push((name, part(tag, "value").unwrap_or_else(|| "on".to_owned())));
        }
    }
    for rest in form.split("<textarea").skip(1) {
        let name = part(rest.split('>').next().expect("a tag"), "name").expect("a name");
        let value =
            rest.split_once('>').expect("a tag").1.split("</textarea>").next().expect("a text");
        fields.push((name, text(value)));
    }
    for rest in form.split("<select").skip(1) {
        let name = part(rest.split('>').next().expect("a tag"), "name").expect("a name");
        let options = rest.split("</select>").next().expect("its end");
        let chosen = options.split("<option").skip(1).find(|option| option.contains(" selected"));
        let chosen = chosen.or(options.split("<option").nth(1)).expect("an option");
        fields.push((name, part(chosen, "value").expect("a value")));
    }
    fields.retain(|(name, _)| !without.contains(&name.as_str()));
    for (name, value) in changed {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    fields
}

async fn save(
    browser: &carillon_tests::browser::Browser,
    changed: &[(&str, &str)],
    without: &[&str],
) -> Answer {
    let page = browser.open("/console/settings").await;
    let fields = filled(&page, changed, without);
    let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    browser.send("/console/settings", &fields).await
}

#[tokio::test]
async fn saving_what_is_there_changes_nothing() {
    let world = World::start().await;
    let all = json!({
        "time_zone": "Australia/Sydney", "default_country": "AU",
        "quiet_hours": {"start": "21:00", "end": "08:00", "channels": ["sms", "voice"],
            "by_channel": {"voice": {"start": "20:00", "end": "09:00"}}},
        "max_per_day": 1000, "spend_limit_per_day": {"amount": "25.00", "currency": "AUD"},
        "consent_required": ["promotional"], "api_requests_per_second": 5,
        "booking": {"confirmations": false, "reminders": true, "feedback": false,
            "reminder_hours_before": 48, "feedback_hours_after": 0},
        "feedback_url": "https://example.com/rate?a=1&b=2", "help_text": "Call us.\nOr write.",
        "stop_text": "You are out.", "first_message_text": "We are “Us” & friends.",
        "keyword_answers": "provider",
        "notify": [{"by": "sms", "to": "+61491570006", "about": ["spend"]},
            {"by": "email", "to": "ada@example.com", "about": ["integration"]},
            {"by": "webhook", "url": "https://example.com/hook?key=s3cret", "about": ["unknown", "dead_letter"]}],
    });
    let before = world.patch("/v1/settings", &all).await.ok(200);
    let browser = reader(&world, Role::Admin).await;
    let saved = save(&browser, &[], &[]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(world.get("/v1/settings").await.ok(200), before);
    // A page of the release before this one has fewer fields, and takes nothing away.
    let older = [
        "whole",
        "reminder_hours_before",
        "feedback_hours_after",
        "reminders",
        "feedback_url",
        "help_text",
        "stop_text",
        "first_message_text",
        "keyword_answers",
        "consent.promotional",
        "quiet.sms",
        "quiet.voice",
        "api_requests_per_second",
        "told.0",
        "told.1",
        "told.2",
    ];
    let saved = save(&browser, &[], &older).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(world.get("/v1/settings").await.ok(200), before);
}

#[tokio::test]
async fn what_clients_are_told_of_bookings_is_set_on_the_page() {
    let world = World::start().await;
    let browser = reader(&world, Role::Admin).await;
    let page = browser.open("/console/settings").await;
    shows(
        &page,
        200,
        &["name=\"reminder_hours_before\" value=\"24\"", "name=\"confirmations\" checked"],
    );
    let wrong = [("reminder_hours_before", "0"), ("feedback_hours_after", "soon")];
    let page = save(&browser, &[wrong[0]], &[]).await;
    shows(&page, 422, &["id=\"wrong-booking.reminder_hours_before\"", "A number of hours from 1"]);
    let page = save(&browser, &[wrong[1]], &[]).await;
    assert!([400, 422].contains(&page.status), "{}", page.text);
    shows(&page, page.status, &["value=\"soon\""]);
    let right = [
        ("reminder_hours_before", "48"),
        ("feedback_hours_after", "3"),
        ("feedback_url", "https://example.com/rate"),
        ("help_text", "Call us."),
        ("stop_text", ""),
        ("consent.promotional", "on"),
    ];
    let saved = save(&browser, &right, &["confirmations"]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    carillon_tests::shows(
        &world.get("/v1/settings").await.ok(200),
        &json!({
            "booking": {"confirmations": false, "reminders": true, "feedback": true,
                "reminder_hours_before": 48, "feedback_hours_after": 3},
            "feedback_url": "https://example.com/rate", "help_text": "Call us.", "stop_text": null,
            "consent_required": ["promotional"],
        }),
    );
    let page =
        save(&browser, &[("help_text", "Hi {{ name }}"), ("feedback_url", "nowhere")], &[]).await;
    shows(&page, 422, &["id=\"wrong-help_text\"", "id=\"wrong-feedback_url\"", "Hi {{ name }}"]);
    // A session that is booked now is told so by nobody.
    let contact = world.contact(1, true).await;
    let booking = json!({"client_id": contact, "starts_at": world.in_minutes(72 * 60), "duration_minutes": 45});
    let booking = world.post("/v1/bookings", &booking).await.ok(201);
    let kinds = |booking: &serde_json::Value| -> Vec<String> {
        let notices = booking["notices"].as_array().expect("a list");
        notices.iter().map(|n| n["kind"].as_str().expect("a kind").to_owned()).collect()
    };
    let kinds = kinds(&booking);
    assert!(kinds.contains(&"reminder".to_owned()), "{booking}");
    assert!(!kinds.contains(&"confirmation".to_owned()), "{booking}");
}

#[tokio::test]
async fn who_is_told_of_trouble_is_a_line_each_and_shown_to_admins_alone() {
    let world = World::start().await;
    let admin = reader(&world, Role::Admin).await;
    let told = [
        ("by.0", "webhook"),
        ("told.0", "https://example.com/hook?key=s3cret"),
        ("about.0.spend", "on"),
    ];
    let others = [
        "about.0.integration",
        "about.0.unknown",
        "about.0.dead_letter",
        "about.0.campaign_finished",
    ];
    assert_eq!(save(&admin, &told, &others).await.status, 303);
    let kept = json!([{"by": "webhook", "url": "https://example.com/hook?key=s3cret", "about": ["spend"]}]);
    assert_eq!(world.get("/v1/settings").await.ok(200)["notify"], kept);
    let wrong = [("by.1", "sms"), ("told.1", "12")];
    let page = save(&admin, &wrong, &[]).await;
    shows(&page, 422, &["id=\"wrong-told.1\"", "value=\"12\"", "s3cret"]);
    assert_eq!(world.get("/v1/settings").await.ok(200)["notify"], kept);
    assert_eq!(save(&admin, &[("told.0", "")], &[]).await.status, 303);
    assert_eq!(world.get("/v1/settings").await.ok(200)["notify"], json!([]));
    assert_eq!(save(&admin, &told, &others).await.status, 303);
    let (manager, viewer) =
        (reader(&world, Role::Manager).await, reader(&world, Role::Viewer).await);
    for person in [&manager, &viewer] {
        let page = person.open("/console/settings").await;
        assert_eq!(page.status, 200);
        assert!(!page.text.contains("s3cret"), "an address may carry a secret");
    }
    let token = csrf(&viewer.open("/console").await);
    let tag = hidden(&admin.open("/console/settings").await, "tag");
    let forged = [("csrf", token.as_str()), ("tag", &tag), ("whole", "yes"), ("time_zone", "UTC")];
    assert_eq!(viewer.send("/console/settings", &forged).await.status, 403);
}
