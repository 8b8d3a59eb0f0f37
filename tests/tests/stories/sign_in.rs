//! Coming to the console, by key and by issuer; what is refused on the way.

use carillon_local::options::People;
use carillon_tests::browser::{Browser, csrf};
use carillon_tests::{ADMIN_KEY, Answer, Setup, World};
use serde_json::json;

const ADA: &str = "person-ada";

async fn world() -> World {
    World::with(Setup { people: People::BuiltIn, ..Setup::default() }).await
}

fn says(page: &Answer, status: u16, text: &str) {
    assert_eq!(page.status, status, "{}", page.text);
    assert!(page.text.contains(text), "“{text}” is not in {}", page.text);
}

#[tokio::test]
async fn an_invited_person_signs_in_with_the_issuer_and_sees_who_she_is() {
    let world = world().await;
    let browser = Browser::new(&world);
    let start = browser.open("/console").await;
    assert_eq!((start.status, start.header("location")), (303, Some("/console/sign-in")));
    let (back, _) = browser.sign_in_as(ADA).await;
    assert_eq!((back.status, back.header("location")), (303, Some("/console")));
    let page = browser.open("/console/you").await;
    for text in ["Ada Lovelace", "ada@example.com", "My organization", "<dd id=\"role\">Admin</dd>"]
    {
        says(&page, 200, text);
    }
    let member = &world.get("/v1/members").await.ok(200)["data"];
    let ada = member.as_array().expect("a list").iter().find(|m| m["email"] == "ada@example.com");
    let ada = ada.expect("Ada");
    assert_eq!((&ada["status"], &ada["name"]), (&json!("active"), &json!("Ada Lovelace")));
    let told = world.get("/v1/audit-log?action=member.sign_in").await.ok(200);
    let [entry] = &told["data"].as_array().expect("a list")[..] else { panic!("{told}") };
    carillon_tests::shows(
        entry,
        &json!({"actor": ada["id"], "role": "admin", "outcome": "done", "resource": {"type": "member"}}),
    );
}

#[tokio::test]
async fn the_printed_key_opens_the_console_and_nothing_else_does() {
    let world = world().await;
    let browser = Browser::new(&world);
    for wrong in ["crl_another", "", " ", "crl_story\u{0}"] {
        let answer = browser.sign_in_with_key(wrong).await;
        says(&answer, 401, "This key is not known");
        assert!(browser.cookie("carillon_session").is_none());
    }
    let answer = browser.sign_in_with_key(ADMIN_KEY).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/console")));
    let page = browser.open("/console/you").await;
    says(&page, 200, "<dd id=\"role\">Super admin</dd>");
    assert!(!page.text.contains(ADMIN_KEY));
}

#[tokio::test]
async fn whoever_was_not_invited_is_told_so_and_stays_outside() {
    let world = world().await;
    let issuer = world.stack.issuer.clone().expect("the built-in one");
    let person = |subject: &str, email: &str, email_verified| carillon_issuer::Person {
        subject: subject.to_owned(),
        email: email.to_owned(),
        email_verified,
        name: "<b>Eve</b>".to_owned(),
    };
    issuer.add(person("eve", "eve@example.com", true));
    issuer.add(person("mallory", "mary@example.com", false));
    for (subject, text) in
        [("eve", "no organization has invited this address"), ("mallory", "no verified e-mail")]
    {
        let browser = Browser::new(&world);
        let (answer, _) = browser.sign_in_as(subject).await;
        says(&answer, 403, text);
        assert!(browser.cookie("carillon_session").is_none(), "{subject}");
        assert_eq!(browser.open("/console").await.status, 303);
    }
}

#[tokio::test]
async fn an_invitation_is_for_the_first_who_proves_the_address() {
    let world = world().await;
    let (answer, _) = Browser::new(&world).sign_in_as(ADA).await;
    assert_eq!(answer.status, 303);
    // Another account of the same issuer with the same address later on.
    let issuer = world.stack.issuer.clone().expect("the built-in one");
    issuer.add(carillon_issuer::Person {
        subject: "second-ada".to_owned(),
        email: "Ada@Example.com".to_owned(),
        email_verified: true,
        name: "Ada".to_owned(),
    });
    let (answer, _) = Browser::new(&world).sign_in_as("second-ada").await;
    says(&answer, 403, "no organization has invited");
    // And she comes in again, by what the issuer calls her.
    let (answer, _) = Browser::new(&world).sign_in_as(ADA).await;
    assert_eq!(answer.status, 303);
}

