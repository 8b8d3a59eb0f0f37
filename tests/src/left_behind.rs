//! What a release leaves behind when it is replaced in the middle of its work:
//! rows, bodies on queues, the key, and what the provider has. Written by one
//! release as JSON, taken up by another.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use carillon_local::engines::Engines;
use carillon_local::stack::TABLE;
use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM};
use carillon_store::schema;
use data_encoding::BASE64;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{Setup, World};

type Row = HashMap<String, AttributeValue>;

/// Everything that a release leaves behind.
#[derive(Debug, Clone)]
pub struct LeftBehind(Value);

impl LeftBehind {
    /// Takes everything out of a world; its folder has the key.
    ///
    /// # Panics
    /// When an engine does not answer.
    pub async fn of(world: &World, folder: &Path) -> Self {
        let client = world.stack.engines.dynamodb();
        let mut rows = Vec::new();
        let mut start = None;
        loop {
            let page = client.scan().table_name(TABLE).set_exclusive_start_key(start);
            let page = page.send().await.expect("the table is read");
            rows.extend(page.items().iter().map(row_to_json));
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        rows.sort_by_key(|row| format!("{} {}", row["pk"], row["sk"]));
        let queues = &world.stack.ctx.config.queues;
        let mut bodies = Map::new();
        for (name, url) in [
            ("sms_transactional", &queues.sms_transactional),
            ("sms_bulk", &queues.sms_bulk),
            ("receive", &queues.receive),
        ] {
            bodies.insert(name.to_owned(), json!(drain(world, url).await));
        }
        let provider_has: Vec<Value> = world
            .received()
            .await
            .into_iter()
            .filter(|r| r.accepted && r.direction == "outbound")
            .map(|r| json!({"to": r.to, "body": r.body}))
            .collect();
        let key = std::fs::read(folder.join("kms.key")).expect("the key's file");
        Self(json!({
            "at": world.now(), "kms_key": BASE64.encode(&key), "rows": rows, "bodies": bodies,
            "provider_has": provider_has,
        }))
    }

    /// # Panics
    /// When it is not what [`Self::write`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).expect("JSON"))
    }

    /// As JSON, a row a line.
    #[must_use]
    pub fn write(&self) -> String {
        let list = |value: &Value| -> String {
            let items: Vec<String> =
                value.as_array().into_iter().flatten().map(|v| format!("    {v}")).collect();
            if items.is_empty() {
                "[]".to_owned()
            } else {
                format!("[\n{}\n  ]", items.join(",\n"))
            }
        };
        let bodies = self.0["bodies"].as_object().expect("queues");
        let bodies: Vec<String> =
            bodies.iter().map(|(name, all)| format!("\"{name}\": {}", list(all))).collect();
        format!(
            "{{\n  \"at\": {},\n  \"kms_key\": {},\n  \"rows\": {},\n  \"bodies\": {{{}}},\n  \
             \"provider_has\": {}\n}}\n",
            self.0["at"],
            self.0["kms_key"],
            list(&self.0["rows"]),
            bodies.join(", "),
            list(&self.0["provider_has"]),
        )
    }

    /// A world that takes it up, in this folder: the same moment, the same
    /// table, the bodies on their queues.
    ///
    /// # Panics
    /// When it cannot be set up.
    pub async fn take_up(&self, folder: &Path) -> World {
        let start: Timestamp = self.0["at"].as_str().expect("a time").parse().expect("a time");
        std::fs::create_dir_all(folder).expect("a folder");
        let key = self.0["kms_key"].as_str().expect("a key");
        let key = BASE64.decode(key.as_bytes()).expect("base64");
        std::fs::write(folder.join("kms.key"), key).expect("the key is written");
        self.fill(folder, start).await;
        let folder: Option<PathBuf> = Some(folder.to_owned());
        let setup = Setup { folder, start: Some(start), twilio: false, ..Setup::default() };
        let world = World::with(setup).await;
        for had in self.0["provider_has"].as_array().into_iter().flatten() {
            give_to_provider(&world, had).await;
        }
        let queues = &world.stack.ctx.config.queues;
        for (name, url) in [
            ("sms_transactional", &queues.sms_transactional),
            ("sms_bulk", &queues.sms_bulk),
            ("receive", &queues.receive),
        ] {
            for body in self.0["bodies"][name].as_array().into_iter().flatten() {
                let send = world.stack.sqs.send_message().queue_url(url);
                let send = send.message_body(body.to_string()).message_group_id("fixture");
                send.send().await.expect("the queue takes it");
            }
        }
        world
    }

