//! A file becomes messages: each good line one, each bad line a reason.

use std::collections::BTreeMap;

use carillon_tests::people::mobile;
use carillon_tests::{World, shows};
use serde_json::json;

/// How often each number was really sent to.
async fn sent_to(world: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for received in world.received().await {
        *counts.entry(received.to).or_default() += 1;
    }
    counts
}

async fn rejected(world: &World, import: &str) -> String {
    let answer = world.get(&format!("/v1/imports/{import}/rejected")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    answer.text
}

#[tokio::test]
async fn a_file_is_sent_with_a_mapping_guessed_or_given() {
    let world = World::start().await;
    let guessed = format!("First Name,Mobile Number\nAda,{}\nBob,{}\n", mobile(1), mobile(2));
    let import = world.import(guessed.as_bytes(), "Hi {{ first_name }}", &[]).await;
    shows(
        &world.import_of(&import).await,
        &json!({"status": "running", "rows": 2, "accepted": 0, "channel": "sms"}),
    );
    assert!(world.received().await.is_empty(), "the API plans nothing");
    world.tick().await;
    shows(&world.import_of(&import).await, &json!({"status": "completed", "accepted": 2}));
    world.advance(1).await;

    let named = format!("Wer,Handy,Festnetz\nCem,{},x\n", mobile(3));
    let mapping = json!({"Handy": "to", "Wer": "name"}).to_string();
    world.import(named.as_bytes(), "Hi {{ name }}", &[("mapping", &mapping)]).await;
    world.tick().await;

    let mut bodies: Vec<_> = world.received().await.into_iter().map(|r| (r.to, r.body)).collect();
    bodies.sort();
    let expected = [(1, "Hi Ada"), (2, "Hi Bob"), (3, "Hi Cem")];
    assert_eq!(bodies, expected.map(|(n, body)| (mobile(n), body.to_owned())));
    let delivered = world.list("status=delivered").await;
    assert_eq!(delivered.len(), 3);
    shows(
        &delivered[0],
        &json!({"direction": "outbound", "variables": {"name": "Cem"}, "import": {"line": 2}}),
    );
}

#[tokio::test]
async fn a_file_of_a_stored_template_pins_its_version() {
    let world = World::start().await;
    let template = json!({"key": "notice", "channel": "sms", "body": "Dear {{ name }}"});
    let made = world.post("/v1/templates", &template).await.ok(201);
    let file = format!("phone,name\n{},Ada\n", mobile(1));
    let fields = [("channel", "sms"), ("template", "notice")];
    let _ = world.upload(file.as_bytes(), &fields).await.ok(202);
    let path = format!("/v1/templates/{}", made["id"].as_str().expect("an id"));
    let _ = world.patch(&path, &json!({"body": "Hey {{ name }}"})).await.ok(200);
    world.tick().await;
    shows(&world.list("").await[0], &json!({"body": "Dear Ada", "template": "notice@1"}));
}

#[tokio::test]
async fn a_number_is_sent_to_once_however_often_it_stands_in_the_file() {
    let world = World::start().await;
    let country = json!({"default_country": "AU"});
    let _ = world.patch("/v1/settings", &country).await.ok(200);
    // Pages have five lines: twice on the first page, again on the second and
    // the third, in another spelling and with another name.
    let mut file = String::from("phone,name\n");
    for line in [
        "+61491570001,Ada",
        "+61491570002,Bob",
        "0491 570 001,Ada again",
        "+61491570003,Cem",
        "+61491570004,Dora",
        "+61491570005,Eve",
        "+61 491 570 001,Ada once more",
        "+61491570006,Fay",
        "0491570002,Bob again",
        "+61491570007,Gus",
        "(04) 9157 0003,Cem again",
        "+61491570008,Hal",
    ] {
        file.push_str(line);
        file.push('\n');
    }
    let import = world.import(file.as_bytes(), "Hi {{ name }}", &[]).await;
    world.tick().await;
    shows(
        &world.import_of(&import).await,
        &json!({
            "status": "completed", "rows": 12, "processed": 12, "accepted": 8, "duplicates": 4,
            "rejected": 0,
        }),
    );
    world.advance(5).await;
    let counts = json!({"messages": {"pending": 0, "delivered": 8}});
    shows(&world.import_of(&import).await, &counts);
    let expected: BTreeMap<_, _> = (1..=8).map(|n| (mobile(n), 1)).collect();
    assert_eq!(sent_to(&world).await, expected);
    let ada = world.accepted_for(&mobile(1)).await;
    assert_eq!(ada[0].body, "Hi Ada", "the first line counts");
    assert_eq!(rejected(&world, &import).await.lines().count(), 1, "only the header");
    assert_eq!(world.list("status=delivered").await.len(), 8);
}

#[tokio::test]
async fn bad_lines_are_reported_and_the_others_are_sent() {
    let world = World::start().await;
    let long = "x".repeat(1_601);
    let lines = [
        ("+61491570001,Ada", None),
        (",No number", Some("missing_phone_number")),
        ("12345,Short", Some("invalid_phone_number")),
        ("0491570009,No country", Some("invalid_phone_number")),
        ("9.19876E+11,Damaged", Some("invalid_phone_number")),
        ("+61298765432,Landline", Some("landline_phone_number")),
        ("+999123456789,Nowhere", Some("unknown_country_code")),
        ("+61491570002,Bob", None),
        ("+61491570003,=1+1", Some("formula_cell")),
        ("+61491570004,@SUM(A1)", Some("formula_cell")),
        ("+61491570005,+HYPERLINK(1)", Some("formula_cell")),
        ("+61491570006", Some("wrong_number_of_cells")),
        ("+61491570007,a,b", Some("wrong_number_of_cells")),
        (&format!("+61491570008,{long}"), Some("cell_too_long")),
        ("+61491570010,-5%", None),
    ];
    let mut file = String::from("phone,name\n");
    for (line, _) in &lines {
        file.push_str(line);
        file.push('\n');
    }
    let import = world.import(file.as_bytes(), "Hi {{ name }}", &[]).await;
    world.tick().await;
    shows(
        &world.import_of(&import).await,
        &json!({
            "status": "completed", "rows": 15, "processed": 15, "accepted": 3, "duplicates": 0,
            "rejected": 12,
        }),
    );
    let expected: BTreeMap<_, _> = [1, 2, 10].into_iter().map(|n| (mobile(n), 1)).collect();
    assert_eq!(sent_to(&world).await, expected);

    let report = rejected(&world, &import).await;
    let mut found = report.lines();
    assert_eq!(found.next(), Some("line,reason,detail,phone,name"));
    let expected: Vec<_> =
        lines.iter().zip(2..).filter_map(|((_, code), line)| Some((line, (*code)?))).collect();
    let found: Vec<(i32, &str)> = found
        .map(|row| {
            let mut cells = row.splitn(3, ',');
            let line = cells.next().and_then(|n| n.parse().ok()).expect("a line");
            (line, cells.next().expect("a reason"))
        })
        .collect();
    assert_eq!(found, expected, "{report}");
    for cell in [",'=1+1", ",'@SUM(A1)", ",'+HYPERLINK(1)"] {
        assert!(report.contains(cell), "{cell} would run in a spreadsheet: {report}");
    }
}

#[tokio::test]
async fn an_empty_cell_that_empties_the_text_rejects_its_line() {
    let world = World::start().await;
    let _ = world.patch("/v1/settings", &json!({"max_segments": 1})).await.ok(200);
    let text = "a".repeat(161);
    let file = format!("phone,text\n{},\n{},{text}\n{},fine\n", mobile(1), mobile(2), mobile(3));
    let import = world.import(file.as_bytes(), "{{ text }}", &[]).await;
    world.tick().await;
    shows(&world.import_of(&import).await, &json!({"accepted": 1, "rejected": 2}));
    let report = rejected(&world, &import).await;
    assert!(report.contains("\n2,empty_body,"), "{report}");
    assert!(report.contains("\n3,too_many_segments,"), "{report}");
    assert_eq!(sent_to(&world).await, BTreeMap::from([(mobile(3), 1)]));
}

#[tokio::test]
async fn a_scheduled_file_waits_and_one_of_it_can_be_cancelled() {
    let world = World::start().await;
    let mut file = String::from("phone\n");
    for n in 0..8 {
        file.push_str(&format!("{}\n", mobile(n)));
    }
    let at = world.in_minutes(10);
    let import = world.import(file.as_bytes(), "Doors open", &[("scheduled_for", &at)]).await;
    world.advance(5).await;
    shows(
        &world.import_of(&import).await,
        &json!({"status": "completed", "accepted": 8, "scheduled_for": at}),
    );
    assert!(world.received().await.is_empty());
    let waiting = world.list("status=pending").await;
    assert_eq!(waiting.len(), 8);
    let id = waiting[3]["id"].as_str().expect("an id");
    let _ = world.post(&format!("/v1/messages/{id}/cancel"), &json!({})).await.ok(200);
    let moved = waiting[4]["id"].as_str().expect("an id");
    let later = json!({"scheduled_for": world.in_minutes(10)});
    let _ = world.post(&format!("/v1/messages/{moved}/reschedule"), &later).await.ok(200);
    world.advance(5).await;
    assert_eq!(world.received().await.len(), 6);
    world.advance(5).await;
    assert_eq!(world.received().await.len(), 7);
    assert!(sent_to(&world).await.values().all(|count| *count == 1));
    shows(&world.message(id).await, &json!({"status": "cancelled"}));
    shows(&world.message(moved).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn a_file_whose_members_fail_at_first_is_sent_in_the_end() {
    let world = World::start().await;
    let mut file = String::from("phone\n");
    for n in 0..12 {
        file.push_str(&format!("{}\n", mobile(n)));
    }
    world
        .providers(json!({"fail_next": [
            {"kind": "http_503_json", "times": 3}, {"kind": "close_before", "times": 2},
            {"kind": "close_after_accept", "times": 2}, {"kind": "http_429", "times": 2},
        ]}))
        .await;
    let import = world.import(file.as_bytes(), "Hi", &[]).await;
    world.tick().await;
    shows(&world.import_of(&import).await, &json!({"status": "completed", "accepted": 12}));
    world.advance(15).await;
    for n in 0..12 {
        assert_eq!(world.accepted_for(&mobile(n)).await.len(), 1, "{n}");
    }
    assert_eq!(world.list("status=delivered").await.len(), 12);
}

#[tokio::test]
async fn a_file_of_100_000_rows_is_taken() {
    let world = World::start().await;
    let file = |rows: u32| {
        let mut file = String::from("phone,name\n");
        for n in 0..rows {
            file.push_str(&format!("+61491{n:06},Ada\n"));
        }
        file
    };
    let fields = [("channel", "sms"), ("body", "Hi {{ name }}")];
    let taken = world.upload(file(100_000).as_bytes(), &fields).await.ok(202);
    shows(&taken, &json!({"status": "running", "rows": 100_000}));
    let refused = world.upload(file(100_001).as_bytes(), &fields).await.problem();
    assert_eq!(refused, (422, "too_many_rows".to_owned(), Some("file".to_owned())));
}

/// Long: every row is planned.
#[tokio::test]
#[ignore = "takes minutes; run with --full"]
async fn full_a_file_of_100_000_rows_is_planned_whole() {
    let tuning = carillon_runtime::config::Tuning::default();
    let world = World::with(carillon_tests::Setup { tuning, ..Default::default() }).await;
    let mut file = String::from("phone\n");
    for n in 0..100_000 {
        file.push_str(&format!("+61491{n:06}\n"));
    }
    let at = world.in_minutes(24 * 60);
    let import = world.import(file.as_bytes(), "Hi", &[("scheduled_for", &at)]).await;
    world.advance(1).await;
    shows(
        &world.import_of(&import).await,
        &json!({"status": "completed", "accepted": 100_000, "duplicates": 0, "rejected": 0}),
    );
    let stats = world.get("/v1/stats").await.ok(200);
    shows(&stats, &json!({"total_pending": 100_000, "total_sent": 0}));
}

#[tokio::test]
async fn long_texts_of_one_file_stay_with_their_own_numbers() {
    let world = World::start().await;
    let mut file = "phone,name\n".to_owned();
    for n in 1..=4 {
        file.push_str(&format!("{},Person{n}\n", mobile(n)));
    }
    // The same number again, on another page: its text must not replace the first.
    file.push_str(&format!("{},Other\n{},Person1Again\n", mobile(5), mobile(1)));
    let body = format!("Hi {{{{ name }}}} {}", "x".repeat(500));
    world.import(file.as_bytes(), &body, &[]).await;
    world.tick().await;
    world.advance(1).await;
    for n in 1..=4 {
        let received = world.accepted_for(&mobile(n)).await;
        assert_eq!(received.len(), 1, "number {n}");
        assert!(received[0].body.starts_with(&format!("Hi Person{n} x")), "number {n}");
    }
    for message in world.list("status=delivered").await {
        assert!(message["body"].as_str().is_some_and(|b| b.len() > 500), "{message}");
    }
}

#[tokio::test]
async fn rows_that_end_with_a_carriage_return_alone_keep_their_own_numbers() {
    let world = World::start().await;
    let file = format!("phone,name\n{},Ada\r{},Bob\n", mobile(1), mobile(2));
    world.import(file.as_bytes(), "Hi {{ name }}", &[]).await;
    world.tick().await;
    world.advance(1).await;
    for (n, body) in [(1, "Hi Ada"), (2, "Hi Bob")] {
        let received = world.accepted_for(&mobile(n)).await;
        assert_eq!(received.iter().map(|r| r.body.as_str()).collect::<Vec<_>>(), [body]);
    }
}

#[tokio::test]
async fn a_file_whose_pieces_are_damaged_is_shown_as_failed_and_not_tried_for_ever() {
    let world = World::start().await;
    let file = format!("phone,name\n{},Ada\n", mobile(1));
    let import = world.import(file.as_bytes(), "Hi {{ name }}", &[]).await;
    let key = carillon_store::keys::import_chunk(
        world.stack.org,
        import.parse().expect("an import's id"),
        0,
    );
    let text = |t: &str| aws_sdk_dynamodb::types::AttributeValue::S(t.to_owned());
    let table = world.stack.engines.dynamodb();
    let delete = table.delete_item().table_name(carillon_local::stack::TABLE);
    delete.key("pk", text(&key.pk)).key("sk", text(&key.sk)).send().await.expect("deleted");

    assert_eq!(world.stack.tick().await.errors, 1);
    let shown = world.import_of(&import).await;
    shows(&shown, &json!({"status": "failed", "accepted": 0}));
    assert!(shown["error"].as_str().is_some_and(|e| e.contains("missing")), "{shown}");
    assert_eq!(world.stack.tick().await.errors, 0, "it is not due any more");
}
