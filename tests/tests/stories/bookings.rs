//! Sessions with a coach: what clients are told of them, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use carillon_local::engines::fault::{NoFaults, Operation, Verdict};
use carillon_tests::people::mobile;
use carillon_tests::{Setup, World, shows};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// A client in Sydney.
pub async fn client(world: &World, phone: Option<&str>) -> String {
    let body = json!({"name": "Ada Lovelace", "phone": phone, "time_zone": "Australia/Sydney"});
    let contact = world.post("/v1/contacts", &body).await.ok(201);
    contact["id"].as_str().expect("an id").to_owned()
}

/// A booking; `more` are further fields.
pub async fn book(world: &World, client: &str, starts_at: &str, more: Value) -> Value {
    let mut body = json!({
        "client_id": client, "coach_name": "Grace", "starts_at": starts_at,
        "duration_minutes": 60, "location": "Room 2",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    world.post("/v1/bookings", &body).await.ok(201)
}

pub fn path(booking: &Value) -> String {
    format!("/v1/bookings/{}", booking["id"].as_str().expect("an id"))
}

/// Texts of the templates that not every organization has.
async fn all_templates(world: &World) {
    for (key, body) in [
        ("booking_moved", "{{ client_name }}: now {{ session_datetime }} with {{ coach_name }}"),
        ("booking_reassigned", "{{ client_name }}: now with {{ coach_name }}"),
        ("booking_cancelled", "{{ client_name }}: {{ session_datetime }} is cancelled"),
    ] {
        let template = json!({"key": key, "channel": "sms", "body": body});
        let _ = world.post("/v1/templates", &template).await.ok(201);
    }
}

/// Kind, status, and when, of each notice.
fn notices(booking: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |notice: &Value| {
        let status = match text(&notice["reason"]).as_str() {
            "" => text(&notice["status"]),
            reason => reason.to_owned(),
        };
        format!("{} {status} {}", text(&notice["kind"]), text(&notice["scheduled_for"]))
    };
    booking["notices"].as_array().expect("notices").iter().map(of).collect()
}

async fn now(world: &World, booking: &Value) -> Value {
    world.get(&path(booking)).await.ok(200)
}

/// What this number was sent, in order.
async fn texts(world: &World, number: &str) -> Vec<String> {
    world.accepted_for(number).await.into_iter().map(|m| m.body).collect()
}

/// Lets time pass to a moment. What is due between two steps goes at the second:
/// hours late, and still of use.
async fn until(world: &World, at: &str) {
    let at: Timestamp = at.parse().expect("a time");
    while world.now() < at {
        let left = at.duration_since(world.now());
        let step = left.min(SignedDuration::from_hours(6));
        world.stack.ctx.clock.advance(step);
        world.tick().await;
    }
}

async fn world_at(start: &str) -> World {
    World::with(Setup { start: Some(start.parse().expect("a time")), ..Setup::default() }).await
}

#[tokio::test]
async fn a_client_is_told_at_once_reminded_a_day_before_and_asked_two_hours_after() {
    let world = world_at("2026-11-21T09:00:00Z").await;
    let client = client(&world, Some(&mobile(1))).await;
    let booking = book(&world, &client, "2026-11-25T16:00:00+11:00", json!({})).await;
    shows(
        &booking,
        &json!({
            "client_id": client, "status": "confirmed", "starts_at": "2026-11-25T05:00:00Z",
            "ends_at": "2026-11-25T06:00:00Z", "reminder_sent": false, "feedback_sent": false,
            "client_reply": null, "feedback": null,
        }),
    );
    world.settle().await;
    assert_eq!(
        notices(&now(&world, &booking).await),
        [
            "confirmation delivered 2026-11-21T09:00:00Z",
            "reminder pending 2026-11-24T05:00:00Z",
            "feedback pending 2026-11-25T08:00:00Z",
        ]
    );
    let first = &texts(&world, &mobile(1)).await[0];
    for part in ["Ada", "Grace", "Wed 25 Nov, 4:00 PM", "Room 2"] {
        assert!(first.contains(part), "{part} in {first}");
    }
    let sent = booking["notices"][0]["message_id"].as_str().expect("an id");
    shows(
        &world.message(sent).await,
        &json!({
            "booking_id": booking["id"], "contact_id": client, "campaign_id": null,
            "template": "booking_confirmation@1", "purpose": "transactional",
            "expires_at": "2026-11-25T05:00:00Z",
        }),
    );
    until(&world, "2026-11-24T04:59:00Z").await;
    assert_eq!(texts(&world, &mobile(1)).await.len(), 1, "not before its time");
    until(&world, "2026-11-24T05:01:00Z").await;
    shows(&now(&world, &booking).await, &json!({"reminder_sent": true, "feedback_sent": false}));
    until(&world, "2026-11-25T08:01:00Z").await;
    shows(&now(&world, &booking).await, &json!({"reminder_sent": true, "feedback_sent": true}));
    let all = texts(&world, &mobile(1)).await;
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all[2].contains(&format!("{}/feedback/", world.url)), "{}", all[2]);
}

/// Sydney's clocks go back an hour in the night to Sunday, 4 April 2027.
#[tokio::test]
async fn a_booking_is_moved_twice_over_a_clock_change_and_then_cancelled() {
    let world = world_at("2027-04-01T00:00:00Z").await;
    all_templates(&world).await;
    let client = client(&world, Some(&mobile(1))).await;
    // Saturday, 10:00 on a clock that is eleven hours ahead.
    let booking = book(&world, &client, "2027-04-03T10:00:00+11:00", json!({})).await;
    world.settle().await;
    let to = json!({"starts_at": "2027-04-05T10:00:00+10:00"});
    let moved = world.post(&format!("{}/move", path(&booking)), &to).await.ok(200);
    shows(&moved, &json!({"starts_at": "2027-04-05T00:00:00Z", "reminder_sent": false}));
    world.settle().await;
    assert_eq!(
        notices(&now(&world, &booking).await),
        [
            "confirmation delivered 2027-04-01T00:00:00Z",
            "reminder cancelled 2027-04-01T23:00:00Z",
            "feedback cancelled 2027-04-03T02:00:00Z",
            "moved delivered 2027-04-01T00:00:00Z",
            "reminder pending 2027-04-04T00:00:00Z",
            "feedback pending 2027-04-05T03:00:00Z",
        ]
    );
    until(&world, "2027-04-02T00:00:00Z").await;
    let to = json!({"starts_at": "2027-04-06T09:30:00+10:00", "coach_name": "Edith"});
    let _ = world.post(&format!("{}/move", path(&booking)), &to).await.ok(200);
    world.settle().await;
    let shown = now(&world, &booking).await;
    assert_eq!(
        notices(&shown)[6..],
        [
            "moved delivered 2027-04-02T00:00:00Z",
            "reminder pending 2027-04-04T23:30:00Z",
            "feedback pending 2027-04-06T02:30:00Z",
        ]
    );
    until(&world, "2027-04-03T00:00:00Z").await;
    let cancelled = world.post(&format!("{}/cancel", path(&booking)), &json!({})).await.ok(200);
    shows(&cancelled, &json!({"status": "cancelled"}));
    let again = world.post(&format!("{}/cancel", path(&booking)), &json!({})).await.ok(200);
    assert_eq!(again["notices"].as_array().map(Vec::len), Some(10));
    world.settle().await;
    until(&world, "2027-04-08T00:00:00Z").await;
    let all = texts(&world, &mobile(1)).await;
    let [confirmed, first, second, end] = &all[..] else { panic!("not four texts: {all:?}") };
    assert!(confirmed.contains("Sat 3 Apr, 10:00 AM"), "{confirmed}");
    assert_eq!(first, "Ada: now Mon 5 Apr, 10:00 AM with Grace");
    assert_eq!(second, "Ada: now Tue 6 Apr, 9:30 AM with Edith");
    assert_eq!(end, "Ada: Tue 6 Apr, 9:30 AM is cancelled");
    let pending = world.list(&format!("booking_id={}&status=pending", text(&booking["id"]))).await;
    assert!(pending.is_empty(), "{pending:?}");
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn without_their_templates_moves_and_cancellations_are_told_to_nobody() {
    let world = World::start().await;
    let client = client(&world, Some(&mobile(1))).await;
    let booking = book(&world, &client, &world.in_minutes(4 * DAY), json!({})).await;
    world.settle().await;
    let to = json!({"starts_at": world.in_minutes(5 * DAY), "coach_name": "Edith"});
    let moved = world.post(&format!("{}/move", path(&booking)), &to).await.ok(200);
    assert!(notices(&moved)[3].starts_with("moved no_template"), "{moved}");
    let coach = json!({"coach_name": "Alan"});
    let moved = world.post(&format!("{}/move", path(&booking)), &coach).await.ok(200);
    let reassigned = notices(&moved).into_iter().any(|n| n.starts_with("reassigned no_template"));
    assert!(reassigned, "{moved}");
    let cancelled = world.post(&format!("{}/cancel", path(&booking)), &json!({})).await.ok(200);
    let last = notices(&cancelled).pop().expect("a notice");
    assert!(last.starts_with("cancelled no_template"), "{last}");
    // A template that comes later does not tell old news.
    all_templates(&world).await;
    let _ = world.post(&format!("{}/cancel", path(&booking)), &json!({})).await.ok(200);
    for _ in 0..3 {
        world.advance(1).await;
    }
    assert_eq!(texts(&world, &mobile(1)).await.len(), 1);
}

#[tokio::test]
async fn a_reminder_whose_time_has_passed_goes_at_once_or_not_at_all() {
    let world = World::start().await;
    for (n, minutes, expected) in [
        (1, 3 * HOUR, "reminder delivered"),
        (2, 2 * HOUR, "reminder delivered"),
        (3, 2 * HOUR - 1, "reminder too_late"),
    ] {
        let client = client(&world, Some(&mobile(n))).await;
        let booking = book(&world, &client, &world.in_minutes(minutes), json!({})).await;
        world.settle().await;
        let shown = notices(&now(&world, &booking).await);
        assert!(shown[1].starts_with(expected), "{minutes}: {shown:?}");
    }
}

#[tokio::test]
async fn settings_count_and_a_booking_may_say_otherwise() {
    let world = World::start().await;
    let booking = json!({"booking": {"confirmations": false, "reminder_hours_before": 3}});
    let _ = world.patch("/v1/settings", &booking).await.ok(200);
    let client = client(&world, Some(&mobile(1))).await;
    let at = world.in_minutes(2 * DAY);
    let hours = |hours: i64| world.in_minutes(2 * DAY + hours * HOUR);
    let booking = book(&world, &client, &at, json!({})).await;
    let expected =
        [format!("reminder pending {}", hours(-3)), format!("feedback pending {}", hours(3))];
    assert_eq!(notices(&booking), expected);

    let own = json!({"confirmations": true, "reminder_hours_before": 6, "feedback": false});
    let booking = book(&world, &client, &at, json!({"settings": own})).await;
    assert_eq!(notices(&booking)[1..], [format!("reminder pending {}", hours(-6))]);
    shows(&booking["settings"], &own);
    // Another hour moves what waits; what is switched off is withdrawn.
    let change = json!({"settings": {"reminder_hours_before": 5}});
    let changed = world.patch(&path(&booking), &change).await.ok(200);
    assert_eq!(notices(&changed)[1..], [format!("reminder pending {}", hours(-5))]);
    let change = json!({"settings": {"reminders": false, "feedback": null}});
    let changed = world.patch(&path(&booking), &change).await.ok(200);
    assert_eq!(
        notices(&changed)[1..],
        [format!("reminder cancelled {}", hours(-5)), format!("feedback pending {}", hours(3)),]
    );
}

#[tokio::test]
async fn a_client_without_a_number_has_a_booking_and_no_notices_until_one_is_known() {
    let world = World::start().await;
    let client = client(&world, None).await;
    let booking = book(&world, &client, &world.in_minutes(4 * DAY), json!({})).await;
    let shown = notices(&booking);
    assert_eq!(shown.len(), 3);
    assert!(shown.iter().all(|n| n.contains(" no_phone ")), "{shown:?}");
    let phone = json!({"phone": mobile(1)});
    let _ = world.patch(&format!("/v1/contacts/{client}"), &phone).await.ok(200);
    let shown = notices(&now(&world, &booking).await);
    assert!(shown[0].starts_with("confirmation no_phone"), "its moment has passed: {shown:?}");
    assert!(shown[1].starts_with("reminder pending"), "{shown:?}");
    assert!(shown[2].starts_with("feedback pending"), "{shown:?}");
}

#[tokio::test]
async fn a_corrected_number_gets_what_was_still_to_come_and_the_wrong_one_nothing_more() {
    let world = World::start().await;
    let client = client(&world, Some(&mobile(1))).await;
    let booking = book(&world, &client, &world.in_minutes(2 * DAY), json!({})).await;
    world.settle().await;
    let phone = json!({"phone": mobile(2)});
    let _ = world.patch(&format!("/v1/contacts/{client}"), &phone).await.ok(200);
    let shown = notices(&now(&world, &booking).await);
    assert_eq!(shown.len(), 5, "{shown:?}");
    assert!(shown[1].starts_with("reminder cancelled") && shown[3].starts_with("reminder pending"));
    for _ in 0..(2 * 24 + 6) {
        world.skip(59);
        world.advance(1).await;
    }
    assert_eq!(texts(&world, &mobile(1)).await.len(), 1, "the confirmation");
    assert_eq!(texts(&world, &mobile(2)).await.len(), 2, "reminder and feedback");
}

/// Every write of a move is cut off once: by a request that gets no answer from the
/// table at that point. The minutes after it bring the booking to the same end.
#[tokio::test]
async fn a_move_that_is_cut_off_anywhere_comes_to_the_same_end() {
    let mut whole = None;
    for cut in 0..40 {
        let world = World::start().await;
        all_templates(&world).await;
        let client = client(&world, Some(&mobile(1))).await;
        let booking = book(&world, &client, &world.in_minutes(3 * DAY), json!({})).await;
        world.settle().await;
        let writes = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&writes);
        let faults = move |operation: &Operation<'_>| {
            if !operation.is_write() {
                return Verdict::Pass;
            }
            let n = seen.fetch_add(1, Ordering::Relaxed);
            // All that comes after the cut fails too: who was at work is gone.
            if cut > 0 && n + 1 >= cut { Verdict::ServerError } else { Verdict::Pass }
        };
        world.stack.engines.faults().set(faults);
        let to = json!({"starts_at": world.in_minutes(5 * DAY)});
        let answer = world.post(&format!("{}/move", path(&booking)), &to).await;
        let all = writes.load(Ordering::Relaxed);
        world.stack.engines.faults().set(NoFaults);
        for _ in 0..5 {
            world.advance(1).await;
        }
        let shown = now(&world, &booking).await;
        let is_moved = shown["starts_at"] != booking["starts_at"];
        let found: Vec<String> = notices(&shown)
            .iter()
            .map(|n| n.split(' ').take(2).collect::<Vec<_>>().join(" "))
            .collect();
        let sent = texts(&world, &mobile(1)).await.len();
        if cut == 0 {
            assert_eq!(answer.status, 200, "{}", answer.text);
            whole = Some((found, sent));
            continue;
        }
        match (&whole, is_moved) {
            (Some(whole), true) => assert_eq!(&(found, sent), whole, "cut at {cut}"),
            (_, false) => assert_eq!((found.len(), sent), (3, 1), "cut at {cut}: as it was"),
            (None, true) => unreachable!("the first is whole"),
        }
        if all < cut {
            return;
        }
    }
}

