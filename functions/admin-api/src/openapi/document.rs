//! The document as a whole, from the table of routes.

use axum::http::Method;
use carillon_domain::Action;
use serde_json::{Map, Value, json};

use super::{Operation, Schemas, links, problems};
use crate::problem::Document as ProblemDocument;
use crate::routes::{self, Said};

/// Doc comments of handlers, by path in this crate.
const DOCS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/handler_docs.rs"));

const CRATE: &str = "carillon_admin_api::";

const ABOUT: &str = "Sends messages and says what became of them. Times are RFC 3339, in answers \
                     in UTC; money is a decimal string with its currency. Lists have pages: \
                     follow `next_cursor`. A `POST` that carries an `Idempotency-Key` is done \
                     once, however often it is sent. What is wrong with a request is answered as \
                     a problem document (RFC 9457) with a stable `code`.";

#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut paths: Map<String, Value> = Map::new();
    for (method, path, action, said) in routes::said() {
        let operation = operation(&method, path, action, said, &mut schemas);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method.as_str().to_lowercase()] = operation;
    }
    let problem = schemas.written::<ProblemDocument<'_>>();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Carillon", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {
                "type": "http", "scheme": "bearer", "description": "An API key, `crl_…`.",
            }},
            "responses": problems::components(&problem),
        },
    });
    schemas.put_into(&mut document);
    links::add(&mut document);
    document
}

fn operation(
    method: &Method,
    path: &str,
    action: Option<Action>,
    said: Said,
    schemas: &mut Schemas,
) -> Value {
    let mut operation = Operation::at(path);
    (said.describe)(&mut operation, schemas);
    if *method == Method::POST && action.is_some() {
        operation.takes_header(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same key and body again get the first answer again, for 24 hours.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }));
    }
    for answer in operation.answers_mut() {
        answer["headers"] = request_id();
    }
    problems::add(&mut operation, method, action);
    let mut object = operation.into_json();
    let name = said.name.strip_prefix(CRATE).unwrap_or(said.name);
    let (summary, description) = told(name);
    let mut insert = |name: &str, value: Value| object.insert(name.to_owned(), value);
    insert("operationId", json!(name.replace("::", ".")));
    insert("tags", json!([tag(path)]));
    insert("summary", json!(summary));
    let role = action.map(|action| action.least().as_str());
    match role {
        None => insert("security", json!([])),
        Some(role) => insert("x-role", json!(role)),
    };
    let needs = role.map(|role| format!("Needs the role {role}."));
    let description: Vec<String> = description.into_iter().chain(needs).collect();
    insert("description", json!(description.join("\n\n")));
    Value::Object(object)
}

/// The first sentence over a handler, and what follows it.
fn told(handler: &str) -> (String, Option<String>) {
    let doc = DOCS.iter().find(|(name, _)| *name == handler).map_or("", |(_, doc)| doc);
    let doc = doc.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    // “`GET /v1/messages`: all of them.”
    let told = doc.split_once("`: ").filter(|(at, _)| at.starts_with('`')).map(|(_, told)| told);
    let told = told.unwrap_or_default();
    let (first, rest) = match told.split_once(". ") {
        Some((first, rest)) => (first, Some(rest.to_owned())),
        None => (told.trim_end_matches('.'), None),
    };
    let mut letters = first.chars();
    let capital = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    (format!("{capital}{}", letters.as_str()), rest)
}

/// The noun of a path.
fn tag(path: &str) -> &str {
    match path.strip_prefix("/v1/") {
        Some(rest) => rest.split('/').next().unwrap_or_default(),
        None => "about",
    }
}

/// The header that every answer carries.
pub fn request_id() -> Value {
    json!({"x-request-id": {
        "description": "Names the request, here and in logs.", "required": true,
        "schema": {"type": "string"},
    }})
}
