//! Requests made from an operation: as it should be, and wrong in each way that
//! it says it refuses.

use carillon_domain::{Contact, ContactId};
use carillon_tests::people::{INVALID, mobile};
use carillon_tests::{Answer, World, file_form, with_json};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::checked::Operation;

/// A body that is larger than any that is taken.
const TOO_LARGE: usize = 5 * 1024 * 1024;

/// What a good request is answered with. An installation that was not restored
/// has nothing to resume.
pub fn outcome(operation: &Operation) -> u16 {
    match (operation.method.as_str(), operation.path.as_str()) {
        // An open booking is cancelled before it is forgotten.
        ("POST", "/v1/installation/resume") | ("DELETE", "/v1/bookings/{id}") => 409,
        // Nobody has the ids of the examples.
        ("POST", "/v1/contacts/{id}/merge" | "/v1/lists/{id}/members") => 422,
        ("POST", "/v1/workshops" | "/v1/workshops/{id}/registrations") => 422,
        // Nor the template.
        ("POST", "/v1/workshops/{id}/send-now") => 422,
        _ => 200,
    }
}

/// An operation with what it is about.
pub struct Prepared {
    path: String,
    query: String,
}

impl Prepared {
    /// Makes what the path and the query name.
    pub async fn new(world: &World, operation: &Operation) -> Self {
        let mut path = operation.path.replace("{provider}", "twilio");
        if operation.path == "/v1/bookings" {
            example_contact(world).await;
        }
        if path.contains("{id}") {
            path = path.replace("{id}", &made(world, &operation.path).await);
        }
        Self { path, query: query(world, operation).await }
    }

    pub async fn with(&self, world: &World, operation: &Operation, body: Option<&Value>) -> Answer {
        let request = self.request(world, &operation.method, &self.query);
        match body {
            Some(body) => Answer::to(with_json(request, body)).await,
            None if operation.takes("multipart/form-data") => {
                let csv = format!("to\n{}\n", mobile(1));
                let fields = match operation.path.as_str() {
                    "/v1/contacts/import" => vec![("dry_run", "true")],
                    _ => vec![("channel", "sms"), ("body", "Hi")],
                };
                let (kind, form) = file_form(csv.as_bytes(), &fields);
                Answer::to(request.header("content-type", kind).body(form)).await
            }
            None => Answer::to(request).await,
        }
    }

    fn request(&self, world: &World, method: &Method, query: &str) -> RequestBuilder {
        world.request(method.clone(), &format!("{}{query}", self.path))
    }

    /// The request that is refused with this status, where there is one that
    /// does for every operation.
    pub fn refused(
        &self,
        world: &World,
        operation: &Operation,
        status: u16,
        nobody: &str,
    ) -> Option<RequestBuilder> {
        let takes_json = operation.takes("application/json");
        let takes_form = operation.takes("multipart/form-data");
        let good = operation.bodies().remove(0).unwrap_or_default();
        let method = &operation.method;
        let request = self.request(world, method, &self.query);
        Some(match status {
            400 if takes_json => request.header("content-type", "application/json").body("{"),
            400 if takes_form => {
                request.header("content-type", "multipart/form-data; boundary=x").body("--x\r\n")
            }
            400 => self.request(world, method, "?nonsense=1"),
            401 => world.http().request(method.clone(), format!("{}{}", world.url, self.path)),
            403 => world.request_by(nobody, method.clone(), &self.path),
            404 if operation.path.contains("{provider}") => {
                let path = self.path.replace("twilio", "pigeon");
                with_json(world.request(method.clone(), &path), &good)
            }
            404 if operation.path.contains("{id}") => {
                let path = operation.path.replace("{id}", "nothing");
                with_json(world.request(method.clone(), &path), &good)
            }
            404 => {
                let query = format!("?to=%2B{}&channel=sms", &mobile(77)[1..]);
                self.request(world, method, &query)
            }
            412 => with_json(request.header("if-match", "\"another\""), &good),
            413 if takes_form => {
                let (kind, form) = file_form(&vec![b'x'; TOO_LARGE], &[]);
                request.header("content-type", kind).body(form)
            }
            413 => request.header("content-type", "application/json").body("x".repeat(TOO_LARGE)),
            415 => request.header("content-type", "text/plain").body(good.to_string()),
            422 if takes_json => with_json(request, &json!({"nonsense": true})),
            422 if takes_form => {
                let (kind, form) = file_form(b"to\n", &[("nonsense", "1")]);
                request.header("content-type", kind).body(form)
            }
            422 if *method == Method::POST => request.header("idempotency-key", "x".repeat(256)),
            422 if operation.path == "/v1/contacts" => self.request(world, method, "?phone=x"),
            422 => self.request(world, method, "?to=x"),
            // States, limits and storage that fails have stories of their own.
            409 | 429 | 503 => return None,
            _ => panic!("nobody knows how {} is refused with {status}", operation.path),
        })
    }
}

