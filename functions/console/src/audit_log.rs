//! Who did what: by filters that stand in the address, and as a file.

use askama::Template;
use axum::body::Body;
use axum::extract::Query;
use axum::http::Request;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::api::{self, Listed};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::status::{Status, words};

const OUTCOMES: [&str; 5] = ["done", "denied", "rejected", "failed", "begun"];

#[derive(Debug, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    pub actor: String,
    pub role: String,
    pub action: String,
    pub resource: Resource,
    pub outcome: Status,
    pub code: Option<String>,
    pub client: Option<String>,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub struct Resource {
    pub id: Option<String>,
}

impl Entry {
    /// `template.update` as `Template: update`.
    pub fn deed(&self) -> String {
        let (what, verb) = self.action.split_once('.').unwrap_or((&self.action, ""));
        format!("{}: {}", words(what), verb.replace('_', " "))
    }

    pub fn resource_id(&self) -> &str {
        self.resource.id.as_deref().unwrap_or_default()
    }

    /// Each field that changed, before and after.
    pub fn changes(&self) -> Vec<(String, String, String)> {
        let side = |value: &Option<Value>, field: &str| match value.as_ref().map(|v| &v[field]) {
            None | Some(Value::Null) => "–".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let fields = [&self.before, &self.after].into_iter().flatten().filter_map(Value::as_object);
        let names: std::collections::BTreeSet<&String> =
            fields.flat_map(|map| map.keys()).collect();
        let change =
            |name: &String| (words(name), side(&self.before, name), side(&self.after, name));
        names.into_iter().map(change).collect()
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    pub actor: String,
    pub action: String,
    pub outcome: String,
    pub from: String,
    pub to: String,
    pub cursor: String,
}

impl Filter {
    fn path(&self, path: &str, more: &[(&str, &str)]) -> String {
        let own = [
            ("actor", &*self.actor),
            ("action", &self.action),
            ("outcome", &self.outcome),
            ("from", &self.from),
            ("to", &self.to),
        ];
        api::path(path, &[&own[..], more].concat())
    }
}

#[derive(Template)]
#[template(path = "audit-log.html")]
pub struct AuditLogPage {
    pub frame: Frame,
    pub filter: Filter,
    pub outcomes: Vec<(&'static str, String)>,
    pub entries: Vec<Entry>,
    pub next: Option<String>,
    pub export: String,
    pub problem: Option<String>,
}

/// `GET /console/audit-log`
pub async fn page(desk: Desk, Query(filter): Query<Filter>) -> Result<Response, Refusal> {
    let path = filter.path("/v1/audit-log", &[("limit", "40"), ("cursor", &filter.cursor)]);
    let found = desk.api.get::<Listed<Entry>>(&path);
    let (frame, found) = futures::join!(desk.frame("Audit log"), found);
    let (entries, next, problem) = match found {
        Ok(found) => (found.data, found.next_cursor, None),
        Err(problem) if problem.status == 400 => (Vec::new(), None, Some(problem.detail)),
        Err(problem) => return Err(problem.into()),
    };
    let page = AuditLogPage {
        frame: frame?,
        outcomes: outcomes(),
        entries,
        next: next.map(|cursor| filter.path("/console/audit-log", &[("cursor", &cursor)])),
        export: filter.path("/console/audit-log/export", &[]),
        problem,
        filter,
    };
    Ok(page::ok(&page))
}

fn outcomes() -> Vec<(&'static str, String)> {
    OUTCOMES.map(|name| (name, Status(name.to_owned()).word())).into()
}

/// `GET /console/audit-log/export`
pub async fn export(desk: Desk, Query(filter): Query<Filter>) -> Result<Response, Refusal> {
    let path = filter.path("/v1/audit-log/export", &[]);
    let response = desk.api.ask(Request::get(path), Body::empty()).await;
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(api::refused(response).await.into())
    }
}

#[cfg(test)]
impl AuditLogPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let entry = Entry {
            at: "2026-11-21T09:00:00Z".parse().expect("a time"),
            actor: text(),
            role: text(),
            action: text(),
            resource: Resource { id: Some(text()) },
            outcome: Status(text()),
            code: Some(text()),
            client: Some(text()),
            before: Some(serde_json::json!({"body": text()})),
            after: Some(serde_json::json!({text(): 1})),
        };
        let filter = Filter { actor: text(), action: text(), ..Filter::default() };
        Self {
            frame: Frame::sample(),
            filter,
            outcomes: outcomes(),
            entries: vec![entry],
            next: Some(text()),
            export: text(),
            problem: Some(text()),
        }
    }
}