#[tokio::test]
async fn a_completed_session_asks_for_feedback_from_its_real_end_and_is_not_reminded_of() {
    let world = World::start().await;
    let client = client(&world, Some(&mobile(1))).await;
    let booking = book(&world, &client, &world.in_minutes(2 * DAY), json!({})).await;
    world.settle().await;
    let done = world.post(&format!("{}/complete", path(&booking)), &json!({})).await.ok(200);
    shows(&done, &json!({"status": "completed", "ends_at": world.now().to_string()}));
    let shown = notices(&done);
    assert!(shown[1].starts_with("reminder cancelled"), "{shown:?}");
    assert_eq!(shown[2], format!("feedback pending {}", world.in_minutes(2 * HOUR)));
    for action in ["cancel", "move"] {
        let body = json!({"starts_at": world.in_minutes(DAY)});
        let body = if action == "move" { body } else { json!({}) };
        let refused = world.post(&format!("{}/{action}", path(&booking)), &body).await;
        assert_eq!(refused.refusal(), (409, "booking_completed".to_owned()), "{action}");
    }
}

#[tokio::test]
async fn a_channel_that_nothing_sends_on_is_said() {
    let world = World::start().await;
    let client = client(&world, Some(&mobile(1))).await;
    let own = json!({"settings": {"channel": "whatsapp"}});
    let booking = book(&world, &client, &world.in_minutes(2 * DAY), own).await;
    let shown = notices(&booking);
    assert!(shown.iter().all(|n| n.contains(" no_provider ")), "{shown:?}");
}

