//! What is planned for a workshop follows it: moved, across a change of the
//! clock too, deleted, and its campaigns paused, resumed, cancelled.

use std::collections::BTreeMap;

use carillon_tests::people::mobile;
use carillon_tests::workshops::{MOMENTS, three_steps};
use carillon_tests::{World, shows};
use reqwest::Method;
use serde_json::{Value, json};

async fn taken(world: &World) -> usize {
    world.received().await.into_iter().filter(|r| r.accepted).count()
}

fn counts(of: &Value) -> BTreeMap<&str, u64> {
    let counts = of["counts"].as_object().expect("counts");
    let there = counts.iter().filter_map(|(name, n)| Some((name.as_str(), n.as_u64()?)));
    there.filter(|(_, n)| *n > 0).collect()
}

fn id(run: &Value) -> String {
    run["campaign_id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_moved_workshop_moves_what_is_pending_and_skips_what_is_past() {
    let world = World::start().await;
    let (workshop, _) = world.full_workshop(7, 0).await;
    let run = world.run_sequence(&workshop).await.ok(202);
    world.until(MOMENTS[0]).await;
    assert_eq!(taken(&world).await, 7);
    // Two hours earlier: 17:00, and half an hour before it; 11:00 has passed.
    let path = format!("/v1/workshops/{workshop}");
    let _ = world.patch(&path, &json!({"starts_at": "2026-11-22T06:00:00Z"})).await.ok(200);
    let said = world.checkpoints(&workshop).await;
    let all: Vec<_> = said.iter().map(|c| (c["label"].as_str(), counts(c))).collect();
    let expected = |pending| {
        let moved = || BTreeMap::from([("cancelled", 7), ("pending", pending)]);
        vec![
            (Some("Morning"), BTreeMap::from([("delivered", 7)])),
            (Some("Soon"), moved()),
            (Some("Afternoon"), moved()),
        ]
    };
    assert_eq!(all, expected(7), "before it is planned");
    world.advance(2).await;
    let said = world.checkpoints(&workshop).await;
    let all: Vec<_> = said.iter().map(|c| (c["label"].as_str(), counts(c))).collect();
    assert_eq!(all, expected(7), "and when it is");
    assert_eq!(said[0]["skipped"], "past");
    let withdrawn = world.list(&format!("campaign_id={}&status=cancelled", id(&run))).await;
    assert_eq!(withdrawn.len(), 14);
    shows(&withdrawn[0]["decisions"][0], &json!({"reason": "workshop_moved"}));
    world.until("2026-11-22T05:30:00Z").await;
    assert_eq!(taken(&world).await, 14);
    world.until("2026-11-22T06:00:00Z").await;
    assert_eq!(taken(&world).await, 21);
    world.until(MOMENTS[2]).await;
    assert_eq!(taken(&world).await, 21, "nothing at the old times");
    let text = &world.accepted_for(&mobile(3)).await[2].body;
    assert_eq!(text, "Person3, Crypto is at 5:00 PM", "it says the new time");
}

#[tokio::test]
async fn eleven_stays_eleven_when_the_clock_is_changed_in_between() {
    // On 4 April 2027 the clocks of Sydney are put back, from UTC+11 to UTC+10.
    let world = World::start().await;
    let templates = world.three_templates().await;
    let tag = world.tag(three_steps(&templates)).await;
    let workshop = world.workshop(&tag).await;
    let contact = world.contact(1, true).await;
    let _ = world.register(&workshop, &[contact]).await.ok(200);
    let run = world.run_sequence(&workshop).await.ok(202);
    world.advance(1).await;
    let path = format!("/v1/workshops/{workshop}");
    for (starts_at, moments) in [
        (
            "2027-04-03T08:00:00Z",
            ["2027-04-03T00:00:00Z", "2027-04-03T06:00:00Z", "2027-04-03T07:30:00Z"],
        ),
        (
            "2027-04-05T09:00:00Z",
            ["2027-04-05T01:00:00Z", "2027-04-05T07:00:00Z", "2027-04-05T08:30:00Z"],
        ),
    ] {
        let _ = world.patch(&path, &json!({"starts_at": starts_at})).await.ok(200);
        world.advance(2).await;
        let ats: Vec<Value> =
            world.checkpoints(&workshop).await.iter().map(|c| c["at"].clone()).collect();
        assert_eq!(ats, moments, "{starts_at}");
        let pending = world.list(&format!("campaign_id={}&status=pending", id(&run))).await;
        let mut ats: Vec<_> = pending.iter().map(|m| m["scheduled_for"].clone()).collect();
        ats.sort_by_key(Value::to_string);
        assert_eq!(ats, moments, "{starts_at}");
    }
    world.until("2027-04-05T00:59:00Z").await;
    assert_eq!(taken(&world).await, 0);
    world.until("2027-04-05T01:00:00Z").await;
    assert_eq!(taken(&world).await, 1);
}

#[tokio::test]
async fn a_deleted_workshop_sends_nothing_more() {
    let world = World::start().await;
    let (workshop, contacts) = world.full_workshop(6, 0).await;
    let run = world.run_sequence(&workshop).await.ok(202);
    world.until(MOMENTS[0]).await;
    let path = format!("/v1/workshops/{workshop}");
    let gone = world.request(Method::DELETE, &path).send().await.expect("an answer");
    assert_eq!(gone.status(), 204);
    world.advance(2).await;
    assert_eq!(world.get(&path).await.status, 404);
    assert_eq!(world.register(&workshop, &contacts).await.status, 404);
    world.until(MOMENTS[1]).await;
    assert_eq!(taken(&world).await, 6);
    let campaign = world.get(&format!("/v1/campaigns/{}", id(&run))).await.ok(200);
    assert_eq!(
        counts(&campaign),
        BTreeMap::from([("audience", 18), ("delivered", 6), ("cancelled", 12)])
    );
    let listed = world.get("/v1/workshops").await.ok(200);
    assert_eq!(listed["data"], json!([]));
}

#[tokio::test]
async fn a_paused_campaign_waits_and_goes_on_when_it_is_resumed() {
    let world = World::start().await;
    let (workshop, _) = world.full_workshop(6, 0).await;
    let run = world.run_sequence(&workshop).await.ok(202);
    world.advance(1).await;
    let path = format!("/v1/campaigns/{}", id(&run));
    let paused = world.post(&format!("{path}/pause"), &json!({})).await.ok(200);
    shows(&paused, &json!({"status": "paused", "counts": {"pending": 18}}));
    world.until(MOMENTS[0]).await;
    world.advance(7).await;
    assert_eq!(taken(&world).await, 0);
    let waiting = world.list(&format!("campaign_id={}&status=pending", id(&run))).await;
    let held = waiting.iter().filter(|m| !m["decisions"].as_array().expect("a list").is_empty());
    for message in held {
        shows(&message["decisions"][0], &json!({"reason": "campaign_paused"}));
    }
    let resumed = world.post(&format!("{path}/resume"), &json!({})).await.ok(200);
    assert_eq!(resumed["status"], "running");
    world.advance(1).await;
    assert_eq!(taken(&world).await, 6, "each once, and at once");
    world.until(MOMENTS[1]).await;
    assert_eq!(taken(&world).await, 12);
}

#[tokio::test]
async fn a_pause_holds_up_what_waits_by_itself_and_a_cancel_ends_it() {
    let world = World::start().await;
    let (workshop, _) = world.full_workshop(4, 0).await;
    let run = world.run_sequence(&workshop).await.ok(202);
    let path = format!("/v1/campaigns/{}", id(&run));
    // All are refused once and wait to be tried again, each by itself.
    world.providers(json!({"fail_next": [{"kind": "http_503_json", "times": 4}]})).await;
    world.until(MOMENTS[0]).await;
    assert_eq!(taken(&world).await, 0);
    let _ = world.post(&format!("{path}/pause"), &json!({})).await.ok(200);
    world.advance(12).await;
    assert_eq!(taken(&world).await, 0);
    let cancelled = world.post(&format!("{path}/cancel"), &json!({})).await.ok(200);
    assert_eq!(cancelled["status"], "cancelled");
    world.advance(8).await;
    let shown = world.get(&path).await.ok(200);
    assert_eq!(counts(&shown), BTreeMap::from([("audience", 12), ("cancelled", 12)]));
    assert_eq!(taken(&world).await, 0);
    let refused = world.post(&format!("{path}/resume"), &json!({})).await;
    assert_eq!(refused.refusal(), (409, "campaign_cancelled".to_owned()));
    let statuses = world.list(&format!("campaign_id={}", id(&run))).await;
    assert!(statuses.iter().all(|m| m["status"] == "cancelled"));
}

#[tokio::test]
async fn a_cancelled_sequence_can_be_run_again_for_what_is_ahead() {
    let world = World::start().await;
    let (workshop, _) = world.full_workshop(4, 0).await;
    let first = world.run_sequence(&workshop).await.ok(202);
    world.until(MOMENTS[0]).await;
    let _ = world.post(&format!("/v1/campaigns/{}/cancel", id(&first)), &json!({})).await.ok(200);
    // Also while the cancelled one still waits to be looked at.
    let second = world.run_sequence(&workshop).await.ok(202);
    assert_ne!(first["campaign_id"], second["campaign_id"]);
    assert_eq!(second["scheduled"], 8);
    let past = &second["skipped"][0];
    shows(past, &json!({"reason": "past", "count": 4, "step": {"label": "Morning"}}));
    world.advance(2).await;
    world.until(MOMENTS[1]).await;
    world.until(MOMENTS[2]).await;
    assert_eq!(taken(&world).await, 12);
    let checkpoints = world.checkpoints(&workshop).await;
    let said: Vec<_> = checkpoints.iter().map(counts).collect();
    assert_eq!(said[0], BTreeMap::new());
    assert_eq!(said[1], BTreeMap::from([("delivered", 4)]));
    assert_eq!(checkpoints[0]["skipped"], "past");
}

#[tokio::test]
async fn two_registrants_who_are_one_person_get_each_step_once() {
    let world = World::start().await;
    let (workshop, contacts) = world.full_workshop(4, 0).await;
    let _ = world.run_sequence(&workshop).await.ok(202);
    world.advance(1).await;
    // The second is the first; the third is somebody who was not registered.
    let newcomer = world.contact(9, true).await;
    for (stays, goes) in [(&contacts[0], &contacts[1]), (&newcomer, &contacts[2])] {
        let path = format!("/v1/contacts/{stays}/merge");
        let merge = json!({"contact_id": goes});
        let _ = world.post(&path, &merge).await.ok(200);
        let _ = world.post(&path, &merge).await.ok(200);
    }
    let path = format!("/v1/workshops/{workshop}/recipients?channel=sms");
    shows(&world.get(&path).await.ok(200), &json!({"total": 3, "reachable": 3}));
    for moment in MOMENTS {
        world.until(moment).await;
    }
    let mut each: BTreeMap<String, usize> = BTreeMap::new();
    for received in world.received().await {
        *each.entry(received.to).or_default() += 1;
    }
    assert_eq!(each, [0, 3, 9].map(|n| (mobile(n), 3)).into());
}

#[tokio::test]
async fn whoever_becomes_part_of_somebody_without_a_number_keeps_what_waits() {
    let world = World::start().await;
    let (workshop, contacts) = world.full_workshop(1, 0).await;
    let _ = world.run_sequence(&workshop).await.ok(202);
    world.advance(1).await;
    let before = world.list(&format!("workshop_id={workshop}")).await;
    assert_eq!(before.len(), 3);
    let other = world.contact(9, false).await;
    let merge = json!({"contact_id": contacts[0]});
    let _ = world.post(&format!("/v1/contacts/{other}/merge"), &merge).await.ok(200);
    world.advance(1).await;
    let after = world.list(&format!("workshop_id={workshop}")).await;
    let ids = |list: &[Value]| list.iter().map(|m| m["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&after), ids(&before), "the same messages, none planned anew");
    assert!(after.iter().all(|m| m["status"] == "pending"));
    let path = format!("/v1/workshops/{workshop}/registrations");
    let registered = world.get(&path).await.ok(200);
    assert_eq!(registered["data"][0]["contact_id"], json!(other));
}
