//! The other forms: each does what it says, once, and comes back with what was typed when it is wrong.

use carillon_domain::Role;
use carillon_tests::browser::{Browser, csrf};
use carillon_tests::{Answer, World};
use serde_json::json;

use super::{hidden, reader, shows};

async fn send(browser: &Browser, path: &str, token: &str, fields: &[(&str, &str)]) -> Answer {
    browser.send(path, &[&[("csrf", token)], fields].concat()).await
}

#[tokio::test]
async fn a_template_is_made_and_two_editors_do_not_overwrite_each_other() {
    let world = World::start().await;
    let browser = reader(&world, Role::Manager).await;
    let page = browser.open("/console/templates/new").await;
    let (token, once) = (csrf(&page), hidden(&page, "once"));
    let fields = [("once", &*once), ("key", "hello"), ("name", "Hello"), ("body", "Hi {{ name }}")];
    let made = send(&browser, "/console/templates", &token, &fields).await;
    let again = send(&browser, "/console/templates", &token, &fields).await;
    assert_eq!(made.status, 303, "{}", made.text);
    assert_eq!(made.header("location"), again.header("location"), "made once");
    let path =
        made.header("location").expect("a way").split('?').next().expect("a path").to_owned();
    let page = browser.open(&path).await;
    shows(&page, 200, &["Hi {{ name }}", "Save as version 2", ">name</span>"]);
    let tag = hidden(&page, "tag").replace("&#34;", "\"");
    let change = |body: &'static str| {
        [
            ("tag", tag.clone()),
            ("body", body.to_owned()),
            ("name", "Hello".to_owned()),
            ("is_active", "on".to_owned()),
        ]
    };
    let first = change("Hello {{ name }}");
    let first: Vec<_> = first.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(send(&browser, &path, &token, &first).await.status, 303);
    let second = change("Good day {{ name }}");
    let second: Vec<_> = second.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let page = send(&browser, &path, &token, &second).await;
    shows(&page, 412, &["Somebody else has changed this template", "Good day {{ name }}"]);
    let wrong = [("key", "Not A Key"), ("body", "Hi {{")];
    let page = send(&browser, "/console/templates", &token, &wrong).await;
    shows(&page, 422, &["id=\"wrong-key\"", "id=\"wrong-body\"", "Not A Key"]);
    let page =
        send(&browser, "/console/templates", &token, &[("key", "hello"), ("body", "Hi")]).await;
    shows(&page, 409, &["id=\"wrong-key\""]);
}

#[tokio::test]
async fn a_number_is_added_to_the_opt_outs_and_lifted() {
    let world = World::start().await;
    let browser = reader(&world, Role::Admin).await;
    let token = csrf(&browser.open("/console/opt-outs").await);
    let page = send(&browser, "/console/opt-outs", &token, &[("number", "nobody")]).await;
    shows(&page, 422, &["id=\"wrong-number\"", "value=\"nobody\""]);
    let added = send(&browser, "/console/opt-outs", &token, &[("number", "+61491570157")]).await;
    let page = browser.arrive(added).await;
    shows(
        &page,
        200,
        &["+61491570157", "Added by hand", "Nothing is sent to this number any more."],
    );
    let lift = [("number", "+61491570157"), ("channel", "sms")];
    let page = browser.arrive(send(&browser, "/console/opt-outs/lift", &token, &lift).await).await;
    shows(&page, 200, &["Nobody has opted out"]);
    // What a person said is not taken back for them.
    world.person_writes("+61491570158", "STOP").await;
    world.settle().await;
    let page = browser.open("/console/opt-outs").await;
    shows(&page, 200, &["They wrote STOP", "<q>STOP</q>"]);
    assert!(!page.text.contains("Lift …"), "{}", page.text);
    let lift = [("number", "+61491570158"), ("channel", "sms")];
    let page = send(&browser, "/console/opt-outs/lift", &token, &lift).await;
    shows(&page, 409, &["only they can take that back"]);
}

#[tokio::test]
async fn settings_are_saved_by_whoever_saw_them_last() {
    let world = World::start().await;
    let browser = reader(&world, Role::Admin).await;
    let page = browser.open("/console/settings").await;
    let (token, tag) = (csrf(&page), hidden(&page, "tag").replace("&#34;", "\""));
    let form = |tag: &'static str, zone: &'static str, hour: &'static str| {
        [
            ("sending", "on"),
            ("tag", tag),
            ("time_zone", zone),
            ("quiet", "on"),
            ("start", "21:30"),
            ("end", "07:00"),
            ("max_attempts", "3"),
            ("max_segments", "4"),
            ("max_per_hour", hour),
            ("spend_limit_per_day", "25.00"),
            ("currency", "USD"),
            ("message_days", "700"),
            ("file_days", "30"),
            ("audit_days", ""),
            ("unknown_policy", "hold"),
        ]
    };
    let tag: &'static str = tag.leak();
    let page =
        send(&browser, "/console/settings", &token, &form(tag, "Mars/Olympus", "many")).await;
    assert_eq!(page.status, 422, "{}", page.text);
    shows(&page, 422, &["Mars/Olympus"]);
    let saved =
        send(&browser, "/console/settings", &token, &form(tag, "Australia/Sydney", "1,200")).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let settings = world.get("/v1/settings").await.ok(200);
    carillon_tests::shows(
        &settings,
        &json!({
            "time_zone": "Australia/Sydney", "max_per_hour": 1200, "max_attempts": 3,
            "quiet_hours": {"start": "21:30", "end": "07:00"}, "sending_enabled": true,
            "spend_limit_per_day": {"amount": "25.00", "currency": "USD"},
            "retention": {"message_days": 700, "audit_days": null},
        }),
    );
    let page = browser.open("/console/settings").await;
    shows(&page, 200, &["from 21:30 to 07:00", "Quiet from 21:30 to 07:00"]);
    let page = send(&browser, "/console/settings", &token, &form(tag, "Asia/Kolkata", "5")).await;
    shows(&page, 412, &["Somebody else has changed the settings", "Asia/Kolkata"]);
    // Whose session it was is in the audit log.
    let told = world.get("/v1/audit-log?action=settings.update&outcome=done").await.ok(200);
    let actor = told["data"][0]["actor"].as_str().expect("an actor");
    shows(
        &browser.open("/console/audit-log?action=settings.update").await,
        200,
        &[actor, "Settings: update"],
    );
}

