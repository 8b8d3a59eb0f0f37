//! The people of a story: who uses the API, and repeats a request that brought no
//! answer as a good client does; who writes to us; and what was promised to them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use carillon_simulator::{DEFAULT_FROM, Inbound};
use carillon_tests::people::mobile;
use carillon_tests::{ADMIN_KEY, file_form};
use http::{Method, Request, header};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::front::Interlude;
use crate::point::Step;
use crate::stage::{Stage, merge};

/// How often a client repeats a request that brought no answer.
const REPEATS: usize = 5;

/// As long as a request that was cut off holds its key, and a little more.
const IN_USE: SignedDuration = SignedDuration::from_secs(61);

/// What the client remembers.
#[derive(Default)]
pub struct Person {
    promised: Mutex<Vec<Promise>>,
    /// Idempotency keys that were used.
    keys: Mutex<u32>,
}

/// What the API answered 2xx for.
#[derive(Debug, Clone)]
pub enum Promise {
    Message {
        id: String,
    },
    Import {
        id: String,
        numbers: BTreeSet<String>,
        duplicates: u64,
        rejected: u64,
    },
    /// A file of people, and what is to come of it.
    People {
        id: String,
        /// Everybody who is there in the end.
        contacts: Vec<Known>,
        counts: RowCounts,
    },
    /// This number gets each of these texts.
    Gets {
        to: String,
        texts: Vec<String>,
    },
    /// And never any of these.
    NeverGets {
        to: String,
        texts: Vec<String>,
    },
}

/// A contact as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    pub name: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub city: Option<String>,
}

/// What came of the rows of a file of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowCounts {
    pub created: u32,
    pub updated: u32,
    pub unchanged: u32,
    pub duplicates: u32,
    pub rejected: u32,
}

impl Stage {
    /// Sends an SMS to the n-th person. Answers its id, if it was promised.
    pub async fn send(&self, person: u32, more: Value) -> Option<String> {
        let mut body = json!({"channel": "sms", "to": mobile(person), "body": "Hi"});
        merge(&mut body, &more);
        let (status, answer) = self.ask(Method::POST, "/v1/messages", Some(&body)).await?;
        assert_eq!(status, 202, "{answer}");
        let id = answer["id"].as_str().expect("an id").to_owned();
        self.promise(Promise::Message { id: id.clone() });
        Some(id)
    }

    /// Uploads a file for these people; a repeated one counts as a duplicate.
    /// One row besides is no number. Answers the import, if it was promised.
    pub async fn bulk(&self, people: &[u32], more: &[(&str, &str)]) -> Option<String> {
        let mut csv = "phone,name\n".to_owned();
        for person in people {
            csv.push_str(&format!("{},Ann\n", mobile(*person)));
        }
        csv.push_str("not a number,Bob\n");
        let fields = [&[("channel", "sms"), ("body", "Hi {{ name }}")], more].concat();
        let (kind, form) = file_form(csv.as_bytes(), &fields);
        let path = "/v1/messages/bulk";
        let (status, answer) = self.request(Method::POST, path, &kind, form).await?;
        assert_eq!(status, 202, "{answer}");
        let id = answer["id"].as_str().expect("an id").to_owned();
        let numbers: BTreeSet<String> = people.iter().copied().map(mobile).collect();
        let duplicates = u64::try_from(people.len() - numbers.len()).expect("few");
        self.promise(Promise::Import { id: id.clone(), numbers, duplicates, rejected: 1 });
        Some(id)
    }

    /// Uploads a file of people. Answers the import, if it was promised.
    pub async fn people(&self, csv: &str, more: &[(&str, &str)]) -> Option<String> {
        let (kind, form) = file_form(csv.as_bytes(), more);
        let path = "/v1/contacts/import";
        let (status, answer) = self.request(Method::POST, path, &kind, form).await?;
        assert_eq!(status, 202, "{answer}");
        Some(answer["id"].as_str().expect("an id").to_owned())
    }

    /// A request without a key of its own; repeated as any other. Answers the
    /// status and the body, unless there never was an answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        self.request(method, path, "application/json", body).await
    }

    /// What the list shows for a query.
    pub async fn list(&self, query: &str) -> Vec<Value> {
        let answer = self.ask(Method::GET, &format!("/v1/messages?limit=200&{query}"), None).await;
        let data = answer.map(|(_, answer)| answer["data"].clone());
        data.and_then(|data| data.as_array().cloned()).unwrap_or_default()
    }

    /// The n-th person writes; the provider brings it at the next rest.
    pub async fn person_writes(&self, person: u32, words: &str) {
        let inbound = Inbound {
            from: mobile(person),
            to: DEFAULT_FROM.to_owned(),
            body: words.to_owned(),
            ..Inbound::default()
        };
        self.theatre.simulator.inbound(inbound).await.expect("the simulator runs");
    }

    /// During a call to the provider something else is done.
    pub fn meanwhile(&self, interlude: Interlude) {
        self.theatre.front.plan(interlude);
    }

    /// The providers behave otherwise from now on.
    pub async fn providers(&self, patch: Value) {
        self.theatre.simulator.configure(patch).await.expect("known settings");
    }

    pub fn promised(&self) -> Vec<Promise> {
        self.person.promised.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn promise(&self, promise: Promise) {
        self.person.promised.lock().unwrap_or_else(PoisonError::into_inner).push(promise);
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Option<(u16, Value)> {
        let key = {
            let mut keys = self.person.keys.lock().unwrap_or_else(PoisonError::into_inner);
            *keys += 1;
            keys.to_string()
        };
        for _ in 0..REPEATS {
            let request = Request::builder()
                .method(method.clone())
                .uri(path)
                .header(header::AUTHORIZATION, format!("Bearer {ADMIN_KEY}"))
                .header(header::CONTENT_TYPE, kind)
                .header("idempotency-key", &key)
                .body(Body::from(body.clone()))
                .expect("a request");
            let router = self.router.clone();
            let work = async move {
                let response = router.oneshot(request).await.expect("infallible");
                let status = response.status().as_u16();
                let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
                (status, body.expect("a body"))
            };
            match self.step(Step::Api, work).await {
                Some((status, body)) if status < 500 => {
                    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
                    if body["code"] != "idempotency_key_in_use" {
                        return Some((status, body));
                    }
                    // The try before was cut off. The client asks again, as it is told to,
                    // until the key's lease is over.
                    self.stack.ctx.clock.advance(IN_USE);
                }
                _ => {}
            }
        }
        None
    }
}
