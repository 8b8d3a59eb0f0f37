//! A workshop at seven in the evening with fifty-two registrants, and its three
//! reminders.

use std::collections::BTreeMap;

use carillon_tests::people::mobile;
use carillon_tests::workshops::{MOMENTS, three_steps};
use carillon_tests::{Answer, World, shows, with_file};
use serde_json::{Value, json};

/// What the providers took, by number.
async fn taken(world: &World) -> BTreeMap<String, Vec<String>> {
    let mut taken: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for received in world.received().await.into_iter().filter(|r| r.accepted) {
        taken.entry(received.to).or_default().push(received.body);
    }
    taken
}

fn counts(of: &Value) -> BTreeMap<&str, u64> {
    let counts = of["counts"].as_object().expect("counts");
    let there = counts.iter().filter_map(|(name, n)| Some((name.as_str(), n.as_u64()?)));
    there.filter(|(_, n)| *n > 0).collect()
}

#[tokio::test]
async fn fifty_two_registrants_of_whom_five_have_no_number_get_three_reminders_each_at_its_minute()
{
    let world = World::start().await;
    let (workshop, contacts) = world.full_workshop(52, 5).await;
    let recipients = world.get(&format!("/v1/workshops/{workshop}/recipients")).await.ok(200);
    shows(&recipients, &json!({"total": 52, "reachable": 47, "missing_email": 52}));
    let unreachable = recipients["unreachable"].as_array().expect("a list");
    assert_eq!(unreachable.len(), 5);
    for (named, contact) in unreachable.iter().zip(&contacts) {
        shows(named, &json!({"contact_id": contact, "reason": "no_phone"}));
    }

    let path = format!("/v1/workshops/{workshop}/run-sequence");
    let dry = json!({"channel": "sms", "dry_run": true});
    let dry = world.post(&path, &dry).await.ok(202);
    shows(&dry, &json!({"campaign_id": null, "scheduled": 141, "recipients": 52}));
    assert!(world.checkpoints(&workshop).await.is_empty(), "a dry run leaves nothing");
    let run = world.run_sequence(&workshop).await.ok(202);
    assert_eq!(run["scheduled"], 141);
    assert_eq!(run["skipped"], json!([{"reason": "no_phone", "count": 5, "step": null}]));
    let ats: Vec<_> = run["steps"].as_array().expect("steps").iter().map(|s| &s["at"]).collect();
    assert_eq!(ats, MOMENTS);

    // Before anything is planned, and when it is: the same.
    for planned in [false, true] {
        let checkpoints = world.checkpoints(&workshop).await;
        assert_eq!(checkpoints.len(), 3);
        for (checkpoint, (label, at)) in
            checkpoints.iter().zip(["Morning", "Afternoon", "Soon"].iter().zip(MOMENTS))
        {
            shows(checkpoint, &json!({"at": at, "label": label, "skipped": null}));
            assert_eq!(counts(checkpoint), BTreeMap::from([("pending", 47)]), "{planned}");
        }
        world.tick().await;
    }
    let waiting = world.list(&format!("workshop_id={workshop}&limit=200")).await;
    assert_eq!(waiting.len(), 141);
    assert!(waiting.iter().all(|m| m["status"] == "pending"));

    for (place, moment) in MOMENTS.iter().enumerate() {
        let at: jiff::Timestamp = moment.parse().expect("a time");
        world
            .stack
            .ctx
            .clock
            .advance(at.duration_since(world.now()) - jiff::SignedDuration::from_secs(30));
        world.tick().await;
        assert_eq!(world.received().await.len(), 47 * place, "not before its minute");
        world.advance(1).await;
        assert_eq!(world.received().await.len(), 47 * (place + 1), "at its minute");
    }
    let taken = taken(&world).await;
    assert_eq!(taken.len(), 47);
    for n in 5..52 {
        assert_eq!(
            taken[&mobile(n)],
            [
                format!("Hi Person{n}, today: Crypto"),
                format!("Person{n}, Crypto is at 7:00 PM"),
                "In half an hour: Crypto".to_owned(),
            ]
        );
    }
    for checkpoint in world.checkpoints(&workshop).await {
        assert_eq!(counts(&checkpoint), BTreeMap::from([("delivered", 47)]));
    }
    let broadcasts = world.get(&format!("/v1/workshops/{workshop}/broadcasts")).await.ok(200);
    let campaign = &broadcasts["data"][0];
    shows(
        campaign,
        &json!({
            "id": run["campaign_id"], "kind": "broadcast", "status": "completed",
            "workshop_id": workshop, "counts": {"audience": 141, "delivered": 141, "pending": 0},
        }),
    );
    let of_it = world.list(&format!("campaign_id={}&limit=200", id(&run))).await;
    assert_eq!(of_it.len(), 141);
    for message in &of_it {
        shows(message, &json!({"workshop_id": workshop, "import": null, "status": "delivered"}));
        assert!(message["contact_id"].is_string() && message["template"].is_string());
    }
    equal_a_recount(&world, &id(&run)).await;
}

