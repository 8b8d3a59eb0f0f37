//! What the server sends is the page: with scripts switched off, each shows the same.

use serde_json::json;

use crate::console::signed_in;
use crate::pages::furnished;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_shows_its_content_before_scripts_run() {
    let (world, pages) = furnished().await;
    let browser = signed_in(&world).await;
    let mut wrong = Vec::new();
    for (name, path) in &pages {
        let mut shown = Vec::new();
        for is_off in [true, false] {
            let off = json!({"value": is_off});
            browser.devtools("Emulation.setScriptExecutionDisabled", off).await;
            browser.go(&format!("{}{path}", world.url)).await;
            let look = "return [typeof htmx, document.querySelector('main').innerText]";
            shown.push(browser.run(look).await);
        }
        let [without, with] = [&shown[0], &shown[1]];
        let ran = [without[0] != json!("undefined"), with[0] != json!("undefined")];
        if ran != [false, true] || without[1] != with[1] || without[1] == "" {
            wrong.push(format!("{name}: {without} without scripts, {with} with them"));
        }
    }
    browser.close().await;
    assert!(wrong.is_empty(), "{} things:\n{}", wrong.len(), wrong.join("\n"));
}
