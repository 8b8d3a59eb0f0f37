//! Who gets in, and what he sees there.

use axum::body::Body;
use axum::http::{Method, Request};
use carillon_admin_api::auth::Caller;
use carillon_admin_api::inside::{self, Vouched};
use carillon_domain::{OrgId, Role};
use carillon_tests::browser::csrf;
use carillon_tests::{Answer, World};
use serde_json::json;
use tower::ServiceExt as _;

use super::{ADMINS, PAGES, of, reader, shows};

#[tokio::test]
async fn nobody_outside_vouches_for_himself() {
    let world = World::start().await;
    let ctx = &world.stack.ctx;
    let caller = Caller {
        org: world.stack.org,
        role: Role::SuperAdmin,
        home: world.stack.org,
        id: "key_forged".to_owned(),
    };
    let ask = |vouched: bool| {
        let mut request = Request::get("/v1/api-keys").body(Body::empty()).expect("a request");
        if vouched {
            request.extensions_mut().insert(Vouched::new(caller.clone()));
        }
        request
    };
    for (router, vouched, status) in [
        (carillon_admin_api::router(ctx.clone()), true, 401),
        (carillon_admin_api::router(ctx.clone()), false, 401),
        // What the whole stack serves.
        (world.stack.router(), true, 401),
        (inside::router(ctx.clone()), true, 200),
        (inside::router(ctx.clone()), false, 401),
    ] {
        let answer = router.oneshot(ask(vouched)).await.expect("an answer");
        assert_eq!(answer.status(), status, "vouched: {vouched}");
    }
    // No header is one either.
    for name in ["vouched", "x-vouched", "x-carillon-caller", "carillon-organization"] {
        let request = world.http().get(format!("{}/v1/api-keys", world.url));
        let request = request.header(name, "key_forged");
        assert_eq!(Answer::to(request).await.status, 401, "{name}");
    }
}

#[tokio::test]
async fn every_page_is_there_small_and_good_without_a_script() {
    let world = World::start().await;
    let id = world.send("+61491570006", "Hello", json!({})).await;
    world.settle().await;
    let admin = reader(&world, Role::Admin).await;
    let message = format!("/console/messages/{id}");
    for path in PAGES.iter().chain(&ADMINS).chain([&message.as_str()]) {
        let page = admin.open(path).await;
        shows(&page, 200, &["<h1", "aria-label=\"Main\"", "</html>"]);
        assert!(page.text.len() < 60 * 1024, "{path} has {} bytes", page.text.len());
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        for asset in page.text.split("\"/console/assets/").skip(1) {
            let asset = asset.split(['"', '#']).next().expect("a name");
            let file = admin.open(&format!("/console/assets/{asset}")).await;
            assert_eq!(file.status, 200, "{asset}");
            assert!(file.header("cache-control").expect("kept").contains("immutable"));
        }
    }
    assert_eq!(admin.open("/console/assets/console.css").await.status, 404, "only by its hash");
}

/// Forms that everybody has.
const OWN: [&str; 5] = [
    "/console/contacts/export",
    "/console/sign-out",
    "/console/sign-out/everywhere",
    "/console/looks",
    "/console/organization",
];

fn actions(page: &Answer) -> Vec<&str> {
    let forms =
        page.text.split("<form").skip(1).filter(|form| {
            form.split('>').next().is_some_and(|tag| tag.contains("method=\"post\""))
        });
    forms
        .filter_map(|form| form.split("action=\"").nth(1)?.split('"').next())
        .filter(|action| !OWN.contains(action))
        .collect()
}