fn id(run: &Value) -> String {
    run["campaign_id"].as_str().expect("an id").to_owned()
}

/// The campaign's counts are its messages, one by one.
async fn equal_a_recount(world: &World, campaign: &str) {
    let shown = world.get(&format!("/v1/campaigns/{campaign}")).await.ok(200);
    let mut recount: BTreeMap<String, u64> = BTreeMap::new();
    let mut cursor = String::new();
    let mut all = 0;
    loop {
        let path = format!("/v1/campaigns/{campaign}/messages?limit=50{cursor}");
        let page = world.get(&path).await.ok(200);
        for message in page["data"].as_array().expect("a list") {
            let status = message["status"].as_str().expect("a status");
            *recount.entry(status.to_owned()).or_default() += 1;
            all += 1;
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut said = counts(&shown);
    assert_eq!(said.remove("audience"), Some(all), "{shown:#}");
    let said: BTreeMap<String, u64> = said.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    assert_eq!(said, recount);
    let stats = world.get(&format!("/v1/campaigns/{campaign}/stats")).await.ok(200);
    let of = |name: &str| recount.get(name).copied().unwrap_or(0);
    shows(
        &stats,
        &json!({
            "total_sent": of("sent") + of("delivered"), "total_delivered": of("delivered"),
            "total_cancelled": of("cancelled"), "total_pending": of("pending"),
        }),
    );
}

#[tokio::test]
async fn run_twice_and_from_two_sides_at_once_nothing_is_planned_twice() {
    let world = World::start().await;
    let (workshop, _) = world.full_workshop(7, 1).await;
    let (one, two) = tokio::join!(world.run_sequence(&workshop), world.run_sequence(&workshop));
    let (one, two) = (one.ok(202), two.ok(202));
    assert_eq!(one["campaign_id"], two["campaign_id"]);
    let scheduled = [&one["scheduled"], &two["scheduled"]].map(|n| n.as_u64().expect("a number"));
    assert_eq!(scheduled.iter().sum::<u64>(), 18, "{one} {two}");
    world.advance(1).await;
    let again = world.run_sequence(&workshop).await.ok(202);
    assert_eq!((&again["campaign_id"], &again["scheduled"]), (&one["campaign_id"], &json!(0)));
    let already = &again["skipped"][0];
    shows(already, &json!({"reason": "already_scheduled", "count": 18}));
    for moment in MOMENTS {
        world.until(moment).await;
    }
    let taken = taken(&world).await;
    assert_eq!(taken.len(), 6);
    assert!(taken.values().all(|texts| texts.len() == 3), "{taken:?}");
    equal_a_recount(&world, &id(&one)).await;
}

#[tokio::test]
async fn who_joins_late_gets_what_is_still_ahead_and_who_leaves_gets_nothing_more() {
    let world = World::start().await;
    let (workshop, contacts) = world.full_workshop(6, 0).await;
    let run = world.run_sequence(&workshop).await.ok(202);
    world.until(MOMENTS[0]).await;
    let late = world.contact(20, true).await;
    shows(
        &world.register(&workshop, std::slice::from_ref(&late)).await.ok(200),
        &json!({"registered": 1}),
    );
    let again = world.register(&workshop, &[late.clone(), contacts[2].clone()]).await.ok(200);
    shows(&again, &json!({"registered": 0, "already_registered": 2}));
    let gone = world.unregister(&workshop, &contacts[..1]).await;
    assert_eq!(gone, json!({"left": 1, "not_registered": 0}));
    // At once, whatever was planned.
    let cancelled = world.list(&format!("campaign_id={}&status=cancelled", id(&run))).await;
    assert_eq!(cancelled.len(), 2);
    for message in &cancelled {
        assert_eq!(message["contact_id"], contacts[0].as_str());
        let why = &message["decisions"][0];
        shows(why, &json!({"reason": "registration_left"}));
        let explained = world.message(message["id"].as_str().expect("an id")).await;
        let story = explained["explanation"].as_str().expect("a text");
        assert!(story.contains("not registered for the workshop any more"), "{story}");
    }
    world.advance(2).await;
    world.until(MOMENTS[1]).await;
    world.until(MOMENTS[2]).await;
    let taken = taken(&world).await;
    assert_eq!(taken[&mobile(0)].len(), 1, "the first only");
    assert_eq!(taken[&mobile(20)].len(), 2, "the last two");
    assert!((1..6).all(|n| taken[&mobile(n)].len() == 3));
    let listed =
        world.get(&format!("/v1/workshops/{workshop}/registrations?limit=4")).await.ok(200);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(4));
    let cursor = listed["next_cursor"].as_str().expect("a cursor");
    let rest = format!("/v1/workshops/{workshop}/registrations?limit=4&cursor={cursor}");
    let rest = world.get(&rest).await.ok(200);
    assert_eq!(rest["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(rest["next_cursor"], Value::Null);
    equal_a_recount(&world, &id(&run)).await;
}

#[tokio::test]
async fn who_leaves_and_comes_back_gets_what_is_ahead_then_once() {
    let world = World::start().await;
    let (workshop, contacts) = world.full_workshop(3, 0).await;
    let run = world.run_sequence(&workshop).await.ok(202);
    world.advance(2).await;
    world.unregister(&workshop, &contacts[..1]).await;
    world.advance(2).await;
    let back = world.register(&workshop, &contacts[..1]).await.ok(200);
    assert_eq!(back["data"][0]["number"], 4, "another number");
    world.advance(2).await;
    for moment in MOMENTS {
        world.until(moment).await;
    }
    let taken = taken(&world).await;
    assert!((0..3).all(|n| taken[&mobile(n)].len() == 3), "{taken:?}");
    equal_a_recount(&world, &id(&run)).await;
}

#[tokio::test]
async fn a_contact_that_is_deleted_gets_nothing_more() {
    let world = World::start().await;
    let (workshop, contacts) = world.full_workshop(3, 0).await;
    let run = world.run_sequence(&workshop).await.ok(202);
    world.until(MOMENTS[0]).await;
    let path = format!("/v1/contacts/{}", contacts[1]);
    let gone = world.request(reqwest::Method::DELETE, &path).send().await.expect("an answer");
    assert_eq!(gone.status(), 204);
    world.advance(2).await;
    world.until(MOMENTS[1]).await;
    let taken = taken(&world).await;
    assert_eq!([0, 1, 2].map(|n| taken[&mobile(n)].len()), [2, 1, 2]);
    let recipients = world.get(&format!("/v1/workshops/{workshop}/recipients")).await.ok(200);
    shows(&recipients, &json!({"total": 2, "reachable": 2}));
    equal_a_recount(&world, &id(&run)).await;
}

#[tokio::test]
async fn a_corrected_number_counts_for_what_is_pending() {
    let world = World::start().await;
    let (workshop, contacts) = world.full_workshop(3, 1).await;
    let run = world.run_sequence(&workshop).await.ok(202);
    world.until(MOMENTS[0]).await;
    let patch = async |n: usize, phone: String| {
        let path = format!("/v1/contacts/{}", contacts[n]);
        let _ = world.patch(&path, &json!({"phone": phone})).await.ok(200);
    };
    patch(0, mobile(30)).await;
    patch(1, mobile(31)).await;
    let _ =
        world.patch(&format!("/v1/contacts/{}", contacts[2]), &json!({"email": "a@b.co"})).await;
    world.advance(2).await;
    world.until(MOMENTS[1]).await;
    world.until(MOMENTS[2]).await;
    let sent: BTreeMap<_, _> =
        taken(&world).await.into_iter().map(|(to, t)| (to, t.len())).collect();
    let expected =
        BTreeMap::from([(mobile(1), 1), (mobile(2), 3), (mobile(30), 2), (mobile(31), 2)]);
    assert_eq!(sent, expected);
    equal_a_recount(&world, &id(&run)).await;
}

#[tokio::test]
async fn a_template_that_is_changed_after_the_run_is_sent_as_it_was() {
    let world = World::start().await;
    let templates = world.three_templates().await;
    let tag = world.tag(three_steps(&templates)).await;
    let workshop = world.workshop(&tag).await;
    let contact = world.contact(1, true).await;
    let _ = world.register(&workshop, &[contact]).await.ok(200);
    let run = world.run_sequence(&workshop).await.ok(202);
    let path = format!("/v1/templates/{}", templates[2]);
    let _ = world.patch(&path, &json!({"body": "Changed"})).await.ok(200);
    // And for who joins later, it is the same text.
    world.advance(1).await;
    let late = world.contact(2, true).await;
    let _ = world.register(&workshop, &[late]).await.ok(200);
    world.until(MOMENTS[2]).await;
    for n in [1, 2] {
        assert_eq!(
            world.accepted_for(&mobile(n)).await.last().expect("one").body,
            "In half an hour: Crypto"
        );
    }
    let messages = world.get(&format!("/v1/campaigns/{}/messages", id(&run))).await.ok(200);
    let of_soon =
        messages["data"].as_array().expect("a list").iter().filter(|m| m["template"] == "soon@1");
    assert_eq!(of_soon.count(), 2);
}

#[tokio::test]
async fn a_send_now_goes_to_who_is_registered_then_and_a_test_to_one_number() {
    let world = World::start().await;
    let (workshop, _) = world.full_workshop(8, 1).await;
    let doors =
        json!({"key": "doors", "channel": "sms", "body": "{{ contact.first_name }}: {{ what }}"});
    let _ = world.post("/v1/templates", &doors).await.ok(201);
    let path = format!("/v1/workshops/{workshop}/send-now");
    let send = |more: Value| {
        let mut body = json!({
            "channel": "sms", "template": "doors", "variables": {"what": "doors open"},
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body
    };
    let dry = world.post(&path, &send(json!({"dry_run": true}))).await.ok(202);
    shows(&dry, &json!({"campaign_id": null, "scheduled": 0, "recipients": 7, "segments": 7}));
    shows(&dry["skipped"][0], &json!({"reason": "no_phone", "count": 1}));
    let test = world.post(&path, &send(json!({"test_to": mobile(99)}))).await.ok(202);
    assert_eq!(test["campaign_id"], Value::Null);
    world.settle().await;
    assert_eq!(world.accepted_for(&mobile(99)).await[0].body, "Person1: doors open");
    assert_eq!(world.received().await.len(), 1);

    let once = world.post_once(&path, "k", &send(json!({}))).await.ok(202);
    let again = world.post_once(&path, "k", &send(json!({}))).await.ok(202);
    assert_eq!(once, again);
    let late = world.contact(40, true).await;
    let _ = world.register(&workshop, &[late]).await.ok(200);
    world.advance(2).await;
    let taken = taken(&world).await;
    assert_eq!(taken.len(), 8, "seven and the test: {taken:?}");
    assert_eq!(taken[&mobile(3)], ["Person3: doors open"]);
    equal_a_recount(&world, &id(&once)).await;
    let campaigns = world.get("/v1/campaigns").await.ok(200);
    assert_eq!(campaigns["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_file_of_registrants_registers_each_of_them_with_or_without_a_number_and_once() {
    let world = World::start().await;
    let templates = world.three_templates().await;
    let tag = world.tag(three_steps(&templates)).await;
    let workshop = world.workshop(&tag).await;
    let run = world.run_sequence(&workshop).await.ok(202);
    assert_eq!(run["scheduled"], 0, "nobody is there yet");
    let mut file = "name,phone,external_id\n".to_owned();
    for n in 0..52 {
        let phone = if n < 5 { String::new() } else { mobile(n) };
        file.push_str(&format!("Person{n} Smith,{phone},crm-{n}\n"));
    }
    for _ in 0..2 {
        let request = world.request(reqwest::Method::POST, "/v1/contacts/import");
        let fields = [("workshop_id", workshop.as_str())];
        let taken = Answer::to(with_file(request, file.as_bytes(), &fields)).await.ok(202);
        world.advance(3).await;
        let path = format!("/v1/imports/{}", taken["id"].as_str().expect("an id"));
        shows(&world.get(&path).await.ok(200), &json!({"status": "completed", "accepted": 52}));
        let recipients = world.get(&format!("/v1/workshops/{workshop}/recipients")).await.ok(200);
        shows(&recipients, &json!({"total": 52, "reachable": 47}));
    }
    for checkpoint in world.checkpoints(&workshop).await {
        assert_eq!(counts(&checkpoint), BTreeMap::from([("pending", 47)]));
    }
    let request = world.request(reqwest::Method::POST, "/v1/contacts/import");
    let nowhere = [("workshop_id", "wsh_0123456789abcdef")];
    let refused = Answer::to(with_file(request, file.as_bytes(), &nowhere)).await;
    assert_eq!(refused.refusal(), (422, "unknown_workshop".to_owned()));
    equal_a_recount(&world, &id(&run)).await;
}
