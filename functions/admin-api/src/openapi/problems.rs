//! The problem documents that an operation can answer, which follow from what
//! it takes and from who may call it.

use axum::http::Method;
use carillon_domain::Action;
use serde_json::{Map, Value, json};

use super::Operation;

/// Status, name among the components, what it means.
const ALL: [(u16, &str, &str); 11] = [
    (400, "Malformed", "It cannot be read: JSON, a parameter, a cursor"),
    (401, "NoKey", "There is no key or access token, or none that is good"),
    (
        403,
        "RoleTooLow",
        "The role may not do this; or nobody is let in: no member, an organization that is suspended",
    ),
    (404, "NotFound", "Unknown, or another organization's"),
    (409, "Conflict", "Its state, or an idempotency key, stands against it"),
    (412, "Changed", "It was changed since: its ETag is not the one in `If-Match`"),
    (413, "TooLarge", "The body is too large"),
    (415, "UnsupportedMediaType", "The body is of another kind"),
    (422, "RuleBroken", "A field breaks a rule; each that does is named"),
    (429, "TooMany", "Too many requests; try again after `Retry-After` seconds"),
    (503, "Unavailable", "Storage does not answer; nothing was changed by half"),
];

/// Adds to an operation what it can refuse with.
pub fn add(operation: &mut Operation, method: &Method, action: Option<Action>) {
    if action.is_none() {
        return;
    }
    let changes = *method != Method::GET;
    let is_post = *method == Method::POST;
    let body = operation.has_body();
    for (status, name, _) in ALL {
        let can = match status {
            400 => operation.has_query() || body,
            404 => operation.has_path() || *method == Method::DELETE,
            409 => changes,
            412 => changes && operation.has_tag(),
            413 | 415 => body,
            422 => body || operation.reads_number() || is_post,
            _ => true,
        };
        if can {
            let reference = format!("#/components/responses/{name}");
            operation.refuses(status, json!({"$ref": reference}));
        }
    }
}

/// They, by name.
pub fn components(problem: &Value) -> Map<String, Value> {
    let component = |(status, name, meaning): (u16, &str, &str)| {
        let mut answer = json!({
            "description": meaning,
            "headers": super::document::request_id(),
            "content": {"application/problem+json": {"schema": problem}},
        });
        if matches!(status, 429 | 503) {
            answer["headers"]["Retry-After"] = json!({
                "description": "Seconds", "required": true,
                "schema": {"type": "integer", "minimum": 1},
            });
        }
        if status == 401 {
            answer["headers"]["WWW-Authenticate"] =
                json!({"required": true, "schema": {"type": "string"}});
        }
        (name.to_owned(), answer)
    };
    ALL.into_iter().map(component).collect()
}
