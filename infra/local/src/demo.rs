//! `CARILLON_SEED=demo`: an organization that is in the middle of its work, made
//! by the API alone. Every request carries its own idempotency key and a name
//! that is taken once, so that a start that was cut off goes on where it was,
//! and a start on another day adds that day's workshop.

mod api;
mod people;

use std::collections::BTreeMap;

use axum::Router;
use jiff::{SignedDuration, Timestamp, Unit, tz::TimeZone};
use serde_json::{Value, json};

use self::api::{Api, id};
use self::people::{LEFT, PEOPLE, email, phone};

const ZONE: &str = "Australia/Sydney";
/// The workshop begins so long after the start: its first reminder is due when
/// somebody has found the button.
const AHEAD: SignedDuration = SignedDuration::from_mins(35);
/// Before the workshop begins, with what is said then.
const STEPS: [(&str, &str, &str); 3] = [
    ("Morning", "-PT32M", "cryptocloud_morning"),
    ("Afternoon", "-PT25M", "cryptocloud_afternoon"),
    ("Soon", "-PT10M", "cryptocloud_soon"),
];

/// Makes what is not there yet.
///
/// # Errors
/// When the API refuses something: the demo and the API do not fit.
pub async fn seed(router: Router, admin_key: String, now: Timestamp) -> anyhow::Result<()> {
    let api = Api::new(router, admin_key);
    let day = now.to_zoned(TimeZone::get(ZONE)?).date().to_string();
    let contacts = contacts(&api).await?;
    let tag = content(&api).await?;
    workshop(&api, &contacts, &tag, &day, now).await?;
    groups(&api, &contacts).await?;
    answers(&api).await?;
    bookings(&api, &contacts, &day, now).await?;
    messages(&api, &contacts, &day).await
}

