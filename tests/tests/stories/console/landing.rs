//! A link that somebody was sent leads to its page, also when he has to sign in first.

use carillon_local::options::People;
use carillon_tests::browser::{Browser, csrf};
use carillon_tests::{ADMIN_KEY, Answer, Setup, World};

use super::{hidden, shows};

const LINK: &str = "/console/messages?status=failed&q=a%20b";
const DOOR: &str = "/console/sign-in?next=%2Fconsole%2Fmessages%3Fstatus%3Dfailed%26q%3Da%2520b";
const ADA: &str = "person-ada";

async fn world() -> World {
    World::with(Setup { people: People::BuiltIn, ..Setup::default() }).await
}

#[tokio::test]
async fn a_key_opens_the_page_that_was_asked_for() {
    let world = world().await;
    let browser = Browser::new(&world);
    let refused = browser.open(LINK).await;
    assert_eq!((refused.status, refused.header("location")), (303, Some(DOOR)));
    let page = browser.open(DOOR).await;
    let (token, next) = (csrf(&page), hidden(&page, "next").replace("&#38;", "&"));
    assert_eq!(next, LINK);
    // A wrong key first: the page is not forgotten.
    let wrong = [("csrf", token.as_str()), ("key", "crl_wrong"), ("next", &next)];
    let page = browser.send("/console/sign-in/key", &wrong).await;
    assert_eq!(page.status, 401);
    assert_eq!(hidden(&page, "next").replace("&#38;", "&"), LINK);
    let right = [("csrf", token.as_str()), ("key", ADMIN_KEY), ("next", &next)];
    let landed = browser.send("/console/sign-in/key", &right).await;
    assert_eq!((landed.status, landed.header("location")), (303, Some(LINK)));
}

#[tokio::test]
async fn the_issuer_leads_back_to_the_page_that_was_asked_for() {
    let world = world().await;
    let browser = Browser::new(&world);
    let page = browser.open(DOOR).await;
    let way = "/console/sign-in/person?next=%2Fconsole%2Fmessages%3Fstatus%3Dfailed%26q%3Da%2520b";
    shows(&page, 200, &[&format!("href=\"{way}\"")]);
    let landed = through_issuer(&browser, way).await;
    assert_eq!((landed.status, landed.header("location")), (303, Some(LINK)));
    assert!(browser.cookie("carillon_wanted").is_none(), "it is good once");
    // Who begins anew without a page lands on the first one, whatever an attempt before wanted.
    let browser = Browser::new(&world);
    let _ = browser.open(way).await;
    assert!(browser.cookie("carillon_wanted").is_some());
    let landed = through_issuer(&browser, "/console/sign-in/person").await;
    assert_eq!(landed.header("location"), Some("/console"));
}

/// To the issuer and back as Ada: the answer of the callback.
async fn through_issuer(browser: &Browser, way: &str) -> Answer {
    let (action, fields) = browser.to_issuer_by(way, ADA).await;
    let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let back = browser.send(&action, &fields).await;
    browser.open(back.header("location").expect("a way back")).await
}

#[tokio::test]
async fn nobody_lands_anywhere_else() {
    let world = world().await;
    // Each as a form says it, and as a cookie does.
    for (evil, cookie) in [
        ("https://evil.example/console", "aHR0cHM6Ly9ldmlsLmV4YW1wbGUvY29uc29sZQ"),
        ("//evil.example/console", "Ly9ldmlsLmV4YW1wbGUvY29uc29sZQ"),
        ("/console/../issuer/keys", "L2NvbnNvbGUvLi4vaXNzdWVyL2tleXM"),
        ("/console\\@evil.example", "L2NvbnNvbGVcQGV2aWwuZXhhbXBsZQ"),
        ("/console/sign-in/person", "L2NvbnNvbGUvc2lnbi1pbi9wZXJzb24"),
        ("/issuer/keys", "L2lzc3Vlci9rZXlz"),
    ] {
        let browser = Browser::new(&world);
        let token = csrf(&browser.open("/console/sign-in").await);
        let fields = [("csrf", token.as_str()), ("key", ADMIN_KEY), ("next", evil)];
        let landed = browser.send("/console/sign-in/key", &fields).await;
        assert_eq!(landed.header("location"), Some("/console"), "{evil}");
        // As a cookie that somebody else set.
        let browser = Browser::new(&world);
        let (action, fields) = browser.to_issuer(ADA).await;
        browser.set_cookie("carillon_wanted", cookie);
        let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let back = browser.send(&action, &fields).await;
        let landed = browser.open(back.header("location").expect("a way back")).await;
        assert_eq!(landed.header("location"), Some("/console"), "{evil}");
    }
}

#[tokio::test]
async fn a_form_of_somebody_signed_out_is_not_sent_again() {
    let world = world().await;
    let browser = Browser::new(&world);
    let token = csrf(&browser.open("/console/sign-in").await);
    let answer = browser.send("/console/contacts", &[("csrf", &token), ("name", "Ada")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/console/sign-in")));
    // A script goes to the sign-in with the page it is on, not with the part it asked for.
    let request = world.http().get(format!("{}/console/contacts", world.url));
    let here = format!("{}/console/contacts?label=vip", world.url);
    let request = request.header("hx-request", "true").header("hx-current-url", here);
    let answer = Answer::to(request).await;
    let door = "/console/sign-in?next=%2Fconsole%2Fcontacts%3Flabel%3Dvip";
    assert_eq!((answer.status, answer.header("hx-redirect")), (204, Some(door)));
}
