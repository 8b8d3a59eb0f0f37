//! The keyboard alone: every page can be gone through, each stop is seen, and what costs money is done with it.

use std::time::Duration;

use carillon_tests::World;
use carillon_tests::patience::{PAUSE, eventually};
use serde_json::{Value, json};

use crate::console::signed_in;
use crate::driver::Browser;
use crate::pages::furnished;

const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";
const SPACE: &str = " ";

/// A field of a date has a stop for each of its parts.
const PARTS: usize = 8;

/// Where the focus is: whether in the main part, its place among the stops there (-1: none), whether it shows
/// that it has the focus, and whether something lies over what of it is in the window.
const WHERE: &str = "const main = document.querySelector('main'), e = document.activeElement; \
     if (!main.contains(e)) return null; \
     const seen = getComputedStyle(e).opacity === '0' ? e.labels[0] : e; \
     const stops = STOPS; const s = getComputedStyle(seen), r = e.getClientRects()[0] ?? e.getBoundingClientRect(); \
     const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2; \
     const over = document.elementFromPoint(middle(r.left, r.right, innerWidth), middle(r.top, r.bottom, innerHeight)); \
     return {place: stops.indexOf(e), name: e.outerHTML.slice(0, 80), over: over?.outerHTML.slice(0, 80) ?? 'the edge of the window', \
     isShown: (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1) || s.boxShadow !== 'none', \
     isFree: !!over && (over.contains(e) || e.contains(over))};";

/// What Tab should reach in the main part; of a group of radio buttons the one that is chosen.
const STOPS: &str = "[...document.querySelectorAll('main :is(a[href], button, input, select, textarea, summary)')].filter(e => \
     !e.matches(':disabled') && e.tabIndex >= 0 && e.type !== 'hidden' && e.checkVisibility({visibilityProperty: true}) \
     && (e.type !== 'radio' || e.checked || !document.querySelector(`input[name=\"${e.name}\"]:checked`)))";

impl Browser {
    /// Presses a key wherever the focus is.
    async fn press(&self, key: &str) {
        let press = json!({"actions": [{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key},
        ]}]});
        self.post("/actions", &press).await;
    }

    async fn write(&self, text: &str) {
        for key in text.chars() {
            self.press(&key.to_string()).await;
        }
    }

    /// Tab, until this has the focus: an id, an address, a name or the text of a button.
    async fn tab_to(&self, wanted: &str) {
        const NAMES: &str = "const e = document.activeElement; \
             return [e.id, e.getAttribute('href'), e.name, e.innerText?.trim()]";
        for _ in 0..90 {
            self.press(TAB).await;
            let names = self.run(NAMES).await;
            if names.as_array().is_some_and(|all| all.contains(&json!(wanted))) {
                return;
            }
        }
        panic!("no way to {wanted} by Tab");
    }

    /// Counts what parts of the page that follow by themselves do.
    async fn count(&self, event: &str) {
        let script = format!(
            "window.seen = 0; document.addEventListener({event:?}, () => {{ window.seen += 1; }})"
        );
        self.run(&script).await;
    }

    async fn counted(&self) {
        let seen = eventually("a round", Duration::from_secs(20), PAUSE, async || {
            let seen = self.run("return window.seen").await;
            Ok(if seen.as_i64() > Some(0) { Ok(()) } else { Err(seen.to_string()) })
        });
        seen.await.expect("it follows by itself");
    }
}

