//! A member's access token as a credential of the API, and tokens as attackers make them.

use carillon_issuer::Issuer;
use carillon_local::options::People;
use carillon_tests::browser::Browser;
use carillon_tests::{Answer, Setup, World, with_json};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

const ADA: &str = "person-ada";

async fn world() -> (World, Issuer) {
    let world = World::with(Setup { people: People::BuiltIn, ..Setup::default() }).await;
    let issuer = world.stack.issuer.clone().expect("the built-in one");
    (world, issuer)
}

/// A world whose members have all signed in once.
async fn with_members() -> (World, Issuer) {
    let (world, issuer) = world().await;
    for person in [ADA, "person-mary", "person-charles"] {
        assert_eq!(Browser::new(&world).sign_in_as(person).await.0.status, 303);
    }
    (world, issuer)
}

async fn settings(world: &World, token: &str) -> Answer {
    Answer::to(world.request_by(token, Method::GET, "/v1/settings")).await
}

#[tokio::test]
async fn a_member_calls_the_api_with_what_the_issuer_gave_her() {
    let (world, issuer) = with_members().await;
    let token = issuer.access_token(ADA, 3600);
    assert_eq!(settings(&world, &token).await.status, 200);
    let template = json!({"key": "hello", "channel": "sms", "body": "Hi"});
    let request = world.request_by(&token, Method::POST, "/v1/templates");
    let made = Answer::to(with_json(request, &template)).await.ok(201);
    let by = made["created_by"].as_str();
    assert!(by.is_none_or(|by| by.starts_with("mem_")), "{made}");
    let invited = json!({"email": "grace@example.com", "role": "viewer"});
    let request = world.request_by(&token, Method::POST, "/v1/members");
    let made = Answer::to(with_json(request, &invited)).await.ok(201);
    assert!(made["created_by"].as_str().expect("who").starts_with("mem_"), "{made}");
}

#[tokio::test]
async fn a_token_says_who_and_the_members_row_says_what() {
    let (world, issuer) = with_members().await;
    let body = json!({"max_attempts": 2});
    for (person, status) in [(ADA, 200), ("person-mary", 403), ("person-charles", 403)] {
        let token = issuer.access_token(person, 3600);
        assert_eq!(settings(&world, &token).await.status, 200, "{person}");
        let request = world.request_by(&token, Method::PATCH, "/v1/settings");
        assert_eq!(Answer::to(with_json(request, &body)).await.status, status, "{person}");
    }
    // Removed, she is out while her token has an hour to go.
    let token = issuer.access_token(ADA, 3600);
    let members = world.get("/v1/members").await.ok(200);
    let ada = members["data"].as_array().expect("a list").iter();
    let ada = ada.clone().find(|m| m["email"] == "ada@example.com").expect("Ada").clone();
    let path = format!("/v1/members/{}", ada["id"].as_str().expect("an id"));
    assert_eq!(Answer::to(world.request(Method::DELETE, &path)).await.status, 204);
    assert_eq!(settings(&world, &token).await.refusal(), (403, "not_a_member".to_owned()));
}

#[tokio::test]
async fn whoever_has_not_signed_in_yet_is_nobody() {
    let (world, issuer) = world().await;
    for subject in [ADA, "somebody-else"] {
        let token = issuer.access_token(subject, 3600);
        assert_eq!(settings(&world, &token).await.refusal(), (403, "not_a_member".to_owned()));
    }
}

#[tokio::test]
async fn tokens_that_are_not_for_us_now_are_refused() {
    let (world, issuer) = with_members().await;
    let now = world.now().as_second();
    let good = issuer.access_claims(ADA, 3600);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    for (what, claims) in [
        ("another audience", with("aud", json!("another-api"))),
        ("the console's client", with("aud", json!("carillon-console"))),
        ("no audience", with("aud", json!([]))),
        ("another issuer", with("iss", json!("https://accounts.example.org"))),
        ("expired", with("exp", json!(now - 61))),
        ("never expires", with("exp", Value::Null)),
        ("not valid yet", with("nbf", json!(now + 3600))),
        ("made in the future", with("iat", json!(now + 3600))),
        ("an ID token's nonce", with("nonce", json!("n"))),
        ("an ID token by name", with("token_use", json!("id"))),
        ("nobody", with("sub", json!(""))),
    ] {
        let answer = settings(&world, &issuer.sign("at+jwt", &claims)).await;
        assert_eq!(answer.refusal(), (401, "invalid_token".to_owned()), "{what}");
        assert!(!answer.text.contains("eyJ"), "tokens are not repeated");
    }
    assert_eq!(settings(&world, &issuer.sign("at+jwt", &good)).await.status, 200);
}

#[tokio::test]
async fn an_id_token_opens_no_api() {
    let (world, issuer) = with_members().await;
    let now = world.now().as_second();
    let claims = json!({
        "iss": format!("{}/issuer", world.url), "sub": ADA, "aud": "carillon-console",
        "iat": now, "exp": now + 300, "nonce": "n", "email": "ada@example.com",
    });
    let answer = settings(&world, &issuer.sign("JWT", &claims)).await;
    assert_eq!(answer.refusal(), (401, "invalid_token".to_owned()));
}