#[tokio::test]
async fn bookings_are_listed_in_the_order_of_their_beginnings() {
    let world = World::start().await;
    let (one, other) = (client(&world, Some(&mobile(1))).await, client(&world, None).await);
    let mut ids = Vec::new();
    for (client, days) in [(&one, 5), (&other, 2), (&one, 9), (&one, 3)] {
        let booking = book(&world, client, &world.in_minutes(days * DAY), json!({})).await;
        ids.push(text(&booking["id"]));
    }
    let _ = world.post(&format!("/v1/bookings/{}/cancel", ids[3]), &json!({})).await.ok(200);
    let listed = async |query: &str| {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = world.get(&format!("/v1/bookings?limit=2{query}{cursor}")).await.ok(200);
            all.extend(page["data"].as_array().expect("a list").iter().map(|b| text(&b["id"])));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    };
    let pick = |order: &[usize]| order.iter().map(|n| ids[*n].clone()).collect::<Vec<_>>();
    assert_eq!(listed("").await, pick(&[1, 3, 0, 2]));
    assert_eq!(listed(&format!("&client_id={one}")).await, pick(&[3, 0, 2]));
    assert_eq!(listed("&status=cancelled").await, pick(&[3]));
    let from = world.in_minutes(3 * DAY);
    let to = world.in_minutes(9 * DAY);
    assert_eq!(listed(&format!("&from={from}&to={to}")).await, pick(&[3, 0]));
    assert_eq!(
        listed(&format!("&client_id={one}&from={from}&status=confirmed")).await,
        pick(&[0, 2])
    );
    assert_eq!(listed(&format!("&from={to}&to={from}")).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_wrong_with_a_booking_is_said_and_nothing_is_made() {
    let world = World::start().await;
    let client = client(&world, Some(&mobile(1))).await;
    let at = world.in_minutes(DAY);
    let other = "con_0123456789abcdef";
    for (body, code, field) in [
        (json!({"starts_at": at}), "missing_field", "client_id"),
        (json!({"client_id": other, "starts_at": at}), "unknown_contact", "client_id"),
        (json!({"client_id": "ada", "starts_at": at}), "unknown_contact", "client_id"),
        (json!({"client_id": client}), "missing_field", "starts_at"),
        (json!({"client_id": client, "starts_at": "tomorrow"}), "invalid_time", "starts_at"),
        (
            json!({"client_id": client, "starts_at": "2020-01-01T00:00:00Z"}),
            "time_in_past",
            "starts_at",
        ),
        (
            json!({"client_id": client, "starts_at": "2030-01-01T00:00:00Z"}),
            "time_too_far",
            "starts_at",
        ),
        (
            json!({"client_id": client, "starts_at": at, "duration_minutes": 0}),
            "out_of_range",
            "duration_minutes",
        ),
        (
            json!({"client_id": client, "starts_at": at, "location": "a\nb"}),
            "invalid_text",
            "location",
        ),
        (
            json!({"client_id": client, "starts_at": at, "settings": {"channel": "fax"}}),
            "unknown_channel",
            "settings.channel",
        ),
        (
            json!({"client_id": client, "starts_at": at, "settings": {"reminder_hours_before": 0}}),
            "out_of_range",
            "settings.reminder_hours_before",
        ),
        (json!({"client_id": client, "starts_at": at, "price": 5}), "unknown_field", "price"),
    ] {
        let (status, found, place) = world.post("/v1/bookings", &body).await.problem();
        assert_eq!((status, found.as_str(), place.as_deref()), (422, code, Some(field)), "{body}");
    }
    assert_eq!(world.get("/v1/bookings").await.ok(200)["data"], json!([]));
    let booking = book(&world, &client, &at, json!({})).await;
    let move_ = format!("{}/move", path(&booking));
    assert_eq!(world.post(&move_, &json!({})).await.refusal(), (422, "missing_field".to_owned()));
    let past = json!({"starts_at": "2020-01-01T00:00:00Z"});
    assert_eq!(world.post(&move_, &past).await.refusal(), (422, "time_in_past".to_owned()));
    let delete = async || {
        let request = world.request(reqwest::Method::DELETE, &path(&booking));
        carillon_tests::Answer::to(request).await
    };
    assert_eq!(delete().await.refusal(), (409, "booking_open".to_owned()));
    let _ = world.post(&format!("{}/cancel", path(&booking)), &json!({})).await.ok(200);
    world.settle().await;
    assert_eq!(delete().await.status, 204);
    assert_eq!(world.get(&path(&booking)).await.refusal(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn the_same_request_makes_one_booking_and_tells_its_client_once() {
    let world = World::start().await;
    let client = client(&world, Some(&mobile(1))).await;
    let body = json!({"client_id": client, "starts_at": world.in_minutes(2 * DAY)});
    let first = world.post_once("/v1/bookings", "one", &body).await.ok(201);
    let again = world.post_once("/v1/bookings", "one", &body).await.ok(201);
    assert_eq!(first["id"], again["id"]);
    world.settle().await;
    assert_eq!(texts(&world, &mobile(1)).await.len(), 1);
}

#[tokio::test]
async fn what_a_client_answers_is_noted_on_the_next_session_that_he_was_told_of() {
    let world = World::start().await;
    let client = client(&world, Some(&mobile(1))).await;
    let next = book(&world, &client, &world.in_minutes(2 * DAY), json!({})).await;
    let later = book(&world, &client, &world.in_minutes(9 * DAY), json!({})).await;
    // Nobody has been told yet.
    world.settle().await;
    for (text, reply) in [
        ("Can we talk?", Value::Null),
        ("c", json!("confirmed")),
        ("Reschedule!", json!("reschedule_requested")),
        ("hello", json!("reschedule_requested")),
    ] {
        world.skip(1);
        world.person_writes(&mobile(1), text).await;
        assert_eq!(now(&world, &next).await["client_reply"], reply, "{text}");
    }
    assert_eq!(now(&world, &later).await["client_reply"], Value::Null);
    // A stranger's word is a word.
    world.person_writes(&mobile(2), "C").await;
    // The answer was about the time before.
    let to = json!({"starts_at": world.in_minutes(3 * DAY)});
    let moved = world.post(&format!("{}/move", path(&next)), &to).await.ok(200);
    assert_eq!(moved["client_reply"], Value::Null);
    // CANCEL is a word for STOP and cancels no booking.
    world.person_writes(&mobile(1), "CANCEL").await;
    shows(&now(&world, &next).await, &json!({"status": "confirmed", "client_reply": null}));
    let gates = world.get(&format!("/v1/suppressions?to=%2B{}", &mobile(1)[1..])).await.ok(200);
    assert_eq!(gates["data"][0]["reason"], "stop_keyword");
}

#[tokio::test]
async fn what_happens_to_a_contact_happens_to_the_bookings() {
    let world = World::start().await;
    let [one, other] = [client(&world, None).await, client(&world, Some(&mobile(1))).await];
    let booking = book(&world, &one, &world.in_minutes(3 * DAY), json!({})).await;
    assert!(notices(&booking)[1].starts_with("reminder no_phone"));
    // The one turns out to be the other.
    let merge = json!({"contact_id": one});
    let _ = world.post(&format!("/v1/contacts/{other}/merge"), &merge).await.ok(200);
    let shown = notices(&now(&world, &booking).await);
    assert!(shown[1].starts_with("reminder pending"), "{shown:?}");
    let listed = world.get(&format!("/v1/bookings?client_id={other}")).await.ok(200);
    assert_eq!(listed["data"][0]["id"], booking["id"]);
    let line = world.get(&format!("/v1/contacts/{other}/timeline")).await.ok(200);
    let entries = line["data"].as_array().expect("entries");
    assert!(entries.iter().any(|e| e["booking_id"] == booking["id"]), "{line}");
    // And is forgotten: what waits is withdrawn, and the place is not known any more.
    let path_ = format!("/v1/contacts/{other}/data");
    let exported = world.get(&path_).await.ok(200);
    assert_eq!(exported["bookings"][0]["location"], "Room 2");
    let request = world.request(reqwest::Method::DELETE, &path_);
    assert_eq!(carillon_tests::Answer::to(request).await.status, 202);
    world.advance(3).await;
    let gone = now(&world, &booking).await;
    shows(&gone, &json!({"location": "", "status": "confirmed"}));
    let shown = notices(&gone);
    assert!(shown.iter().all(|n| !n.contains(" pending ")), "{shown:?}");
}

#[tokio::test]
async fn a_deleted_contact_is_told_nothing_more() {
    let world = World::start().await;
    let client = client(&world, Some(&mobile(1))).await;
    let booking = book(&world, &client, &world.in_minutes(3 * DAY), json!({})).await;
    world.settle().await;
    let request = world.request(reqwest::Method::DELETE, &format!("/v1/contacts/{client}"));
    assert_eq!(carillon_tests::Answer::to(request).await.status, 204);
    let shown = notices(&now(&world, &booking).await);
    assert!(shown[1].starts_with("reminder cancelled"), "{shown:?}");
    assert!(shown.iter().any(|n| n.contains(" no_contact ")), "{shown:?}");
}
