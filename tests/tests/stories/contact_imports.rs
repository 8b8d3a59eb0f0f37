//! Files of people: read as they are saved, repeated without doubling.

use carillon_local::engines::fault::NoFaults;
use carillon_local::engines::{Operation, Verdict};
use carillon_tests::people::mobile;
use carillon_tests::{Answer, World, shows, with_file};
use reqwest::Method;
use serde_json::{Value, json};

async fn upload(world: &World, file: &[u8], fields: &[(&str, &str)]) -> Answer {
    let request = world.request(Method::POST, "/v1/contacts/import");
    Answer::to(with_file(request, file, fields)).await
}

/// Imports a file; answers what became of it.
async fn import(world: &World, file: &[u8], fields: &[(&str, &str)]) -> Value {
    let taken = upload(world, file, fields).await.ok(202);
    finished(world, taken["id"].as_str().expect("an id")).await
}

async fn finished(world: &World, id: &str) -> Value {
    for _ in 0..20 {
        world.tick().await;
        let import = world.get(&format!("/v1/imports/{id}")).await.ok(200);
        if import["status"] != "running" {
            return import;
        }
    }
    panic!("the import does not end");
}

async fn all(world: &World) -> Vec<Value> {
    let page = world.get("/v1/contacts?limit=200").await.ok(200);
    page["data"].as_array().expect("a list").clone()
}

fn file(rows: std::ops::Range<u32>) -> String {
    let rows = rows.map(|n| format!("Person {n},{},p{n}@example.com,Sydney\n", mobile(n)));
    std::iter::once("Name,Mobile,E-Mail,City\n".to_owned()).chain(rows).collect()
}

/// Writes that the table took.
fn writes(world: &World) -> f64 {
    world.stack.engines.meter().snapshot().units().write
}

#[tokio::test]
async fn a_file_becomes_contacts_and_the_same_again_changes_nothing() {
    let world = World::start().await;
    let file = file(1..18);
    let taken = upload(&world, file.as_bytes(), &[("labels", "autumn")]).await.ok(202);
    shows(
        &taken,
        &json!({"status": "running", "rows": 17, "processed": 0, "dry_run": false,
            "mapping": {"Name": "name", "Mobile": "phone", "E-Mail": "email",
                "City": "attributes.city"}}),
    );
    let done = finished(&world, taken["id"].as_str().expect("an id")).await;
    shows(&done, &json!({"status": "completed", "accepted": 17, "created": 17, "rejected": 0}));
    let first = all(&world).await;
    assert_eq!(first.len(), 17);
    shows(
        &first[0],
        &json!({"name": "Person 1", "phone": mobile(1), "email": "p1@example.com",
            "attributes": {"city": "Sydney"}, "labels": ["autumn"]}),
    );
    let again = import(&world, file.as_bytes(), &[("labels", "autumn")]).await;
    shows(&again, &json!({"accepted": 17, "created": 0, "updated": 0, "unchanged": 17}));
    assert_eq!(all(&world).await, first, "not even a time of change");
    let changed = file.replace("Sydney", "Perth");
    let updated = import(&world, changed.as_bytes(), &[]).await;
    shows(&updated, &json!({"accepted": 17, "created": 0, "updated": 17}));
    assert_eq!(all(&world).await[0]["attributes"]["city"], "Perth");
}

#[tokio::test]
async fn a_dry_run_says_what_would_come_of_it_and_stores_nothing() {
    let world = World::start().await;
    let _ = world.post("/v1/contacts", &json!({"name": "Old", "phone": mobile(3)})).await.ok(201);
    let report = import(&world, file(1..10).as_bytes(), &[("dry_run", "true")]).await;
    shows(
        &report,
        &json!({"dry_run": true, "accepted": 9, "created": 8, "updated": 1, "rejected": 0}),
    );
    assert_eq!(all(&world).await.len(), 1);
}