/// From the skip link through all stops of the main part and out of it again.
async fn go_through(browser: &Browser, name: &str, wrong: &mut Vec<String>) {
    browser.press(TAB).await;
    browser.press(ENTER).await;
    let at = browser.run("return document.activeElement.id").await;
    if at != json!("main") {
        wrong.push(format!("{name}: the first stop does not lead to the content, but to {at}"));
        return;
    }
    let stops = browser.run(&format!("return {STOPS}.map(e => e.outerHTML.slice(0, 120))")).await;
    let stops = stops.as_array().expect("a list");
    let mut missing: Vec<&Value> = stops.iter().collect();
    let script = WHERE.replace("STOPS", STOPS);
    for _ in 0..=(stops.len() + 1) * PARTS {
        browser.press(TAB).await;
        let at = browser.run(&script).await;
        if at.is_null() {
            for one in missing {
                wrong.push(format!("{name}: no way by Tab to {one}"));
            }
            return;
        }
        if let Some(place) = at["place"].as_u64() {
            missing.retain(|stop| *stop != &stops[usize::try_from(place).expect("small")]);
        }
        if at["isShown"] != json!(true) {
            wrong.push(format!("{name}: does not show the focus: {}", at["name"]));
        }
        if at["isFree"] != json!(true) {
            wrong.push(format!("{name}: {} lies over {}", at["over"], at["name"]));
        }
    }
    wrong.push(format!("{name}: no way out by Tab"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_gone_through_by_tab_and_each_stop_shows_it() {
    let (world, pages) = furnished().await;
    let browser = signed_in(&world).await;
    let mut wrong = Vec::new();
    for (name, path) in &pages {
        browser.go(&format!("{}{path}", world.url)).await;
        go_through(&browser, name, &mut wrong).await;
    }
    browser.close().await;
    assert!(wrong.is_empty(), "{} things:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_sent_by_the_keyboard_alone() {
    let world = World::start().await;
    let browser = signed_in(&world).await;
    browser.tab_to("/console/send").await;
    browser.press(ENTER).await;
    browser.shows("h1", "Send a message").await;
    browser.tab_to("to").await;
    browser.write("+61491570006").await;
    browser.tab_to("body").await;
    browser.write("Hi Ada").await;
    browser.tab_to("through_quiet").await;
    browser.press(SPACE).await;
    browser.tab_to("look").await;
    browser.press(ENTER).await;
    browser.shows("h1", "Look before you send").await;
    browser.tab_to("send").await;
    browser.press(ENTER).await;
    browser.shows("h1", "To +61491570006").await;
    world.settle().await;
    assert_eq!(world.accepted_for("+61491570006").await.len(), 1);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sequence_is_run_paused_and_resumed_by_the_keyboard_alone() {
    let (world, _) = furnished().await;
    let browser = signed_in(&world).await;
    browser.tab_to("/console/workshops").await;
    browser.press(ENTER).await;
    browser.shows("h1", "Workshops").await;
    browser.tab_to("Crypto for beginners").await;
    browser.press(ENTER).await;
    browser.shows("h1", "Crypto for beginners").await;
    browser.tab_to("run").await;
    browser.press(ENTER).await;
    browser.shows("h1", "Before it is sent").await;
    browser.tab_to("sure").await;
    browser.press(ENTER).await;
    browser.shows(".checkpoints li:first-child h3", "The day before").await;
    // What follows by itself takes neither the focus nor what somebody has opened.
    browser.tab_to("See them").await;
    browser.count("htmx:afterSettle").await;
    browser.counted().await;
    assert_eq!(browser.run("return document.activeElement.innerText").await, json!("See them"));
    browser.tab_to("Stop …").await;
    browser.press(ENTER).await;
    browser.count("htmx:beforeRequest").await;
    browser.counted().await;
    browser.tab_to("Pause").await;
    browser.press(ENTER).await;
    browser.shows("#history ~ table .pill", "Paused").await;
    browser.tab_to("Go on").await;
    browser.press(ENTER).await;
    browser.shows("#history ~ table .pill", "Running").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_for_older_messages_is_led_to_the_first_of_them() {
    let (world, _) = furnished().await;
    let browser = signed_in(&world).await;
    browser.tab_to("/console/messages").await;
    browser.press(ENTER).await;
    browser.shows("h1", "Messages").await;
    browser.tab_to("Older messages").await;
    browser.press(ENTER).await;
    let row = "return [...document.querySelectorAll('#rows > tr')].indexOf(document.activeElement.closest('tr'))";
    let there = eventually("the first of them", Duration::from_secs(20), PAUSE, async || {
        let at = browser.run(row).await;
        Ok(if at == json!(25) { Ok(()) } else { Err(at.to_string()) })
    });
    there.await.expect("the focus is there");
    browser.close().await;
}
