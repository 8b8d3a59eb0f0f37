//! Sending from the console.

use carillon_domain::Role;
use carillon_tests::World;
use carillon_tests::browser::csrf;
use serde_json::json;

use super::{hidden, reader, shows};

#[tokio::test]
async fn a_message_is_written_looked_at_and_sent_once_however_often_one_clicks() {
    let world = World::start().await;
    world
        .set_up_twilio(json!({"price_table": {"+61": {"amount": "0.0515", "currency": "USD"}}}))
        .await;
    let browser = reader(&world, Role::Manager).await;
    let page = browser.open("/console/send").await;
    let token = csrf(&page);
    let draft = [
        ("csrf", token.as_str()),
        ("to", "+61 491 570 006"),
        ("body", "Hi {{ name }}"),
        ("var.name", "Ada"),
        ("when", "now"),
        ("purpose", "transactional"),
    ];
    let page = browser.send("/console/send/preview", &draft).await;
    shows(&page, 200, &["Hi Ada", "+61491570006", "USD 0.0515", "Would be sent", "At once"]);
    world.settle().await;
    assert!(world.received().await.is_empty(), "nothing is sent by looking");
    let once = hidden(&page, "once");
    let confirmed = [&draft[..], &[("once", once.as_str())]].concat();
    let first = browser.send("/console/send", &confirmed).await;
    let again = browser.send("/console/send", &confirmed).await;
    assert_eq!(first.status, 303, "{}", first.text);
    assert_eq!(first.header("location"), again.header("location"), "the same message");
    world.settle().await;
    assert_eq!(world.accepted_for("+61491570006").await.len(), 1);
    let page = browser.arrive(again).await;
    shows(&page, 200, &["Delivered", "Hi Ada", "Taken. This page follows"]);
    // The way back, and another text under the same key: nothing is sent, and one is asked.
    let mut other = confirmed.clone();
    other[2].1 = "Bye {{ name }}";
    let page = browser.send("/console/send", &other).await;
    shows(&page, 409, &["has been sent already", "Bye Ada"]);
    assert_ne!(hidden(&page, "once"), once);
    assert_eq!(world.accepted_for("+61491570006").await.len(), 1);
    let created_by = world.list("").await[0]["created_by"].clone();
    assert!(created_by.as_str().is_some_and(|by| by.starts_with("key_")), "{created_by}");
}

#[tokio::test]
async fn what_is_wrong_stands_at_its_field_and_the_text_is_kept() {
    let world = World::start().await;
    let browser = reader(&world, Role::Manager).await;
    let token = csrf(&browser.open("/console/send").await);
    let send = async |fields: &[(&str, &str)]| {
        browser.send("/console/send/preview", &[&[("csrf", token.as_str())], fields].concat()).await
    };
    let page = send(&[("to", "12"), ("body", "A <text> to keep")]).await;
    shows(
        &page,
        422,
        &["id=\"wrong-to\"", "aria-invalid=\"true\"", "A &#60;text&#62; to keep", "value=\"12\""],
    );
    let page = send(&[("to", "+61491570006"), ("body", "")]).await;
    shows(&page, 422, &["id=\"wrong-body\"", "value=\"+61491570006\""]);
    let page = send(&[("to", "+61491570006"), ("body", "Hi {{ name }}")]).await;
    shows(&page, 422, &["name=\"var.name\"", "id=\"wrong-variables.name\""]);
    let past =
        [("to", "+61491570006"), ("body", "Hi"), ("when", "later"), ("at", "2020-01-01T10:00")];
    shows(&send(&past).await, 422, &["id=\"wrong-scheduled_for\"", "2020-01-01T10:00"]);
    let none = [("to", "+61491570006"), ("body", "Hi"), ("when", "later"), ("at", "soon")];
    shows(&send(&none).await, 422, &["id=\"wrong-scheduled_for\""]);
}

#[tokio::test]
async fn a_time_is_read_in_the_organizations_zone_and_said_in_words() {
    let world = World::start().await;
    let _ = world.patch("/v1/settings", &json!({"time_zone": "Australia/Sydney"})).await.ok(200);
    let browser = reader(&world, Role::Manager).await;
    let token = csrf(&browser.open("/console/send").await);
    let draft = [
        ("csrf", token.as_str()),
        ("to", "+61491570006"),
        ("body", "Hi"),
        ("when", "later"),
        ("at", "2026-11-27T11:00"),
    ];
    let page = browser.send("/console/send/preview", &draft).await;
    shows(&page, 200, &["Fri 27 Nov, 11:00 Sydney (in 6 days)", "Schedule it"]);
    let once = hidden(&page, "once");
    let sent = browser.send("/console/send", &[&draft[..], &[("once", &once)]].concat()).await;
    assert_eq!(sent.status, 303);
    let message = world.list("").await[0].clone();
    assert_eq!(message["scheduled_for"], "2026-11-27T00:00:00Z");
    // Who reads elsewhere sees his own time, and the organization's on hover.
    browser.set_cookie("carillon_zone", "Asia/Kolkata");
    let path = format!("/console/messages/{}", message["id"].as_str().expect("an id"));
    let page = browser.open(&path).await;
    shows(&page, 200, &["Fri 27 Nov, 05:30", "Friday 27 November 2026, 11:00:00 Sydney"]);
    // Moved, then cancelled.
    let moved = [("csrf", token.as_str()), ("at", "2026-11-28T11:00")];
    assert_eq!(browser.send(&format!("{path}/reschedule"), &moved).await.status, 303);
    assert_eq!(world.list("").await[0]["scheduled_for"], "2026-11-28T00:00:00Z");
    let wrong = [("csrf", token.as_str()), ("at", "2020-01-01T00:00")];
    let page = browser.send(&format!("{path}/reschedule"), &wrong).await;
    shows(&page, 422, &["id=\"wrong-scheduled_for\"", "2020-01-01T00:00"]);
    let cancel = [("csrf", token.as_str())];
    assert_eq!(browser.send(&format!("{path}/cancel"), &cancel).await.status, 303);
    assert_eq!(world.list("").await[0]["status"], "cancelled");
    let page = browser.send(&format!("{path}/cancel"), &cancel).await;
    assert!([303, 409].contains(&page.status), "{}", page.text);
}