#[tokio::test]
async fn refused_rows_are_listed_with_their_line_and_why() {
    let world = World::start().await;
    let text = format!(
        "name,phone,email\nAda,{},ada@example.com\nBob,12,\n,,\nEve,,eve\nJoe,,\nAda,{},\n",
        mobile(1),
        mobile(1)
    );
    let done = import(&world, text.as_bytes(), &[]).await;
    shows(&done, &json!({"accepted": 2, "duplicates": 1, "rejected": 2, "processed": 5}));
    let path = format!("/v1/imports/{}/rejected", done["id"].as_str().expect("an id"));
    let report = world.get(&path).await.text;
    let lines: Vec<_> = report.lines().collect();
    assert!(lines[0].starts_with("line,reason,detail,name"), "{report}");
    assert!(lines[1].starts_with("3,invalid_phone_number,"), "{report}");
    assert!(lines[2].starts_with("5,invalid_email,"), "{report}");
    assert_eq!(lines.len(), 3, "{report}");
}

#[tokio::test]
async fn files_are_read_as_programs_save_them() {
    let utf16 = |text: &str| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect::<Vec<u8>>()
    };
    let text = format!("Name;Mobile\r\nZo\u{eb};{}\r\n", mobile(1));
    let google = format!(
        "First Name,Last Name,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value\n\
         Zo\u{eb},,* myContacts ::: VIP,,,Mobile,{}\n",
        mobile(1)
    );
    for bytes in [
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        utf16(&text),
        text.chars().map(|c| u8::try_from(u32::from(c)).expect("latin")).collect(),
        google.into_bytes(),
    ] {
        let world = World::start().await;
        shows(&import(&world, &bytes, &[]).await, &json!({"created": 1, "rejected": 0}));
        shows(&all(&world).await[0], &json!({"name": "Zoë", "phone": mobile(1)}));
    }
}

#[tokio::test]
async fn a_row_finds_its_person_by_external_id_then_number_then_address() {
    let world = World::start().await;
    for contact in [
        json!({"name": "A", "external_id": "x1", "phone": mobile(1)}),
        json!({"name": "B", "phone": mobile(2)}),
        json!({"name": "C", "email": "c@example.com"}),
        json!({"name": "D", "external_id": "x4", "phone": mobile(4), "email": "d@example.com"}),
    ] {
        let _ = world.post("/v1/contacts", &contact).await.ok(201);
    }
    let text = format!(
        "name,external id,phone,email\n\
         A2,x1,{},\nB2,,{},b@example.com\nC2,,{},c@example.com\nD2,x5,{},\nE2,x1,{},\n\
         F2,,{},d@example.com\n",
        mobile(9),
        mobile(2),
        mobile(3),
        mobile(4),
        mobile(2),
        mobile(6),
    );
    let done = import(&world, text.as_bytes(), &[]).await;
    shows(&done, &json!({"updated": 3, "created": 1, "rejected": 2}));
    let found = all(&world).await;
    let named: Vec<_> = found.iter().map(|c| (c["name"].clone(), c["phone"].clone())).collect();
    assert_eq!(
        named,
        [("A2", 9), ("B2", 2), ("C2", 3), ("D", 4), ("F2", 6)]
            .map(|(name, n)| (json!(name), json!(mobile(n))))
    );
}