#[tokio::test]
async fn a_viewer_sees_no_button_that_would_be_refused() {
    let world = World::start().await;
    let id =
        world.send("+61491570006", "Later", json!({"scheduled_for": world.in_minutes(60)})).await;
    let template = json!({"key": "hello", "body": "Hi {{ name }}"});
    let template = world.post("/v1/templates", &template).await.ok(201);
    let template = template["id"].as_str().expect("an id");
    let suppressed = json!({"to": "+61491570157", "channel": "sms"});
    let _ = world.post("/v1/suppressions", &suppressed).await.ok(201);
    let viewer = reader(&world, Role::Viewer).await;
    let (message, template) =
        (format!("/console/messages/{id}"), format!("/console/templates/{template}"));
    // The pages to send from are not his to use.
    let looking = PAGES.iter().filter(|path| {
        !["/send", "/bulk", "/new", "/import"].iter().any(|end| path.ends_with(end))
    });
    for path in looking.chain([&&*message, &&*template]) {
        let page = viewer.open(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(actions(&page), Vec::<&str>::new(), "{path}");
        for link in [
            "href=\"/console/send",
            "href=\"/console/bulk",
            "href=\"/console/contacts/import",
            "href=\"/console/segments/new",
            "href=\"/console/members",
            "href=\"/console/audit-log",
        ] {
            assert!(!page.text.contains(link), "{path} leads to {link}");
        }
    }
    for path in ADMINS {
        assert_eq!(viewer.open(path).await.status, 403, "{path}");
    }
    let manager = reader(&world, Role::Manager).await;
    assert!(actions(&manager.open(&message).await).len() >= 2, "a manager can cancel and move");
    assert!(
        actions(&manager.open("/console/settings").await).is_empty(),
        "shown, and switched off"
    );
    assert!(
        manager
            .open("/console/settings")
            .await
            .text
            .contains("<fieldset class=\"plain\" disabled>")
    );
}

#[tokio::test]
async fn what_is_not_a_viewers_to_do_is_refused_also_when_he_forges_the_form() {
    let world = World::start().await;
    let viewer = reader(&world, Role::Viewer).await;
    let token = csrf(&viewer.open("/console").await);
    for (path, fields) in [
        ("/console/send", &[("to", "+61491570006"), ("body", "Hi")][..]),
        ("/console/opt-outs", &[("number", "+61491570006")]),
        ("/console/opt-outs/lift", &[("number", "+61491570006"), ("channel", "sms")]),
        ("/console/templates", &[("key", "x"), ("body", "Hi")]),
        ("/console/settings", &[("time_zone", "UTC")]),
        ("/console/integrations/twilio", &[("enabled", "on")]),
        ("/console/integrations/twilio/test", &[]),
        ("/console/segments", &[("name", "All"), ("kind.0", "label"), ("value.0", "vip")]),
        ("/console/segments/seg_x/remove", &[]),
        ("/console/members", &[("email", "eve@example.com"), ("role", "viewer")]),
        ("/console/keys", &[("key_name", "mine"), ("role", "viewer")]),
        ("/console/dead-letters/pck_x/drop", &[]),
    ] {
        let fields = [&[("csrf", token.as_str())], fields].concat();
        let answer = viewer.send(path, &fields).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text);
    }
    assert!(world.received().await.is_empty());
    // Each is in the audit log, with whose session it was.
    let denied = world.get("/v1/audit-log?outcome=denied").await.ok(200);
    let denied = denied["data"].as_array().expect("a list");
    assert_eq!(denied.len(), 12, "{denied:?}");
    assert!(denied.iter().all(|entry| entry["role"] == "viewer"), "{denied:?}");
}

#[tokio::test]
async fn a_manager_sees_no_secrets() {
    let world = World::start().await;
    let manager = reader(&world, Role::Manager).await;
    let page = manager.open("/console/integrations").await;
    shows(&page, 200, &["Twilio"]);
    for word in ["type=\"password\"", "auth_token", "••••", "/webhooks/"] {
        assert!(!page.text.contains(word), "{word}: {}", page.text);
    }
    let admin = reader(&world, Role::Admin).await;
    let page = admin.open("/console/integrations").await;
    shows(&page, 200, &["type=\"password\"", "name=\"credentials.auth_token\""]);
    assert!(!page.text.contains("value=\"••••"), "what is stored is no value of a field");
}

#[tokio::test]
async fn another_organizations_addresses_lead_nowhere() {
    let world = World::start().await;
    let id = world.send("+61491570006", "Hello", json!({})).await;
    let import = world.import(b"to\n+61491570006\n", "Hi", &[]).await;
    let template =
        world.post("/v1/templates", &json!({"key": "hello", "body": "Hi"})).await.ok(201);
    let template = template["id"].as_str().expect("an id");
    let other = of(&world, OrgId::from_bytes([9; 10]), Role::Admin).await;
    for path in [
        format!("/console/messages/{id}"),
        format!("/console/imports/{import}"),
        format!("/console/imports/{import}/rejected"),
        format!("/console/templates/{template}"),
        "/console/messages/msg_nothing".to_owned(),
        "/console/messages/%2E%2E%2Fsettings".to_owned(),
        "/console/messages/a%20b%3Fc".to_owned(),
        "/console/nothing".to_owned(),
    ] {
        assert_eq!(other.open(&path).await.status, 404, "{path}");
    }
    let token = csrf(&other.open("/console").await);
    for path in [
        format!("/console/messages/{id}/cancel"),
        format!("/console/messages/{id}/retry"),
        format!("/console/templates/{template}"),
    ] {
        let answer = other.send(&path, &[("csrf", &token), ("body", "Hi")]).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert!(!other.open("/console/messages").await.text.contains("+61491570006"));
}

#[tokio::test]
async fn a_script_that_is_signed_out_goes_to_the_sign_in_page() {
    let world = World::start().await;
    let request = world.http().request(Method::GET, format!("{}/console", world.url));
    let answer = Answer::to(request.header("hx-request", "true")).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("hx-redirect"), Some("/console/sign-in"));
}