#[tokio::test]
async fn an_answer_of_the_issuer_is_good_once_and_in_one_browser() {
    let world = world().await;
    let browser = Browser::new(&world);
    let (action, fields) = browser.to_issuer(ADA).await;
    let attempt = browser.cookie("carillon_attempt").expect("an attempt");
    let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let back = browser.send(&action, &fields).await;
    let callback = back.header("location").expect("a way back").to_owned();

    let another = Browser::new(&world);
    says(&another.open(&callback).await, 400, "was not begun in this browser");
    let (_, begun) = another.to_issuer(ADA).await;
    assert!(!begun.is_empty());
    says(&another.open(&callback).await, 400, "was not begun in this browser");

    let changed = callback.replace("state=", "state=x");
    let same = Browser::new(&world);
    same.set_cookie("carillon_attempt", &attempt);
    says(&same.open(&changed).await, 400, "was not begun");
    let without = callback.split("&state").next().expect("an address");
    same.set_cookie("carillon_attempt", &attempt);
    says(&same.open(without).await, 400, "was not begun");

    assert_eq!(browser.open(&callback).await.status, 303);
    // Replayed, with everything the first time had.
    browser.set_cookie("carillon_attempt", &attempt);
    says(&browser.open(&callback).await, 400, "is over already");
}

#[tokio::test]
async fn an_attempt_ends_after_ten_minutes() {
    let world = world().await;
    let browser = Browser::new(&world);
    let (action, fields) = browser.to_issuer(ADA).await;
    let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    world.skip(10);
    let back = browser.send(&action, &fields).await;
    let callback = back.header("location").expect("a way back").to_owned();
    says(&browser.open(&callback).await, 400, "took too long");
}

#[tokio::test]
async fn a_made_up_code_or_a_no_of_the_issuer_lets_nobody_in() {
    let world = world().await;
    for (answer, status) in [("code=made-up", 403), ("error=access_denied", 403), ("code=", 403)] {
        let browser = Browser::new(&world);
        let (_, fields) = browser.to_issuer(ADA).await;
        let state = &fields.iter().find(|(name, _)| name == "state").expect("a state").1;
        let callback = format!("/console/callback?{answer}&state={state}");
        assert_eq!(browser.open(&callback).await.status, status, "{answer}");
        assert!(browser.cookie("carillon_session").is_none());
    }
}

#[tokio::test]
async fn sign_in_goes_on_when_the_issuer_changes_its_keys() {
    let world = world().await;
    let issuer = world.stack.issuer.clone().expect("the built-in one");
    assert_eq!(Browser::new(&world).sign_in_as(ADA).await.0.status, 303);
    issuer.rotate(true);
    // Known keys are a moment old: who sends tokens of unknown keys does not make us ask each time.
    let (answer, _) = Browser::new(&world).sign_in_as(ADA).await;
    says(&answer, 403, "not good for this sign-in");
    world.skip(1);
    assert_eq!(Browser::new(&world).sign_in_as(ADA).await.0.status, 303);
}

#[tokio::test]
async fn without_an_issuer_there_are_only_keys() {
    let world = World::start().await;
    let browser = Browser::new(&world);
    let page = browser.open("/console/sign-in").await;
    assert!(!page.text.contains("/console/sign-in/person"));
    says(&browser.open("/console/sign-in/person").await, 404, "sign in with an API key");
    assert_eq!(browser.open("/issuer/keys").await.status, 404);
    assert_eq!(browser.sign_in_with_key(ADMIN_KEY).await.status, 303);
}

#[tokio::test]
async fn a_page_may_do_nothing_but_be_shown() {
    let world = world().await;
    let browser = Browser::new(&world);
    let page = browser.open("/console/sign-in").await;
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(page.header(name), Some(value));
    }
    for script in page.text.split("<script").skip(1) {
        assert!(script.starts_with(" src=\"/console/assets/"), "{}", page.text);
    }
    assert!(!page.text.contains("style="));
    let cookie = page.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
    let _ = csrf(&page);
}

#[tokio::test]
async fn the_printed_link_signs_in_once_and_in_time() {
    let world = world().await;
    let key = carillon_store::secret_hash(ADMIN_KEY);
    let link = |world: &World| world.stack.first_visit.link(&world.stack.ctx, &key);
    let browser = Browser::new(&world);
    let first = link(&world);
    let forged = browser.open("/console/first-visit/0000000000000000").await;
    assert_eq!(forged.header("location"), Some("/console/sign-in"));
    let path = link(&world);
    let replaced = browser.open(&first).await;
    assert_eq!(replaced.header("location"), Some("/console/sign-in"), "only the last one");
    assert_eq!(browser.open(&path).await.header("location"), Some("/console"));
    says(&browser.open("/console/you").await, 200, "<dd id=\"role\">Super admin</dd>");
    let other = Browser::new(&world);
    assert_eq!(other.open(&path).await.header("location"), Some("/console/sign-in"), "once");
    let late = link(&world);
    world.skip(10);
    assert_eq!(other.open(&late).await.header("location"), Some("/console/sign-in"), "too late");
    assert_eq!(other.open("/console").await.status, 303);
}