    async fn fill(&self, folder: &Path, now: Timestamp) {
        let clock = std::sync::Arc::new(move || now);
        let engines = Engines::open(Some(folder), clock).expect("the engines open");
        let client = engines.dynamodb();
        schema::create_table(&client, TABLE).await.expect("a table");
        // Which table it was written for is left out: this one stands for it.
        let mark = json!({"pk": {"S": "installation"}, "sk": {"S": "table"}});
        let is_mark = |row: &Value| row["pk"] == mark["pk"] && row["sk"] == mark["sk"];
        for row in self.0["rows"].as_array().into_iter().flatten().filter(|row| !is_mark(row)) {
            let put = client.put_item().table_name(TABLE).set_item(Some(row_from_json(row)));
            put.send().await.expect("the row is put");
        }
    }
}

/// The bodies that are on a queue; they are on it no more.
async fn drain(world: &World, url: &str) -> Vec<Value> {
    let mut bodies = Vec::new();
    loop {
        let receive = world.stack.sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let received = receive.send().await.expect("the queue answers");
        if received.messages().is_empty() {
            return bodies;
        }
        for message in received.messages() {
            let body = message.body().expect("a body");
            bodies.push(serde_json::from_str(body).expect("JSON"));
        }
    }
}

/// The provider had it before: it is sent there by hand.
async fn give_to_provider(world: &World, had: &Value) {
    let path = format!("2010-04-01/Accounts/{DEFAULT_ACCOUNT_SID}/Messages.json");
    let url = format!("{}/{path}", world.simulator.url());
    let text = |name: &str| had[name].as_str().expect("a text").to_owned();
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("To", &text("to"))
        .append_pair("From", DEFAULT_FROM)
        .append_pair("Body", &text("body"))
        .finish();
    let request = world
        .http()
        .post(url)
        .basic_auth(DEFAULT_ACCOUNT_SID, Some(DEFAULT_AUTH_TOKEN))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let answer = request.send().await.expect("the provider answers");
    assert_eq!(answer.status().as_u16(), 201);
}

/// In DynamoDB's own JSON.
fn row_to_json(row: &Row) -> Value {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::B(bytes) => json!({"B": BASE64.encode(bytes.as_ref())}),
        AttributeValue::Ss(texts) => json!({"SS": texts}),
        other => panic!("no row has such an attribute: {other:?}"),
    };
    row.iter().map(|(name, v)| (name.clone(), value(v))).collect::<Map<_, _>>().into()
}

fn row_from_json(row: &Value) -> Row {
    let attribute = |value: &Value| {
        let (kind, inner) = value.as_object().and_then(|v| v.iter().next()).expect("a type");
        let text = || inner.as_str().expect("a text").to_owned();
        match kind.as_str() {
            "S" => AttributeValue::S(text()),
            "N" => AttributeValue::N(text()),
            "B" => AttributeValue::B(Blob::new(BASE64.decode(text().as_bytes()).expect("base64"))),
            "SS" => {
                AttributeValue::Ss(serde_json::from_value(inner.clone()).expect("a list of texts"))
            }
            other => panic!("no row has a {other}"),
        }
    };
    let row = row.as_object().expect("a row");
    row.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}