#[tokio::test]
async fn a_large_file_goes_up_by_itself() {
    let world = World::start().await;
    let file = file(1..60).into_bytes();
    let size = json!({"size": file.len()});
    let place = world.post("/v1/uploads", &size).await.ok(201);
    let url = place["url"].as_str().expect("an address");
    let put = |url: String, body: Vec<u8>| {
        let request = world.http().put(url).body(body);
        async move { request.send().await.expect("an answer").status().as_u16() }
    };
    // Another size, another place, a changed signature: not what was signed.
    assert_eq!(put(url.to_owned(), b"short".to_vec()).await, 403);
    assert_eq!(put(url.replace("/up/", "/ex/"), file.clone()).await, 403);
    assert_eq!(put(url.replace("X-Amz-Signature=", "X-Amz-Signature=0"), file.clone()).await, 403);
    let id = place["id"].as_str().expect("an id");
    let form: &[(&str, &str)] = &[("upload", id)];
    let request = |fields| {
        let (kind, form) = carillon_tests::fields_form(fields);
        world.request(Method::POST, "/v1/contacts/import").header("content-type", kind).body(form)
    };
    let early = Answer::to(request(form)).await;
    assert_eq!(early.refusal(), (422, "unknown_upload".to_owned()));
    assert_eq!(put(url.to_owned(), file.clone()).await, 200);
    let taken = Answer::to(request(form)).await.ok(202);
    shows(&taken, &json!({"rows": 0, "mapping": {"Mobile": "phone"}}));
    let done = finished(&world, taken["id"].as_str().expect("an id")).await;
    shows(&done, &json!({"status": "completed", "rows": 59, "created": 59}));
    // The file is there for another try, with another mapping.
    let form: &[(&str, &str)] =
        &[("upload", id), ("mapping", r#"{"Mobile": "phone", "City": "status"}"#)];
    let taken = Answer::to(request(form)).await.ok(202);
    let done = finished(&world, taken["id"].as_str().expect("an id")).await;
    shows(&done, &json!({"updated": 59}));
    // After an hour the address is good for nothing.
    world.skip(61);
    assert_eq!(put(url.to_owned(), file).await, 403);
}

#[tokio::test]
async fn what_is_wrong_with_a_file_of_people_is_said() {
    let world = World::start().await;
    let many: Vec<String> = (0..60).map(|n| format!("column {n}")).collect();
    let many = format!("name,{}\nAda\n", many.join(","));
    for (file, fields, code) in [
        (b"%PDF-1.7 ...".as_slice(), &[][..], "not_csv"),
        (b"", &[], "empty_file"),
        (b"name,phone\n", &[], "empty_file"),
        (b"city,weather\nSydney,fine\n", &[], "mapping_without_person"),
        (many.as_bytes(), &[], "too_many_columns"),
        (b"name\nAda\n", &[("mapping", "[]")], "malformed_mapping"),
        (b"name\nAda\n", &[("mapping", r#"{"nom": "name"}"#)], "mapping_unknown_column"),
        (b"name\nAda\n", &[("mapping", r#"{"name": "title"}"#)], "mapping_unknown_field"),
        (b"name\nAda\n", &[("default_country", "Oz")], "invalid_value"),
        (b"name\nAda\n", &[("labels", "a,-")], "invalid_label"),
        (b"name\nAda\n", &[("upload", "upl_x")], "two_files"),
        (b"name\nAda\n", &[("colour", "red")], "unknown_field"),
    ] {
        let refused = upload(&world, file, fields).await;
        assert_eq!(refused.refusal().1, code, "{}", refused.text);
        assert_eq!(refused.status, 422);
    }
    assert!(all(&world).await.is_empty());
    let too_large = world.post("/v1/uploads", &json!({"size": 1_000_000_000_000_u64})).await;
    assert_eq!(too_large.refusal(), (422, "file_too_large".to_owned()));
}

#[tokio::test]
async fn where_many_cannot_be_stored_together_each_is_stored_by_itself() {
    let world = World::start().await;
    // As if somebody were always in the way of a transaction of several contacts.
    world.stack.engines.faults().set(|operation: &Operation<'_>| {
        let writes = operation.body["TransactItems"].as_array().map_or(0, Vec::len);
        if writes > 12 { Verdict::TransactionConflict } else { Verdict::Pass }
    });
    let file = file(1..20);
    let taken = upload(&world, file.as_bytes(), &[]).await.ok(202);
    let done = finished(&world, taken["id"].as_str().expect("an id")).await;
    shows(&done, &json!({"status": "completed", "created": 19, "rejected": 0}));
    assert_eq!(all(&world).await.len(), 19);
    let again = upload(&world, file.as_bytes(), &[("labels", "autumn")]).await.ok(202);
    let done = finished(&world, again["id"].as_str().expect("an id")).await;
    shows(&done, &json!({"status": "completed", "created": 0, "updated": 19}));
    world.stack.engines.faults().set(NoFaults);
    assert_eq!(all(&world).await.len(), 19);
}

/// The rows between are so wide that the two are not written in one transaction.
#[tokio::test]
async fn one_person_found_by_two_keys_of_one_file_is_changed_by_the_first() {
    let world = World::start().await;
    let ada = json!({"name": "Ada", "phone": mobile(90), "external_id": "crm-90"});
    let ada = world.post("/v1/contacts", &ada).await.ok(201);
    let mut file = String::from("name,phone,customer id\n");
    file.push_str(&format!("Ada First,{},\n", mobile(90)));
    for n in 1..4 {
        file.push_str(&format!("Bea {n},{},crm-{n}\n", mobile(n)));
    }
    file.push_str("Ada Second,,crm-90\n");
    let labels: Vec<String> = (0..20).map(|n| format!("label {n}")).collect();
    let done = import(&world, file.as_bytes(), &[("labels", &labels.join(","))]).await;
    shows(&done, &json!({"rows": 5, "created": 3, "updated": 1, "duplicates": 1}));
    let path = format!("/v1/contacts/{}", ada["id"].as_str().expect("an id"));
    let now = world.get(&path).await.ok(200);
    let name = now["name"].as_str().expect("a name");
    let found = world.get(&format!("/v1/contacts?q={}", name.replace(' ', "%20"))).await.ok(200);
    assert_eq!(found["data"][0]["id"], ada["id"], "{name} is in the list");
    assert_eq!(all(&world).await.len(), 4);
}

#[tokio::test]
async fn the_same_upload_request_is_one_import() {
    let world = World::start().await;
    let file = file(1..4);
    let once = || {
        let request = world.request(Method::POST, "/v1/contacts/import");
        let request = with_file(request, file.as_bytes(), &[]);
        Answer::to(request.header("idempotency-key", "k"))
    };
    let (first, again) = (once().await.ok(202), once().await.ok(202));
    assert_eq!(first, again);
    shows(&finished(&world, first["id"].as_str().expect("an id")).await, &json!({"created": 3}));
}

#[tokio::test]
async fn the_repeat_of_a_file_for_a_workshop_that_is_gone_since_answers_as_the_first() {
    let world = World::start().await;
    let (workshop, _) = world.full_workshop(1, 1).await;
    let file = file(1..4);
    let once = || {
        let request = world.request(Method::POST, "/v1/contacts/import");
        let request = with_file(request, file.as_bytes(), &[("workshop_id", &workshop)]);
        Answer::to(request.header("idempotency-key", "k"))
    };
    let first = once().await.ok(202);
    let gone = world.request(Method::DELETE, &format!("/v1/workshops/{workshop}"));
    assert_eq!(gone.send().await.expect("an answer").status(), 204);
    assert_eq!(once().await.ok(202), first);
    let other = upload(&world, file.as_bytes(), &[("workshop_id", &workshop)]).await;
    assert_eq!(other.refusal(), (422, "unknown_workshop".to_owned()));
}

#[tokio::test]
async fn a_row_that_says_nothing_new_writes_nothing() {
    let world = World::start().await;
    let file = file(1..41);
    let _ = import(&world, file.as_bytes(), &[]).await;
    let before = writes(&world);
    let again = import(&world, file.as_bytes(), &[]).await;
    assert_eq!(again["unchanged"], 40);
    // The import itself: its row, its pieces, a move of the cursor a page of five.
    let spent = writes(&world) - before;
    assert!(spent < 100.0, "{spent} write units for forty rows that say nothing new");
}

/// What is wrong from the n-th operation on, until somebody repairs it.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// Nothing arrives any more.
    Before,
    /// The operation takes effect; its answer and all that comes are lost.
    After,
}

/// Cuts the import of a file off at each operation, once before it takes effect and once behind;
/// then everything works again. Every row has its contact, once, and the counts are right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_cut_off_anywhere_is_finished_and_doubles_nobody() {
    let file = format!("{}Nobody's number,,,\n", file(1..8));
    let mut operations = None;
    let mut at = 1;
    while operations.is_none_or(|all| at <= all) {
        for cut in [Cut::Before, Cut::After] {
            let world = World::start().await;
            let old = json!({"name": "Old", "phone": mobile(3)});
            let _ = world.post("/v1/contacts", &old).await.ok(201);
            let taken = upload(&world, file.as_bytes(), &[]).await.ok(202);
            let faults = world.stack.engines.faults();
            faults.set(move |operation: &Operation<'_>| match operation.number {
                number if number < at => Verdict::Pass,
                number if number == at && matches!(cut, Cut::After) => Verdict::LoseAnswer,
                _ => Verdict::FailBefore,
            });
            let _ = world.stack.tick().await;
            let reached = faults.count();
            faults.set(NoFaults);
            if operations.is_none() && reached < at {
                operations = Some(reached);
            }
            // The lease runs out, and somebody else goes on.
            world.skip(3);
            let done = finished(&world, taken["id"].as_str().expect("an id")).await;
            let what = format!("cut off {cut:?} {at}: {done}");
            let number = |name: &str| done[name].as_u64().expect("a number");
            assert_eq!(number("processed"), number("rows"), "{what}");
            assert_eq!(number("accepted"), number("rows"), "{what}");
            assert_eq!(number("created"), number("rows") - 1, "{what}");
            let contacts = all(&world).await;
            assert_eq!(contacts.len() as u64, number("rows"), "{what}");
            let again = import(&world, file.as_bytes(), &[]).await;
            shows(&again, &json!({"unchanged": number("rows"), "created": 0, "updated": 0}));
        }
        at += 1;
    }
    assert!(at > 20, "{at} operations");
}

#[tokio::test]
async fn contacts_come_down_as_a_file_and_go_up_again() {
    let world = World::start().await;
    let _ = import(&world, file(1..30).as_bytes(), &[]).await;
    let formula = json!({"name": "=cmd()", "labels": ["odd"]});
    let _ = world.post("/v1/contacts", &formula).await.ok(201);
    let rules = json!({"name": "Odd", "rules": {"label": "odd"}});
    let segment = world.post("/v1/segments", &rules).await.ok(201);
    for (body, rows) in [(json!({}), 30), (json!({"segment_id": segment["id"]}), 1)] {
        let taken = world.post("/v1/contacts/export", &body).await.ok(202);
        shows(&taken, &json!({"status": "running", "url": null}));
        world.tick().await;
        let path = format!("/v1/exports/{}", taken["id"].as_str().expect("an id"));
        let done = world.get(&path).await.ok(200);
        shows(&done, &json!({"status": "completed", "rows": rows}));
        let url = done["url"].as_str().expect("an address");
        let file = world.http().get(url).send().await.expect("an answer");
        assert_eq!(file.status(), 200);
        let text = file.text().await.expect("a text");
        assert_eq!(text.lines().count(), rows + 1, "{text}");
        assert!(text.contains("'=cmd()"), "{text}");
        if rows == 30 {
            let lines: Vec<_> = text.lines().filter(|line| !line.contains("=cmd()")).collect();
            let again = import(&world, lines.join("\n").as_bytes(), &[]).await;
            shows(&again, &json!({"unchanged": 29, "created": 0, "updated": 0}));
        }
        world.skip(16);
        let late = world.http().get(url).send().await.expect("an answer");
        assert_eq!(late.status(), 403, "the address is good for a quarter of an hour");
    }
    let nobody = world.post("/v1/contacts/export", &json!({"segment_id": "seg_x"})).await;
    assert_eq!(nobody.refusal(), (422, "unknown_segment".to_owned()));
}

/// As S3 takes it: parts in any order, one of them twice, and the end said twice.
#[tokio::test]
async fn a_file_in_parts_becomes_one() {
    let world = World::start().await;
    let files = world.stack.ctx.files().expect("a bucket");
    let now = world.now();
    let upload = files.begin("o/x/ex/file", now).await.expect("begun");
    let mut parts = vec![String::new(); 2];
    for (number, text) in [(2, "there"), (1, "gone"), (1, "Hello ")] {
        let bytes = text.as_bytes().to_vec();
        parts[number - 1] =
            files.part("o/x/ex/file", &upload, number, bytes, now).await.expect("taken");
    }
    for _ in 0..2 {
        files.finish("o/x/ex/file", &upload, &parts, now).await.expect("finished");
    }
    let whole = files.range("o/x/ex/file", 0, 100, now).await.expect("read").expect("there");
    assert_eq!((whole.bytes.as_slice(), whole.size), (b"Hello there".as_slice(), 11));
    let part = files.range("o/x/ex/file", 6, 3, now).await.expect("read").expect("there");
    assert_eq!((part.bytes.as_slice(), part.size), (b"the".as_slice(), 11));
    assert_eq!(files.range("o/x/ex/none", 0, 1, now).await.expect("read"), None);
}