#[tokio::test]
async fn signatures_that_are_none_open_nothing() {
    let (world, issuer) = with_members().await;
    let good = issuer.access_token(ADA, 3600);
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let (header, claims) = signed.split_once('.').expect("three parts");
    let with = |header: Value| {
        format!("{}.{claims}", BASE64URL_NOPAD.encode(header.to_string().as_bytes()))
    };
    let kid: Value =
        serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).expect("base64"))
            .expect("a header");
    let kid = &kid["kid"];
    let none = with(json!({"alg": "none"}));
    // The public key, which everybody can read, as the secret of an HMAC.
    let keys = world.http().get(format!("{}/issuer/keys", world.url)).send().await.expect("keys");
    let keys = keys.text().await.expect("a text");
    let hs256 = with(json!({"alg": "HS256", "kid": kid}));
    let mut mac = Hmac::<Sha256>::new_from_slice(keys.as_bytes()).expect("any length");
    mac.update(hs256.as_bytes());
    let tag = BASE64URL_NOPAD.encode(&mac.finalize().into_bytes());
    // Another issuer, whose people have the same names.
    let clock = world.stack.ctx.clock.clone();
    let (other, _) =
        carillon_local::issuer::at(&world.url, std::sync::Arc::new(move || clock.now()));
    let foreign = other.access_token(ADA, 3600);
    for (what, token) in [
        ("none", format!("{none}.")),
        ("none, with a signature", format!("{none}.{signature}")),
        ("HS256", format!("{hs256}.{tag}")),
        ("another issuer's key", foreign),
        ("another header", format!("{}.{signature}", with(json!({"alg": "ES256", "kid": kid})))),
        ("no signature", format!("{signed}.")),
        ("nothing at all", "..".to_owned()),
        ("no base64", "a.b.c".to_owned()),
        ("very long", format!("{signed}.{}", "A".repeat(6_000))),
    ] {
        let answer = settings(&world, &token).await;
        assert_eq!(answer.refusal(), (401, "invalid_token".to_owned()), "{what}");
    }
    assert_eq!(settings(&world, &good).await.status, 200);
}

#[tokio::test]
async fn a_new_key_works_at_once_and_a_withdrawn_one_within_the_hour_not_any_more() {
    let (world, issuer) = with_members().await;
    let old = issuer.access_token(ADA, 7200);
    world.skip(1);
    let rotated = world.http().post(format!("{}/issuer/control/rotate", world.url)).send().await;
    assert_eq!(rotated.expect("an answer").status(), 204);
    assert_eq!(settings(&world, &issuer.access_token(ADA, 7200)).await.status, 200);
    assert_eq!(settings(&world, &old).await.status, 200, "both are shown");
    issuer.rotate(true);
    world.skip(60);
    assert_eq!(settings(&world, &old).await.refusal(), (401, "invalid_token".to_owned()));
    assert_eq!(settings(&world, &issuer.access_token(ADA, 7200)).await.status, 200);
}

#[tokio::test]
async fn whoever_belongs_to_several_organizations_names_one() {
    let (world, issuer) = with_members().await;
    world.skip(1);
    let other = json!({"name": "Second"});
    let other = world.post("/v1/organizations", &other).await.ok(201);
    let (other, key) = (other["id"].as_str().expect("an id"), other["admin_key"].as_str());
    let invite = world.request_by(key.expect("a key"), Method::POST, "/v1/members");
    let invited = json!({"email": "ada@example.com", "role": "viewer"});
    let _ = Answer::to(with_json(invite, &invited)).await.ok(201);
    let token = issuer.access_token(ADA, 3600);
    assert_eq!(settings(&world, &token).await.status, 200, "not taken up yet");
    let browser = Browser::new(&world);
    assert_eq!(browser.sign_in_as(ADA).await.0.status, 303);
    let page = browser.open("/console/you").await;
    assert!(page.text.contains("<dd id=\"organization\">My organization</dd>"), "as before");
    assert_eq!(settings(&world, &token).await.refusal(), (403, "organization_needed".to_owned()));
    let first = world.stack.org.to_string();
    for (org, status) in
        [(first.as_str(), 200), (other, 200), ("org_0000000000000000", 404), ("x", 404)]
    {
        let request = world.request_by(&token, Method::GET, "/v1/settings");
        let answer = Answer::to(request.header("carillon-organization", org)).await;
        assert_eq!(answer.status, status, "{org}");
    }
    // An admin here is a viewer there.
    let request = world.request_by(&token, Method::PATCH, "/v1/settings");
    let request = request.header("carillon-organization", other);
    let answer = Answer::to(with_json(request, &json!({"max_attempts": 2}))).await;
    assert_eq!(answer.refusal(), (403, "role_too_low".to_owned()));
    // The console lets her change over, and nobody else.
    let page = browser.open("/console").await;
    let csrf = carillon_tests::browser::csrf(&page);
    let to = [("csrf", csrf.as_str()), ("organization", other)];
    assert_eq!(browser.send("/console/organization", &to).await.status, 303);
    let page = browser.open("/console/you").await;
    assert!(page.text.contains("<dd id=\"organization\">Second</dd>"), "{}", page.text);
    let mary = Browser::new(&world);
    assert_eq!(mary.sign_in_as("person-mary").await.0.status, 303);
    let csrf = carillon_tests::browser::csrf(&mary.open("/console").await);
    let to = [("csrf", csrf.as_str()), ("organization", other)];
    assert_eq!(mary.send("/console/organization", &to).await.status, 404);
}

#[tokio::test]
async fn without_an_issuer_no_token_is_taken() {
    let world = World::start().await;
    assert_eq!(settings(&world, "a.b.c").await.refusal(), (401, "invalid_token".to_owned()));
}