#[tokio::test]
async fn a_channel_without_an_account_says_so_and_leads_to_the_integrations() {
    let world = World::start().await;
    let campaign = json!({
        "key": "launch", "name": "Launch", "channel": "whatsapp", "kind": "whatsapp_campaign",
        "campaign_name": "launch_2026", "variables": [{"key": "name"}],
    });
    let made = world.post("/v1/templates", &campaign).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let admin = reader(&world, Role::Admin).await;
    let page = admin.open("/console/send?channel=sms&to=%2B61491570006").await;
    shows(
        &page,
        200,
        &["id=\"compose\"", "href=\"/console/send?channel=whatsapp&#38;to=%2B61491570006\""],
    );
    assert!(!page.text.contains("id=\"no-account\""));
    assert!(!page.text.contains("value=\"launch\""), "a template of another channel");
    // By the template's own channel.
    for path in ["/console/send?channel=whatsapp", "/console/send?template=launch"] {
        let page = admin.open(path).await;
        shows(&page, 200, &["WhatsApp has no account", "href=\"/console/integrations\">To the"]);
        assert!(!page.text.contains("id=\"compose\""), "{path}");
    }
    shows(&admin.open("/console/send?channel=voice").await, 200, &["Voice has no account"]);
    shows(&admin.open("/console/send?channel=pigeon").await, 200, &["id=\"compose\""]);
    let manager = reader(&world, Role::Manager).await;
    let page = manager.open("/console/send?channel=whatsapp").await;
    shows(&page, 200, &["An admin can set one up."]);
    // Who sends the form all the same is told by the API.
    let token = csrf(&page);
    let draft = [
        ("csrf", token.as_str()),
        ("channel", "whatsapp"),
        ("to", "+61491570006"),
        ("template", "launch"),
        ("var.name", "Ada"),
    ];
    let page = manager.send("/console/send/preview", &draft).await;
    shows(&page, 422, &["Nothing sends on the channel “whatsapp” yet"]);
    assert!(world.list("").await.is_empty());
}

#[tokio::test]
async fn the_counter_names_the_character_that_makes_a_text_dear() {
    let world = World::start().await;
    let browser = reader(&world, Role::Manager).await;
    let token = csrf(&browser.open("/console/send").await);
    let count = |text: &'static str| {
        let (browser, token) = (&browser, token.as_str());
        async move { browser.send("/console/send/count", &[("csrf", token), ("body", text)]).await }
    };
    shows(
        &count("See you at seven").await,
        200,
        &["<b>1</b> segment", "144 characters left", "GSM-7"],
    );
    shows(&count("See you at seven ☃").await, 200, &["Unicode", "<kbd>☃</kbd>"]);
}

#[tokio::test]
async fn a_failed_message_says_why_and_the_list_is_shared_by_its_address() {
    let world = World::start().await;
    let id = world.send(carillon_tests::people::INVALID, "Hello", json!({})).await;
    let good = world.send("+61491570006", "Good", json!({})).await;
    world.settle().await;
    let browser = reader(&world, Role::Viewer).await;
    let page = browser.open(&format!("/console/messages/{id}")).await;
    shows(&page, 200, &["Failed", "21211", "Calls to a provider", "What happened"]);
    let page = browser.open("/console/messages?status=failed&error_code=21211").await;
    shows(&page, 200, &[&id, "Error code: 21211"]);
    assert!(!page.text.contains(&good));
    let page = browser.open("/console/messages?cursor=forged").await;
    shows(&page, 200, &["role=\"alert\""]);
    let file = browser.open("/console/messages/export?status=failed").await;
    shows(&file, 200, &["id,direction,channel", &id, "\"21211\""]);
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(!file.text.contains(&good));
}

#[tokio::test]
async fn older_messages_are_a_page_away_without_a_script() {
    let world = World::start().await;
    for n in 0..30 {
        world.send(&carillon_tests::people::mobile(n), "Hello", json!({})).await;
        world.skip(1);
    }
    let browser = reader(&world, Role::Viewer).await;
    let page = browser.open("/console/messages").await;
    assert_eq!(page.text.matches("<tr><td").count(), 25);
    let (_, rest) = page.text.split_once("id=\"more\"><a").expect("a way on");
    let next = rest.split("href=\"").nth(1).and_then(|rest| rest.split('"').next());
    let next = next.expect("an address").replace("&#38;", "&");
    let page = browser.open(&next).await;
    assert_eq!((page.status, page.text.matches("<tr><td").count()), (200, 5), "{}", page.text);
}