#[tokio::test]
async fn an_account_is_tested_and_its_secret_stays_where_it_is() {
    let world = World::start().await;
    let browser = reader(&world, Role::Admin).await;
    let page = browser.open("/console/integrations").await;
    let token = csrf(&page);
    let tested = send(&browser, "/console/integrations/twilio/test", &token, &[]).await;
    shows(&browser.arrive(tested).await, 200, &["The provider answered", "Working"]);
    let fields = [
        ("settings.from", carillon_simulator::DEFAULT_FROM),
        ("rate_per_second", "7"),
        ("prices", "+61 0.0515 USD\n+1 0.0079 USD"),
        ("enabled", "on"),
        ("credentials.auth_token", ""),
    ];
    let saved = send(&browser, "/console/integrations/twilio", &token, &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let account = world.get("/v1/integrations/twilio").await.ok(200);
    carillon_tests::shows(
        &account["settings"],
        &json!({"rate_per_second": 7, "price_table": {"+1": {"amount": "0.0079", "currency": "USD"}}}),
    );
    let tested = send(&browser, "/console/integrations/twilio/test", &token, &[]).await;
    shows(&browser.arrive(tested).await, 200, &["Working"]);
    let wrong = [("settings.from", "+15005550006"), ("prices", "+61 cheap"), ("enabled", "on")];
    let page = send(&browser, "/console/integrations/twilio", &token, &wrong).await;
    shows(&page, 422, &["id=\"wrong-price_table\"", "+61 cheap"]);
}

#[tokio::test]
async fn people_are_invited_and_a_key_is_shown_once() {
    let world = World::start().await;
    let browser = reader(&world, Role::Admin).await;
    let page = browser.open("/console/members").await;
    let token = csrf(&page);
    assert!(!page.text.contains("value=\"super_admin\""), "nobody gives more than he has");
    let invite = [("email", "grace@example.com"), ("name", "Grace"), ("role", "manager")];
    let page = browser.arrive(send(&browser, "/console/members", &token, &invite).await).await;
    shows(&page, 200, &["grace@example.com", "Invited"]);
    let page =
        send(&browser, "/console/members", &token, &[("email", "nobody"), ("role", "viewer")])
            .await;
    shows(&page, 422, &["id=\"wrong-email\"", "value=\"nobody\""]);
    let made = send(
        &browser,
        "/console/keys",
        &token,
        &[("key_name", "till"), ("role", "viewer"), ("once", "k1")],
    )
    .await;
    shows(&made, 200, &["Your new key", "value=\"crl_"]);
    let (_, rest) = made.text.split_once("readonly value=\"").expect("a key");
    let secret = rest.split('"').next().expect("a key").to_owned();
    let asked = Answer::to(world.request_by(&secret, http::Method::GET, "/v1/settings")).await;
    assert_eq!(asked.status, 200);
    let page = browser.open("/console/members").await;
    assert!(page.text.contains("till") && !page.text.contains(&secret), "only once");
    let keys = world.get("/v1/api-keys").await.ok(200);
    let key = keys["data"].as_array().expect("a list").iter().find(|key| key["name"] == "till");
    let id = key.expect("the key")["id"].as_str().expect("an id").to_owned();
    let gone = send(&browser, &format!("/console/keys/{id}/revoke"), &token, &[]).await;
    assert_eq!(gone.status, 303);
    let asked = Answer::to(world.request_by(&secret, http::Method::GET, "/v1/settings")).await;
    assert_eq!(asked.status, 401);
}

#[tokio::test]
async fn light_or_dark_is_the_readers_choice_and_leads_nowhere_else() {
    let world = World::start().await;
    let browser = reader(&world, Role::Viewer).await;
    let token = csrf(&browser.open("/console/you").await);
    let answer = send(
        &browser,
        "/console/looks",
        &token,
        &[("theme", "dark"), ("back", "https://evil.example")],
    )
    .await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/console")));
    shows(&browser.open("/console").await, 200, &["<html lang=\"en\" data-theme=\"dark\">"]);
    send(&browser, "/console/looks", &token, &[("theme", "\"><script>")]).await;
    shows(&browser.open("/console").await, 200, &["data-theme=\"auto\""]);
}
