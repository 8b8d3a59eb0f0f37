//! Stories of a workshop: its sequence is run, somebody joins late, somebody
//! leaves, it is moved while it is being planned, its campaign is cancelled.
//!
//! Four people, of whom the last has no number; two steps, in half an hour and
//! in three quarters. What a story is about is set up outside of any step.

use std::collections::BTreeMap;

use carillon_domain::content::{Kind, TemplateContent, Text};
use carillon_domain::sequence::{Sequence, Step as Steps, StepTime};
use carillon_domain::workshop::Workshop;
use carillon_domain::{
    Channel, Contact, ContactId, PhoneNumber, SequenceId, StepId, Tag, TagId, TemplateId,
    WorkshopId,
};
use carillon_store::{Kept, StoredTemplate};
use carillon_tests::people::mobile;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::person::Promise;
use crate::stage::Stage;

const START: SignedDuration = SignedDuration::from_mins(60);
pub const LATE: u32 = 5;

pub fn workshop_id() -> WorkshopId {
    WorkshopId::from_hash(&[b"crash"])
}

fn contact_id(n: u32) -> ContactId {
    ContactId::from_hash(&[b"crash", &n.to_be_bytes()])
}

/// What the two steps say about a workshop that begins then.
pub fn texts(starts_at: Timestamp) -> [String; 2] {
    let clock = starts_at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%-I:%M %p").to_string();
    [format!("First, at {clock}"), format!("Second, at {clock}")]
}

impl Stage {
    /// Answers when it begins.
    pub async fn workshop(&self) -> Timestamp {
        let (store, org) = (&self.stack.ctx.store, self.stack.org);
        let now = self.stack.ctx.clock.now();
        // On a whole minute, as the text shows it.
        let starts_at = now + START;
        let starts_at = Timestamp::from_second(starts_at.as_second() / 60 * 60).expect("in range");
        let mut steps = Vec::new();
        for (place, word, minutes) in [(0_u8, "First", -30), (1, "Second", -15)] {
            let id = TemplateId::from_hash(&[b"crash", &[place]]);
            let body = format!("{word}, at {{{{ workshop.time }}}}");
            let template = StoredTemplate {
                id,
                key: format!("crash_{place}"),
                version: 1,
                channel: Channel::Sms,
                name: None,
                strategy: None,
                content: TemplateContent {
                    kind: Kind::Text(Text { body, ..Text::default() }),
                    variables: Vec::new(),
                },
                is_active: true,
                created_by: "crash".to_owned(),
                created_at: now,
                updated_at: now,
            };
            store.put_template(org, &template).await.expect("the table answers");
            steps.push(Steps {
                id: StepId::from_hash(&[b"crash", &[place]]),
                template: id,
                time: StepTime::Offset(SignedDuration::from_mins(minutes)),
                label: None,
                order: u16::from(place) + 1,
                variables: BTreeMap::new(),
            });
        }
        let sequence = SequenceId::from_hash(&[b"crash"]);
        let kept = |what| Kept::new(what, "crash", now);
        let name = "Crash".to_owned();
        let sequence = Sequence {
            id: sequence,
            name: name.clone(),
            description: None,
            channel: Channel::Sms,
            steps,
        };
        let sequences = BTreeMap::from([(Channel::Sms, sequence.id)]);
        store.put_sequence(org, None, &kept(sequence)).await.expect("the table answers");
        let tag = TagId::from_hash(&[b"crash"]);
        let what = Tag { id: tag, name, color: None, description: None, sequences };
        let what = Kept::new(what, "crash", now);
        store.put_tag(org, None, &what).await.expect("the table answers");
        let mut w = Workshop {
            org,
            id: workshop_id(),
            title: "Crash".to_owned(),
            tag,
            starts_at,
            time_zone: "UTC".to_owned(),
            whatsapp_group_ids: Vec::new(),
            revision: 0,
            edition: 1,
            registrations: 0,
            campaigns: std::collections::BTreeSet::new(),
            deleted_at: None,
            created_by: "crash".to_owned(),
            created_at: now,
            updated_at: now,
            due: None,
            generation: 0,
        };
        store.insert_workshop(&w, "crash").await.expect("the table answers");
        let secret = self.stack.ctx.address_secret().await.expect("a secret");
        let mut registrations = Vec::new();
        for n in 1..=LATE {
            let mut contact = Contact::new(contact_id(n), org, "crash", now);
            contact.name = Some("Ann".to_owned());
            if n != 4 {
                contact.phone = PhoneNumber::parse(&mobile(n), None).ok();
            }
            let saved = store.save_contact(&secret, None, &mut contact, &n.to_string()).await;
            saved.expect("the table answers");
            if n != LATE {
                registrations.push(w.register(contact.id, None, now));
            }
        }
        let saved = store.save_registrations(&mut w, &registrations, "setup").await;
        assert!(saved.expect("the table answers"), "nobody else is there yet");
        starts_at
    }