/// Parameters that must be there.
async fn query(world: &World, operation: &Operation) -> String {
    let parameters = operation.value["parameters"].as_array();
    let needed: Vec<String> = parameters
        .into_iter()
        .flatten()
        .filter(|p| p["in"] == "query" && p["required"] == true)
        .map(|p| match p["name"].as_str() {
            Some("to") => format!("to=%2B{}", &mobile(1)[1..]),
            Some("channel") => "channel=sms".to_owned(),
            name => panic!("nobody knows a value of {name:?}"),
        })
        .collect();
    if operation.path == "/v1/suppressions" {
        let suppression = json!({"to": mobile(1), "channel": "sms"});
        let _ = world.post("/v1/suppressions", &suppression).await;
    }
    if operation.path == "/v1/people/erasure" {
        let _ = world.post("/v1/people/erase", &json!({"to": mobile(1)})).await.ok(202);
    }
    if needed.is_empty() { String::new() } else { format!("?{}", needed.join("&")) }
}

/// The id of a thing that the operation can be done to.
async fn made(world: &World, path: &str) -> String {
    let id = |answer: Value| answer["id"].as_str().expect("an id").to_owned();
    let unique = world.stack.ctx.counters.get("made");
    world.stack.ctx.counters.add("made", 1);
    let later = json!({"scheduled_for": world.in_minutes(60)});
    match path.split('/').nth(2).unwrap_or_default() {
        "messages" if path.ends_with("/retry") => failed(world).await,
        "messages" => world.send(&mobile(2), "Hi", later).await,
        "imports" => world.import(format!("to\n{}\n", mobile(3)).as_bytes(), "Hi", &[]).await,
        "contacts" => {
            let contact = json!({"name": "Ada", "external_id": format!("made-{unique}")});
            id(world.post("/v1/contacts", &contact).await.ok(201))
        }
        "bookings" => {
            let contact = json!({"name": "Ada", "external_id": format!("made-{unique}")});
            let client = id(world.post("/v1/contacts", &contact).await.ok(201));
            let booking = json!({"client_id": client, "starts_at": world.in_minutes(6_000)});
            id(world.post("/v1/bookings", &booking).await.ok(201))
        }
        "segments" => {
            let segment = json!({"name": "Made", "rules": {"label": "vip"}});
            id(world.post("/v1/segments", &segment).await.ok(201))
        }
        "exports" => id(world.post("/v1/contacts/export", &json!({})).await.ok(202)),
        "lists" => id(world.post("/v1/lists", &json!({"name": "Made"})).await.ok(201)),
        "templates" => {
            let template = json!({"key": format!("made_{unique}"), "body": "Hi"});
            id(world.post("/v1/templates", &template).await.ok(201))
        }
        "sequences" => {
            let sequence = json!({"name": format!("Made {unique}"), "channel": "sms"});
            id(world.post("/v1/sequences", &sequence).await.ok(201))
        }
        "tags" => {
            let tag = json!({"name": format!("Made {unique}")});
            id(world.post("/v1/tags", &tag).await.ok(201))
        }
        "workshops" => world.run_workshop(&format!("made_{unique}")).await.0,
        "campaigns" => world.run_workshop(&format!("made_{unique}")).await.1,
        "api-keys" => {
            let key = json!({"name": "Made", "role": "viewer"});
            id(world.post("/v1/api-keys", &key).await.ok(201))
        }
        "members" => {
            let member = json!({"email": format!("m{unique}@example.com"), "role": "viewer"});
            id(world.post("/v1/members", &member).await.ok(201))
        }
        "organizations" => {
            id(world.post("/v1/organizations", &json!({"name": "Made"})).await.ok(201))
        }
        "dead-letters" => crate::dead_letters::a_pack_given_up(world).await,
        noun => panic!("nobody knows how to make one of {noun}"),
    }
}

/// The contact that the example of a booking names; nobody has the others.
async fn example_contact(world: &World) {
    let (ctx, org) = (&world.stack.ctx, world.stack.org);
    let id = ContactId::from_hash(&[b"example client"]);
    let mut contact = Contact::new(id, org, "story", world.now());
    contact.name = Some("Example".to_owned());
    let secret = ctx.address_secret().await.expect("a secret");
    ctx.store.save_contact(&secret, None, &mut contact, "example").await.expect("stored");
}

/// A message that the provider refuses.
async fn failed(world: &World) -> String {
    let id = world.send(INVALID, "Hi", json!({})).await;
    world.settle().await;
    id
}
