//! Workshops as people set them up: a tag with a sequence of three steps, and
//! contacts who are registered.

use serde_json::{Value, json};

use crate::people::mobile;
use crate::{Answer, World};

/// Sydney: eleven hours ahead of UTC in November.
pub const ZONE: &str = "Australia/Sydney";
/// The next day at 19:00 there.
pub const STARTS_AT: &str = "2026-11-22T08:00:00Z";
/// When the three steps are sent: 11:00, 17:00 and half an hour before.
pub const MOMENTS: [&str; 3] =
    ["2026-11-22T00:00:00Z", "2026-11-22T06:00:00Z", "2026-11-22T07:30:00Z"];

/// The steps of [`World::tag`], each with its own text.
#[must_use]
pub fn three_steps(templates: &[String]) -> Value {
    json!([
        {"template": templates[0], "send_time": "11:00", "label": "Morning",
         "variables": {"who": "{{ contact.first_name | default('there') }}"}},
        {"template": templates[1], "send_time": "17:00", "label": "Afternoon",
         "variables": {"who": "{{ contact.first_name | default('there') }}"}},
        {"template": templates[2], "offset": "-PT30M", "label": "Soon"},
    ])
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().expect("an id").to_owned()
}

impl World {
    /// Three templates, by their ids.
    ///
    /// # Panics
    /// When one is refused.
    pub async fn three_templates(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for (key, body) in [
            ("morning", "Hi {{ who }}, today: {{ workshop.title }}"),
            ("afternoon", "{{ who }}, {{ workshop.title }} is at {{ workshop.time }}"),
            ("soon", "In half an hour: {{ workshop.title }}"),
        ] {
            let template = json!({"key": key, "channel": "sms", "body": body});
            ids.push(id(&self.post("/v1/templates", &template).await.ok(201)));
        }
        ids
    }

    /// A tag with an SMS sequence of these steps.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn tag(&self, steps: Value) -> String {
        let sequence = json!({"name": "Reminders", "channel": "sms", "steps": steps});
        let sequence = id(&self.post("/v1/sequences", &sequence).await.ok(201));
        let tag = json!({"name": "CryptoCloud", "sequences": {"sms": sequence}});
        id(&self.post("/v1/tags", &tag).await.ok(201))
    }

    /// The `n`-th contact, with or without a number.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn contact(&self, n: u32, has_phone: bool) -> String {
        let phone = has_phone.then(|| mobile(n));
        let contact = json!({"name": format!("Person{n} Smith"), "phone": phone});
        id(&self.post("/v1/contacts", &contact).await.ok(201))
    }

    /// A workshop of a tag at [`STARTS_AT`].
    ///
    /// # Panics
    /// When it is refused.
    pub async fn workshop(&self, tag: &str) -> String {
        let workshop = json!({
            "title": "Crypto", "tag_id": tag, "starts_at": STARTS_AT, "time_zone": ZONE,
        });
        id(&self.post("/v1/workshops", &workshop).await.ok(201))
    }

    /// A workshop with three steps for its tag and so many registrants, some of
    /// them without a number.
    ///
    /// # Panics
    /// When something is refused.
    pub async fn full_workshop(&self, people: u32, without_phone: u32) -> (String, Vec<String>) {
        let templates = self.three_templates().await;
        let tag = self.tag(three_steps(&templates)).await;
        let workshop = self.workshop(&tag).await;
        let mut contacts = Vec::new();
        for n in 0..people {
            contacts.push(self.contact(n, n >= without_phone).await);
        }
        let _ = self.register(&workshop, &contacts).await.ok(200);
        (workshop, contacts)
    }

    /// A workshop with one registrant whose sequence of one step is run, all
    /// called like this; it and the campaign.
    ///
    /// # Panics
    /// When something is refused.
    pub async fn run_workshop(&self, name: &str) -> (String, String) {
        let key = format!("run_{}", name.to_lowercase());
        let template = json!({"key": key, "channel": "sms", "body": name});
        let _ = self.post("/v1/templates", &template).await.ok(201);
        let steps = json!([{"template": key, "offset": "-PT1H"}]);
        let sequence = json!({"name": format!("Run {name}"), "channel": "sms", "steps": steps});
        let sequence = id(&self.post("/v1/sequences", &sequence).await.ok(201));
        let tag = json!({"name": format!("Run {name}"), "sequences": {"sms": sequence}});
        let tag = id(&self.post("/v1/tags", &tag).await.ok(201));
        let starts_at = self.in_minutes(60 * 24);
        let workshop = json!({"title": name, "tag_id": tag, "starts_at": starts_at});
        let workshop = id(&self.post("/v1/workshops", &workshop).await.ok(201));
        let contact = json!({"name": "Ada", "external_id": key});
        let contact = id(&self.post("/v1/contacts", &contact).await.ok(201));
        let _ = self.register(&workshop, &[contact]).await.ok(200);
        let run = self.run_sequence(&workshop).await.ok(202);
        (workshop, run["campaign_id"].as_str().expect("an id").to_owned())
    }

    pub async fn register(&self, workshop: &str, contacts: &[String]) -> Answer {
        let body = json!({"contact_ids": contacts});
        self.post(&format!("/v1/workshops/{workshop}/registrations"), &body).await
    }

    /// # Panics
    /// When it is refused.
    pub async fn unregister(&self, workshop: &str, contacts: &[String]) -> Value {
        let path = format!("/v1/workshops/{workshop}/registrations");
        let request = self.request(reqwest::Method::DELETE, &path);
        Answer::to(crate::with_json(request, &json!({"contact_ids": contacts}))).await.ok(200)
    }

    pub async fn run_sequence(&self, workshop: &str) -> Answer {
        let path = format!("/v1/workshops/{workshop}/run-sequence");
        self.post(&path, &json!({"channel": "sms"})).await
    }

    /// The counts of a workshop's steps, in order of time.
    ///
    /// # Panics
    /// When there are none.
    pub async fn checkpoints(&self, workshop: &str) -> Vec<Value> {
        let path = format!("/v1/workshops/{workshop}/checkpoints?channel=sms");
        let answer = self.get(&path).await.ok(200);
        answer["data"].as_array().expect("a list").clone()
    }

    /// Time passes without anything being due, then the schedule fires.
    ///
    /// # Panics
    /// When the moment has passed.
    pub async fn until(&self, moment: &str) {
        let at: jiff::Timestamp = moment.parse().expect("a time");
        let before = at - jiff::SignedDuration::from_mins(1);
        if before > self.now() {
            self.stack.ctx.clock.advance(before.duration_since(self.now()));
            self.tick().await;
        }
        if at > self.now() {
            self.stack.ctx.clock.advance(at.duration_since(self.now()));
        }
        self.tick().await;
    }
}