    /// Runs the sequence; answers the campaign, if it was promised.
    pub async fn run(&self) -> Option<String> {
        let path = format!("/v1/workshops/{}/run-sequence", workshop_id());
        let body = json!({"channel": "sms"});
        let (status, answer) = self.ask(Method::POST, &path, Some(&body)).await?;
        assert_eq!(status, 202, "{answer}");
        Some(answer["campaign_id"].as_str().expect("an id").to_owned())
    }

    async fn change(&self, method: Method, what: &str, body: serde_json::Value) -> bool {
        let path = format!("/v1/workshops/{}{what}", workshop_id());
        let answer = self.ask(method, &path, Some(&body)).await;
        answer.is_some_and(|(status, _)| status == 200)
    }

    pub fn gets(&self, people: &[u32], texts: &[String]) {
        for person in people {
            self.promise(Promise::Gets { to: mobile(*person), texts: texts.to_vec() });
        }
    }

    fn never_gets(&self, people: &[u32], texts: &[String]) {
        for person in people {
            self.promise(Promise::NeverGets { to: mobile(*person), texts: texts.to_vec() });
        }
    }
}

pub fn run_sequence(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        let starts_at = s.workshop().await;
        if s.run().await.is_some() {
            s.gets(&[1, 2, 3], &texts(starts_at));
        }
        s.minutes(2).await;
    }
    .boxed()
}

pub fn late_registration(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        let starts_at = s.workshop().await;
        if s.run().await.is_some() {
            s.gets(&[1, 2, 3], &texts(starts_at));
            let who = json!({"contact_ids": [contact_id(LATE)]});
            s.fire().await;
            if s.change(Method::POST, "/registrations", who).await {
                s.gets(&[LATE], &texts(starts_at));
            }
        }
        s.minutes(2).await;
    }
    .boxed()
}

pub fn leaving(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        let starts_at = s.workshop().await;
        if s.run().await.is_some() {
            s.gets(&[1, 3], &texts(starts_at));
            s.minutes(1).await;
            let who = json!({"contact_ids": [contact_id(2)]});
            if s.change(Method::DELETE, "/registrations", who).await {
                s.never_gets(&[2], &texts(starts_at));
            }
        }
        s.minutes(2).await;
    }
    .boxed()
}

/// It is moved when its first plan has begun, and again when that was planned.
pub fn moved(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        let starts_at = s.workshop().await;
        let later = |minutes| starts_at + SignedDuration::from_mins(minutes);
        let is_run = s.run().await.is_some();
        s.fire().await;
        let mut last = starts_at;
        for minutes in [10, 20] {
            let body = json!({"starts_at": later(minutes).to_string()});
            if s.change(Method::PATCH, "", body).await && is_run {
                s.never_gets(&[1, 2, 3], &texts(last));
                last = later(minutes);
            } else {
                // Whether it was moved is not known: nothing is promised.
                s.minutes(2).await;
                return;
            }
            s.minutes(1).await;
        }
        s.gets(&[1, 2, 3], &texts(last));
        s.minutes(1).await;
    }
    .boxed()
}

/// While the first message is handed over, the campaign is cancelled.
pub fn cancelled(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        let starts_at = s.workshop().await;
        let campaign = s.run().await;
        s.minutes(1).await;
        if let Some(id) = campaign {
            let path = format!("/v1/campaigns/{id}/cancel");
            let answer = s.ask(Method::POST, &path, None).await;
            if answer.is_some_and(|(status, _)| status == 200) {
                s.never_gets(&[1, 2, 3], &texts(starts_at));
            }
        }
        s.minutes(1).await;
    }
    .boxed()
}
