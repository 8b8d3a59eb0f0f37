//! What people do in the console, in a real browser.

use std::time::Duration;

use carillon_tests::{ADMIN_KEY, World, many, people};
use serde_json::json;

use crate::driver::Browser;
use crate::pages::furnished;

pub async fn signed_in(world: &World) -> Browser {
    let browser = Browser::open().await;
    let key = carillon_store::secret_hash(ADMIN_KEY);
    let link = world.stack.first_visit.link(&world.stack.ctx, &key);
    browser.go(&format!("{}{link}", world.url)).await;
    browser.shows("h1", "Today").await;
    browser
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_written_counted_looked_at_sent_and_followed_to_its_end() {
    let world = World::start().await;
    let browser = signed_in(&world).await;
    browser.click("main a.button[href='/console/send']").await;
    browser.shows("h1", "Send a message").await;
    browser.type_in("#to", "+61 491 570 006").await;
    browser.type_in("#body", "Hi Ada – see you at seven").await;
    browser.shows("#count kbd", "–").await;
    browser.click("#look").await;
    browser.shows("h1", "Look before you send").await;
    browser.shows(".bubble", "Hi Ada – see you at seven").await;
    // Twice, as people do.
    browser.run("const b = document.querySelector('#send'); b.click(); b.click();").await;
    browser.shows("h1", "To +61491570006").await;
    browser.shows("#state .pill", "Scheduled").await;
    let here = browser.at().await;
    world.settle().await;
    // Nobody loads the page again.
    browser.shows("#state .pill", "Delivered").await;
    assert_eq!(browser.at().await, here);
    assert_eq!(world.accepted_for("+61491570006").await.len(), 1);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn todays_sequence_is_run_and_its_bars_move_until_a_failed_message_says_why() {
    let (world, _) = furnished().await;
    let browser = signed_in(&world).await;
    browser.click(".side a[href='/console/workshops']").await;
    browser.shows("h1", "Workshops").await;
    browser.click("td a.whole").await;
    browser.shows("h1", "Crypto for beginners").await;
    browser.shows("#reachable b", "47 / 52").await;
    browser.click("#run").await;
    browser.shows("h1", "Before it is sent").await;
    browser.shows("#scheduled", "141").await;
    browser.whole_picture("workshop-confirm").await;
    browser.click("#sure").await;
    browser.shows("h1", "Crypto for beginners").await;
    browser.shows(".checkpoints li:first-child h3", "The day before").await;
    browser.whole_picture("workshop-planned").await;
    let far = browser.run("return document.querySelectorAll('.checkpoints li').length").await;
    assert_eq!(far, json!(3));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_dropped_looked_at_sent_and_its_rejected_rows_are_there_to_download() {
    let world = World::start().await;
    let browser = signed_in(&world).await;
    browser.click(".side a[href='/console/bulk']").await;
    browser.type_in("#body", "Hi {{ name }}").await;
    let rows: String = (0..12).map(|n| format!("{},Ada {n}\\n", people::mobile(n))).collect();
    let drop = format!(
        "const data = new DataTransfer(); \
         data.items.add(new File(['phone,name\\n{rows}nobody,Bob\\n'], 'people.csv', {{type: 'text/csv'}})); \
         document.querySelector('[data-drop]').dispatchEvent(new DragEvent('drop', {{dataTransfer: data, bubbles: true, cancelable: true}}));"
    );
    browser.run(&drop).await;
    browser.shows("#dry-run dd", "12").await;
    browser.whole_picture("bulk-looked-at").await;
    browser.click(".confirm summary").await;
    browser.click("#send").await;
    browser.shows("h1", "A file of 13 rows").await;
    world.tick().await;
    browser.shows("#accepted", "12").await;
    browser.shows("#rejected", "1").await;
    world.tick().await;
    browser.shows("#state .pill", "Completed").await;
    browser.shows(".counts .good:last-child dd, section:last-of-type .counts .good dd", "12").await;
    assert_eq!(world.received().await.len(), 12);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_looked_for_is_found_far_back_without_a_click() {
    let world = World::start().await;
    let _ = world.send(&people::mobile(1), "Where is the needle?", json!({})).await;
    world.advance(1).await;
    // So many that one request does not come to it.
    many::messages(&world.stack, 0, 900).await;
    let browser = signed_in(&world).await;
    browser.go(&format!("{}/console/messages", world.url)).await;
    browser.type_in("#q", "needle").await;
    browser.click("form.filters button").await;
    browser
        .comes_to("#rows", Duration::from_secs(30), |text| text.contains("Where is the needle?"))
        .await;
    browser.shows("#more", "There are no more").await;
    // What nobody wrote: it is looked for everywhere, and that is said.
    browser.go(&format!("{}/console/messages?q=haystack", world.url)).await;
    browser.shows("#more", "There are no more").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_theme_is_chosen_and_kept() {
    let world = World::start().await;
    let browser = signed_in(&world).await;
    browser.go(&format!("{}/console/you", world.url)).await;
    browser.click("input[value=dark]").await;
    browser.click("#look").await;
    let ground = "return getComputedStyle(document.body).backgroundColor";
    browser.shows("h1", "API key “Installation”").await;
    assert_eq!(browser.run(ground).await, json!("rgb(15, 19, 24)"));
    browser.close().await;
}
