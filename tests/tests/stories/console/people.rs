//! Files of people in the console: looked at, tried, imported; and all of them as a file.

use carillon_domain::{OrgId, Role};
use carillon_tests::browser::csrf;
use carillon_tests::{World, people::mobile};
use serde_json::json;

use super::{hidden, of, reader, shows};

const PAGE: &str = "/console/contacts/import";

fn file() -> String {
    format!(
        "Person,Mobile,Town\nAda Lovelace,{},Sydney\nBob,12,Perth\nGrace Hopper,{},Sydney\n",
        mobile(1),
        mobile(2)
    )
}

async fn finished(world: &World, browser: &carillon_tests::browser::Browser, path: &str) -> String {
    for _ in 0..20 {
        world.tick().await;
        let page = browser.open(path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        if !page.text.contains("hx-trigger=\"every 3s\"") {
            return page.text;
        }
    }
    panic!("the import does not end");
}

fn way(answer: &carillon_tests::Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.header("location").expect("a way").split('?').next().expect("a path").to_owned()
}

#[tokio::test]
async fn a_file_of_people_is_looked_at_tried_and_imported_once() {
    let world = World::start().await;
    let known = json!({"name": "Grace", "phone": mobile(2)});
    let _ = world.post("/v1/contacts", &known).await.ok(201);
    let browser = reader(&world, Role::Manager).await;
    shows(&browser.open("/console/contacts").await, 200, &["href=\"/console/contacts/import\""]);
    let page = browser.open(PAGE).await;
    let (token, once) = (csrf(&page), hidden(&page, "once"));
    let file = file();
    let own = [("csrf", token.as_str()), ("once", once.as_str()), ("labels", "autumn")];
    // What a column is taken for, and which rows are refused, before anything is stored.
    let look = browser.send_file(&format!("{PAGE}/look"), file.as_bytes(), &own).await;
    shows(
        &look,
        200,
        &[
            "of 3 rows",
            "<dt>People</dt><dd>2</dd>",
            "<b>Line 3</b>",
            "attributes.town",
            "choose it once more",
        ],
    );
    // The name was not guessed: one says which column it is.
    let mapped = [
        ("column.0", "Person"),
        ("target.0", "name"),
        ("column.1", "Mobile"),
        ("target.1", "phone"),
        ("column.2", "Town"),
        ("target.2", ""),
    ];
    let fields = [&own[..], &mapped[..]].concat();
    let tried = [&fields[..], &[("try", "yes")]].concat();
    let path = way(&browser.send_file(PAGE, file.as_bytes(), &tried).await);
    let page = finished(&world, &browser, &path).await;
    for text in ["id=\"tried\"", "<dd id=\"created\">1</dd>", "<dd id=\"updated\">1</dd>"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(world.get("/v1/contacts").await.ok(200)["data"].as_array().map(Vec::len), Some(1));
    let first = browser.send_file(PAGE, file.as_bytes(), &fields).await;
    let again = browser.send_file(PAGE, file.as_bytes(), &fields).await;
    assert_eq!(way(&first), way(&again), "imported once");
    let page = finished(&world, &browser, &way(&first)).await;
    for text in ["<dd id=\"created\">1</dd>", "<dd id=\"rejected\">1</dd>", "autumn"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("id=\"tried\""));
    let rejected = browser.open(&format!("{}/rejected", way(&first))).await;
    shows(&rejected, 200, &["line,reason,detail,Person", "3,invalid_phone_number"]);
    let ada = world.get("/v1/contacts?q=ada").await.ok(200)["data"][0].clone();
    carillon_tests::shows(
        &ada,
        &json!({"name": "Ada Lovelace", "phone": mobile(1), "labels": ["autumn"], "attributes": {}}),
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_file_of_people_is_said_and_the_form_is_kept() {
    let world = World::start().await;
    let browser = reader(&world, Role::Manager).await;
    let token = csrf(&browser.open(PAGE).await);
    let own = [("csrf", token.as_str()), ("labels", "autumn"), ("default_country", "XX")];
    let page = browser.send_file(PAGE, file().as_bytes(), &own).await;
    shows(
        &page,
        422,
        &["id=\"wrong-default_country\"", "value=\"autumn\"", "value=\"XX\"", "of 3 rows"],
    );
    let none = browser.send_file(PAGE, b"", &[("csrf", token.as_str())]).await;
    shows(&none, 422, &["id=\"wrong-file\""]);
    let look = browser.send_file(&format!("{PAGE}/look"), b"", &[("csrf", token.as_str())]).await;
    shows(&look, 200, &["Choose a CSV file first."]);
    let twice = [
        ("csrf", token.as_str()),
        ("column.0", "Person"),
        ("target.0", "name"),
        ("column.1", "Mobile"),
        ("target.1", "name"),
    ];
    let page = browser.send_file(PAGE, file().as_bytes(), &twice).await;
    shows(&page, 422, &["id=\"wrong-mapping\"", "both mean `name`"]);
    assert_eq!(world.get("/v1/contacts").await.ok(200)["data"], json!([]));
}

#[tokio::test]
async fn a_file_registers_people_for_a_workshop() {
    let world = World::start().await;
    let (workshop, _) = world.full_workshop(2, 0).await;
    let browser = reader(&world, Role::Manager).await;
    let way_in = format!("{PAGE}?workshop_id={workshop}");
    let page = browser.open(&format!("/console/workshops/{workshop}")).await;
    shows(&page, 200, &[&format!("href=\"{way_in}\"")]);
    let page = browser.open(&way_in).await;
    shows(&page, 200, &[&format!("<option value=\"{workshop}\" selected>")]);
    let token = csrf(&page);
    let fields = [("csrf", token.as_str()), ("workshop_id", workshop.as_str())];
    let file = format!("name,phone\nNew,{}\n", mobile(900));
    let path = way(&browser.send_file(PAGE, file.as_bytes(), &fields).await);
    finished(&world, &browser, &path).await;
    let recipients =
        world.get(&format!("/v1/workshops/{workshop}/recipients?channel=sms")).await.ok(200);
    assert_eq!(recipients["total"], 3, "{recipients}");
}

#[tokio::test]
async fn contacts_come_as_a_file_also_to_a_viewer() {
    let world = World::start().await;
    for n in 1..4 {
        let contact = json!({"name": format!("Ada {n}"), "phone": mobile(n), "labels": if n == 1 { vec!["vip"] } else { vec![] }});
        let _ = world.post("/v1/contacts", &contact).await.ok(201);
    }
    let segment = json!({"name": "Friends", "rules": {"label": "vip"}});
    let segment = world.post("/v1/segments", &segment).await.ok(201);
    let segment = segment["id"].as_str().expect("an id");
    let viewer = reader(&world, Role::Viewer).await;
    let page = viewer.open("/console/contacts").await;
    let (token, once) = (csrf(&page), hidden(&page, "once"));
    let all = [("csrf", token.as_str()), ("once", once.as_str())];
    let path = way(&viewer.send("/console/contacts/export", &all).await);
    assert_eq!(way(&viewer.send("/console/contacts/export", &all).await), path, "asked for once");
    assert_eq!(viewer.open(&format!("{path}/file")).await.status, 404, "not yet");
    let page = finished(&world, &viewer, &path).await;
    assert!(page.contains("<b>3 contacts</b>"), "{page}");
    let file = viewer.open(&format!("{path}/file")).await;
    assert_eq!(file.status, 303, "{}", file.text);
    let csv = viewer.open(file.header("location").expect("an address")).await;
    shows(&csv, 200, &["Ada 1", "Ada 3"]);
    let some = [("csrf", token.as_str()), ("segment_id", segment)];
    let path = way(&viewer.send("/console/contacts/export", &some).await);
    assert!(finished(&world, &viewer, &path).await.contains("<b>1 contact</b>"));
    let other = of(&world, OrgId::from_bytes([9; 10]), Role::Admin).await;
    assert_eq!(other.open(&path).await.status, 404);
    assert_eq!(other.open(&format!("{path}/file")).await.status, 404);
}

#[tokio::test]
async fn a_viewer_imports_nothing() {
    let world = World::start().await;
    let viewer = reader(&world, Role::Viewer).await;
    assert_eq!(viewer.open(PAGE).await.status, 403);
    let token = csrf(&viewer.open("/console").await);
    let own = [("csrf", token.as_str())];
    for path in [PAGE.to_owned(), format!("{PAGE}/look")] {
        let answer = viewer.send_file(&path, file().as_bytes(), &own).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text);
    }
    assert_eq!(world.get("/v1/contacts").await.ok(200)["data"], json!([]));
}