/// Those of an earlier start are found by the id that the host application gives
/// them.
async fn contacts(api: &Api) -> anyhow::Result<Vec<String>> {
    let mut known = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("/v1/contacts?limit=200{cursor}")).await?;
        for contact in page["data"].as_array().into_iter().flatten() {
            if let Some(external) = contact["external_id"].as_str() {
                known.insert(external.to_owned(), id(contact)?);
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut ids = Vec::with_capacity(PEOPLE.len());
    for (place, name) in PEOPLE.into_iter().enumerate() {
        let external = format!("demo-{place:02}");
        if let Some(id) = known.get(&external) {
            ids.push(id.clone());
            continue;
        }
        let labels = if place % 3 == 0 { json!(["client"]) } else { json!(["lead"]) };
        let city = ["Sydney", "Perth", "Hobart"][place % 3];
        let contact = json!({
            "name": name, "phone": phone(place), "email": email(place, name), "external_id": external,
            "labels": labels, "attributes": {"city": city},
        });
        ids.push(id(&api.post("/v1/contacts", &external, &contact).await?)?);
    }
    Ok(ids)
}

/// Texts, two sequences, and the tag that names both.
async fn content(api: &Api) -> anyhow::Result<String> {
    let tags = api.get("/v1/tags?limit=200").await?;
    let there = tags["data"].as_array().into_iter().flatten();
    if let Some(tag) = there.into_iter().find(|tag| tag["name"] == "CryptoCloud") {
        return id(tag);
    }
    // With the first of what is made here: later they are whoever's who has looked around.
    let settings = json!({
        "time_zone": ZONE, "default_country": "AU", "quiet_hours": null,
    });
    api.patch("/v1/settings", &settings).await?;
    let texts = [
        "Hi {{ contact.first_name }}, {{ workshop.title }} is today at {{ workshop.time }}. See you there!",
        "{{ contact.first_name }}, two things to bring tonight: your questions and something to write on. {{ workshop.time }}, {{ organization.name }}",
        "Doors are open, {{ contact.first_name }}. {{ workshop.title }} begins at {{ workshop.time }}.",
    ];
    let mut sequences = serde_json::Map::new();
    for channel in ["sms", "whatsapp"] {
        let mut steps = Vec::new();
        for ((label, offset, key), text) in STEPS.into_iter().zip(texts) {
            let key = format!("{key}_{channel}");
            let (template, variables) = match channel {
                "sms" => {
                    let own = json!({"key": key, "name": label, "channel": channel, "body": text});
                    (own, json!({}))
                }
                // Its provider knows the text by the campaign's name; ours is for previews.
                _ => {
                    let campaign = json!({
                        "key": key, "name": label, "channel": channel, "kind": "whatsapp_campaign",
                        "campaign_name": key, "body": "Hi {{ name }}, {{ title }} begins at {{ time }}.",
                        "variables": [{"key": "name"}, {"key": "title"}, {"key": "time"}],
                    });
                    let mapping = json!({
                        "name": "{{ contact.first_name }}", "title": "{{ workshop.title }}",
                        "time": "{{ workshop.time }}",
                    });
                    (campaign, mapping)
                }
            };
            let template = api.post("/v1/templates", &format!("demo-{key}"), &template).await?;
            steps.push(json!({
                "template": id(&template)?, "offset": offset, "label": label, "variables": variables,
            }));
        }
        let name = format!("CryptoCloud, {channel}");
        let sequence = json!({"name": name, "channel": channel, "steps": steps});
        let sequence = api.post("/v1/sequences", &format!("demo-{channel}"), &sequence).await?;
        sequences.insert(channel.to_owned(), Value::String(id(&sequence)?));
    }
    let tag = json!({
        "name": "CryptoCloud", "color": "#1e6b52", "description": "The evening workshop",
        "sequences": sequences,
    });
    id(&api.post("/v1/tags", "demo-tag", &tag).await?)
}

/// One a day, with everybody registered.
async fn workshop(
    api: &Api,
    contacts: &[String],
    tag: &str,
    day: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    let title = "Crypto for beginners";
    // The day is Sydney's: most of its morning is still the day before in UTC.
    let begin = now.to_zoned(TimeZone::get(ZONE)?).start_of_day()?.timestamp();
    let ours = format!("/v1/workshops?from={begin}&tag_id={tag}&limit=200");
    let there = api.get(&ours).await?;
    let mut there = there["data"].as_array().into_iter().flatten();
    let workshop = match there.find(|w| w["title"] == title) {
        Some(workshop) => id(workshop)?,
        None => {
            let starts_at = (now + AHEAD).round(Unit::Minute)?;
            let workshop = json!({
                "title": title, "tag_id": tag, "starts_at": starts_at, "time_zone": ZONE,
            });
            id(&api.post("/v1/workshops", &format!("demo-{day}"), &workshop).await?)?
        }
    };
    let registrants = json!({"contact_ids": contacts});
    let path = format!("/v1/workshops/{workshop}/registrations");
    api.post(&path, &format!("demo-{workshop}"), &registrants).await?;
    Ok(())
}

/// A list picked by hand, and a segment by rules.
async fn groups(api: &Api, contacts: &[String]) -> anyhow::Result<()> {
    let lists = api.get("/v1/lists?limit=200").await?;
    if lists["data"].as_array().is_none_or(Vec::is_empty) {
        let list = api.post("/v1/lists", "demo-list", &json!({"name": "Regulars"})).await?;
        let members = json!({"contact_ids": &contacts[..12]});
        let path = format!("/v1/lists/{}/members", id(&list)?);
        api.post(&path, "demo-members", &members).await?;
    }
    let segments = api.get("/v1/segments?limit=200").await?;
    if segments["data"].as_array().is_none_or(Vec::is_empty) {
        let rules =
            json!({"and": [{"label": "client"}, {"field": "attributes.city", "is": "Sydney"}]});
        let segment = json!({"name": "Clients in Sydney", "rules": rules});
        api.post("/v1/segments", "demo-segment", &segment).await?;
    }
    Ok(())
}

/// Somebody who wants no more of it, and somebody who agreed to offers.
async fn answers(api: &Api) -> anyhow::Result<()> {
    if api.get("/v1/suppressions?limit=1").await?["data"] == json!([]) {
        let suppression = json!({"to": LEFT, "channel": "sms"});
        api.post("/v1/suppressions", "demo-suppression", &suppression).await?;
    }
    if api.get("/v1/consents?limit=1").await?["data"] == json!([]) {
        let consent = json!({
            "to": phone(0), "channel": "sms", "purpose": "promotional", "status": "granted",
            "source": "sign-up form", "text": "Yes, tell me about further workshops.",
        });
        api.post("/v1/consents", "demo-consent", &consent).await?;
    }
    Ok(())
}

/// Sessions of the next days.
async fn bookings(api: &Api, contacts: &[String], day: &str, now: Timestamp) -> anyhow::Result<()> {
    let there = api.get("/v1/bookings?limit=1").await?;
    if there["data"].as_array().is_some_and(|data| !data.is_empty()) {
        return Ok(());
    }
    for (place, hours) in [3, 26, 50, 74].into_iter().enumerate() {
        let starts_at = (now + SignedDuration::from_hours(hours)).round(Unit::Hour)?;
        let booking = json!({
            "client_id": contacts[place], "coach_name": "Sam Doyle", "starts_at": starts_at,
            "duration_minutes": 60, "location": "Level 2, 10 Bridge Street",
        });
        api.post("/v1/bookings", &format!("demo-{day}-{place}"), &booking).await?;
    }
    Ok(())
}

/// Some that were sent, and one that a provider refuses.
async fn messages(api: &Api, contacts: &[String], day: &str) -> anyhow::Result<()> {
    if api.get("/v1/messages?q=Welcome&limit=1").await?["data"] != json!([]) {
        return Ok(());
    }
    for (place, contact) in contacts.iter().enumerate().take(6) {
        let message = json!({
            "channel": "sms", "contact_id": contact, "body": "Welcome to CryptoCloud, {{ contact.first_name }}!",
        });
        api.post("/v1/messages", &format!("demo-{day}-welcome-{place}"), &message).await?;
    }
    // The provider's own test number for one that does not exist.
    let message =
        json!({"channel": "sms", "to": "+15005550001", "body": "Welcome to CryptoCloud!"});
    api.post("/v1/messages", &format!("demo-{day}-refused"), &message).await?;
    Ok(())
}
