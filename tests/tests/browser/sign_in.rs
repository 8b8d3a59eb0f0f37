//! Coming, staying and going, with an issuer on another site than the console's.

use carillon_local::options::People;
use carillon_tests::{ADMIN_KEY, Setup, World};
use serde_json::json;

use crate::driver::Browser;

/// The console as `localhost`; the issuer is at `127.0.0.1`.
async fn world() -> (World, String) {
    let setup = Setup { people: People::BuiltIn, console_host: "localhost", ..Setup::default() };
    let world = World::with(setup).await;
    let console = world.url.replace("127.0.0.1", "localhost");
    (world, console)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_with_the_issuer_and_out_again() {
    let (world, console) = world().await;
    let browser = Browser::open().await;

    browser.go(&format!("{console}/console")).await;
    browser.shows("h1", "Sign in").await;
    assert_eq!(browser.at().await, format!("{console}/console/sign-in"));
    let colour = "return getComputedStyle(document.querySelector('#person')).backgroundColor";
    assert_eq!(browser.run(colour).await, json!("rgb(36, 80, 184)"), "the style is let in");
    browser.picture("1-sign-in").await;

    browser.click("#person").await;
    browser.shows("h1", "Sign in as …").await;
    assert!(browser.at().await.starts_with(&format!("{}/issuer/authorize?", world.url)));
    browser.picture("2-issuer").await;

    browser.click("button[value=person-ada]").await;
    browser.shows("h1", "Today").await;
    assert_eq!(browser.at().await, format!("{console}/console"));
    browser.click(".me").await;
    browser.shows("#as", "Ada Lovelace").await;
    browser.shows("#email", "ada@example.com").await;
    browser.shows("#role", "Admin").await;
    browser.picture("3-you").await;

    let seen = browser.run("return document.cookie").await;
    let is_zone_alone =
        seen.as_str().is_some_and(|seen| seen.starts_with("carillon_zone=") && !seen.contains(';'));
    assert!(is_zone_alone, "a script sees the time zone that it set, and no secret: {seen}");
    let mut cookies = browser.cookies().await;
    cookies.retain(|cookie| cookie["name"] != "carillon_zone");
    assert_eq!(cookies.len(), 1, "the others are gone: {cookies:?}");
    assert_eq!(cookies[0]["name"], "carillon_session");
    assert_eq!(cookies[0]["httpOnly"], true);
    assert_eq!(cookies[0]["sameSite"], "Lax");

    browser.click("#sign-out").await;
    browser.shows("h1", "Sign in").await;
    browser.go(&format!("{console}/console")).await;
    assert_eq!(browser.at().await, format!("{console}/console/sign-in"));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_cannot_act_in_a_persons_name() {
    let (world, console) = world().await;
    let browser = Browser::open().await;
    browser.go(&format!("{console}/console/sign-in")).await;
    browser.type_in("#key", ADMIN_KEY).await;
    browser.click("form button").await;
    browser.shows("h1", "Today").await;
    browser.picture("4-by-key").await;

    // A page of another site, which knows the form.
    let elsewhere = format!("{}/issuer/keys", world.url);
    browser.go(&elsewhere).await;
    let forged = format!(
        "const form = document.createElement('form'); form.method = 'post'; \
         form.action = '{console}/console/sign-out/everywhere'; \
         const field = document.createElement('input'); field.name = 'csrf'; field.value = 'x'; \
         form.append(field); document.body.append(form); form.submit();"
    );
    browser.run(&forged).await;
    browser.shows("h1", "That did not work").await;
    assert_eq!(browser.at().await, format!("{console}/console/sign-out/everywhere"));
    browser.picture("5-refused").await;

    // Nor can it show the console in a frame of its own.
    browser.go(&elsewhere).await;
    let frame = format!(
        "const frame = document.createElement('iframe'); frame.src = '{console}/console/sign-in'; \
         document.body.append(frame);"
    );
    browser.run(&frame).await;
    browser.enter_frame("iframe").await;
    let inside = browser.run("return document.body ? document.body.innerText : ''").await;
    assert!(!inside.to_string().contains("API key"), "{inside}");
    browser.leave_frame().await;

    // And no script of a page of ours could send anything anywhere.
    browser.go(&format!("{console}/console/you")).await;
    browser.shows("#role", "Super admin").await;
    let injected = "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; \
                    document.body.append(s); return window.ran === undefined";
    assert_eq!(browser.run(injected).await, json!(true), "the policy stops it");

    browser.click("#everywhere").await;
    browser.shows("h1", "Sign in").await;
    browser.close().await;
}
