//! What every page keeps to, in both themes, on a phone and on a wide screen: no rule of accessibility broken (axe-core),
//! nothing said on the browser's console, nothing wider than the screen or cut off, every field with its label, nothing
//! too small to tap. A picture of each is left.

use std::path::PathBuf;

use carillon_tests::ADMIN_KEY;

use crate::driver::Browser;
use crate::pages::furnished;

const WIDTHS: [u32; 2] = [390, 1440];

/// Each answers what breaks it, as the beginning of its markup.
const RULES: [(&str, &str); 4] = [
    (
        "wider than the screen",
        "return document.documentElement.scrollWidth > document.documentElement.clientWidth + 1 ? ['the page'] : []",
    ),
    // Text that is longer than its box, where the box shows no more.
    (
        "cut off",
        "return all('main *').filter(e => { const s = getComputedStyle(e); \
         return e.clientWidth > 1 && !e.closest('svg, .off-screen, thead') && e.scrollWidth > e.clientWidth + 1 \
         && (s.overflowX === 'hidden' || s.overflowX === 'clip'); }).map(said)",
    ),
    (
        "without a label",
        "return all('input:not([type=hidden]), select, textarea') \
         .filter(e => !e.labels?.length && !e.ariaLabel && !e.getAttribute('aria-labelledby')).map(said)",
    ),
    // WCAG 2.2 AA asks for 24 by 24 CSS pixels; a word in a sentence may be smaller, and what is in a label is
    // tapped with it.
    (
        "too small to tap",
        "const inSentence = e => e.tagName === 'A' && getComputedStyle(e).display === 'inline' \
         && e.parentElement.innerText.trim() !== e.innerText.trim() && !e.closest('nav'); \
         return all('a[href], button, summary, select, textarea, input:not([type=hidden])') \
         .filter(e => !e.classList.contains('skip') && !inSentence(e)) \
         .filter(e => { const r = (e.closest('label') ?? e).getBoundingClientRect(); return r.width < 24 || r.height < 24; }).map(said)",
    ),
];

/// On a phone, what a finger aims at in forms and navigation is larger than the law asks.
const FINGER: &str = "return all('button, select, summary, input:not([type=hidden]), nav a, a.button') \
     .filter(e => !e.closest('label') && e.type !== 'file') \
     .filter(e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height < 43.5; }).map(said)";

const WORDS: &str = "const all = css => [...document.querySelectorAll(css)].filter(e => e.checkVisibility()); \
     const said = e => e.outerHTML.slice(0, 120);";

/// Fetched by `tests/run tools`.
fn axe() -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".tools/axe-core/axe.min.js");
    let text = std::fs::read_to_string(&file);
    text.unwrap_or_else(|error| panic!("{}: {error}; `tests/run tools` fetches it", file.display()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_good_for_everybody_in_both_themes_on_phone_and_screen() {
    let (world, pages) = furnished().await;
    let browser = Browser::open().await;
    let axe = axe();
    browser.go(&format!("{}/console/sign-in", world.url)).await;
    let mut wrong = Vec::new();
    check(&browser, &axe, "sign-in", &mut wrong).await;
    browser.type_in("#key", ADMIN_KEY).await;
    browser.click("form button").await;
    browser.shows("h1", "Today").await;
    for (name, path) in &pages {
        for width in WIDTHS {
            browser.looks_like(width, false).await;
            browser.go(&format!("{}{path}", world.url)).await;
            check(&browser, &axe, &format!("{name}-{width}-light"), &mut wrong).await;
            browser.looks_like(width, true).await;
            check(&browser, &axe, &format!("{name}-{width}-dark"), &mut wrong).await;
        }
    }
    browser.close().await;
    assert!(wrong.is_empty(), "{} things:\n{}", wrong.len(), wrong.join("\n"));
}

async fn check(browser: &Browser, axe: &str, name: &str, wrong: &mut Vec<String>) {
    browser.whole_picture(name).await;
    let script = format!(
        "{axe}; return axe.run(document, {{resultTypes: ['violations']}}).then(found => \
         found.violations.map(v => v.id + ': ' + v.nodes.slice(0, 4).map(n => n.html.slice(0, 120)).join(' | ')))"
    );
    for violation in found(browser, &script).await {
        wrong.push(format!("{name}: {violation}"));
    }
    for (rule, script) in RULES {
        for one in found(browser, &format!("{WORDS} {script}")).await {
            wrong.push(format!("{name}: {rule}: {one}"));
        }
    }
    if name.contains("390") {
        for one in found(browser, &format!("{WORDS} {FINGER}")).await {
            wrong.push(format!("{name}: too small for a finger: {one}"));
        }
    }
    for complaint in browser.complaints().await {
        wrong.push(format!("{name}: {complaint}"));
    }
}

async fn found(browser: &Browser, script: &str) -> Vec<String> {
    let found = browser.run(script).await;
    let found = found.as_array().expect("a list").iter();
    found.map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
}
