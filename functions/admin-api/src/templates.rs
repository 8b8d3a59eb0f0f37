//! `/v1/templates`: versioned; a send pins the version it was rendered from.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use carillon_domain::dlt;
use carillon_domain::template::Template;
use carillon_domain::{Channel, OrgId, TemplateId};
use carillon_runtime::{Context, random};
use carillon_store::{NewTemplate, StoredTemplate};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::auth::Caller;
use crate::extract::{self, Id, Params};
use crate::lists;
use crate::problem::{FieldError, Problem};
use crate::view;

/// Fields that are kept as they are sent, for the provider that needs them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    key: Option<String>,
    name: Option<String>,
    channel: Option<String>,
    kind: Option<String>,
    body: Option<String>,
    dlt_template_id: Option<Value>,
    provider_template_id: Option<Value>,
    entity_id: Option<Value>,
    route: Option<Value>,
    sender_id: Option<Value>,
    strategy: Option<Value>,
    campaign_name: Option<Value>,
    variables: Option<Vec<Map<String, Value>>>,
    is_active: Option<bool>,
}

/// Finds `key`, `key@version`, or an id.
pub async fn find(
    ctx: &Context,
    org: OrgId,
    name: &str,
) -> Result<Option<StoredTemplate>, Problem> {
    let (name, version) = match name.split_once('@') {
        Some((name, version)) => match version.parse::<u32>() {
            Ok(version) => (name, Some(version)),
            Err(_) => return Ok(None),
        },
        None => (name, None),
    };
    let found = match name.parse::<TemplateId>() {
        Ok(id) => ctx.store.template(org, id).await?,
        Err(_) => ctx.store.template_by_key(org, name).await?,
    };
    match (found, version) {
        (Some(head), Some(version)) => {
            Ok(ctx.store.template_version(org, head.id, version).await?)
        }
        (head, _) => Ok(head),
    }
}

/// `POST /v1/templates`
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value, .. }: extract::Json<Body>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let now = ctx.clock.now();
    let mut template = StoredTemplate {
        id: TemplateId::from_bytes(random::bytes()),
        key: String::new(),
        version: 1,
        channel: Channel::Sms,
        body: String::new(),
        details: Map::new(),
        is_active: true,
        created_by: caller.id.clone(),
        created_at: now,
        updated_at: now,
    };
    value.apply(&mut template, true)?;
    match ctx.store.put_template(caller.org, &template).await? {
        NewTemplate::Stored => Ok((StatusCode::CREATED, Json(view(&template)))),
        NewTemplate::Taken => {
            let detail = format!(
                "There is a template “{}” already; PATCH it for a new version.",
                template.key
            );
            Err(Problem::conflict("template_key_taken", detail))
        }
    }
}

/// `GET /v1/templates`
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params,
) -> Result<Json<Value>, Problem> {
    params.only(&["limit", "cursor"])?;
    let limit = lists::limit(&params)?;
    let after = match lists::cursor(&params)?.as_deref() {
        None => None,
        Some([id]) => Some(id.parse().map_err(|_| lists::invalid_cursor())?),
        Some(_) => return Err(lists::invalid_cursor()),
    };
    let wanted = i32::try_from(limit).unwrap_or(i32::MAX);
    let templates = ctx.store.templates(caller.org, after, wanted).await?;
    let next = (templates.len() == limit).then(|| templates.last().map(|t| vec![t.id.to_string()]));
    let data = templates.iter().map(view).collect();
    Ok(Json(lists::page(&params, data, next.flatten().as_deref())))
}

/// `GET /v1/templates/{id}`
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TemplateId>,
) -> Result<Json<Value>, Problem> {
    let template = ctx.store.template(caller.org, id).await?;
    Ok(Json(view(&template.ok_or_else(|| Problem::not_found("template"))?)))
}

/// `PATCH /v1/templates/{id}`: makes the next version.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TemplateId>,
    extract::Json { value, .. }: extract::Json<Body>,
) -> Result<Json<Value>, Problem> {
    let template = ctx.store.template(caller.org, id).await?;
    let mut template = template.ok_or_else(|| Problem::not_found("template"))?;
    value.apply(&mut template, false)?;
    template.version += 1;
    template.updated_at = ctx.clock.now();
    match ctx.store.put_template(caller.org, &template).await? {
        NewTemplate::Stored => Ok(Json(view(&template))),
        NewTemplate::Taken => {
            let detail = "Someone else changed this template just now; read it again.";
            Err(Problem::conflict("template_changed", detail))
        }
    }
}

impl Body {
    fn apply(self, t: &mut StoredTemplate, is_new: bool) -> Result<(), Problem> {
        let mut wrong = Vec::new();
        let is_key = |k: &str| {
            (1..=64).contains(&k.len())
                && k.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        match self.key {
            Some(key) if is_new && is_key(&key) => t.key = key,
            Some(key) if !is_new && key == t.key => {}
            Some(_) if !is_new => {
                let detail = "A template keeps its key; make a new template for a new key.";
                wrong.push(FieldError::new("key", "key_is_fixed", detail));
            }
            _ if is_new => {
                let detail = "A key of 1 to 64 lower-case letters, digits and underscores.";
                wrong.push(FieldError::new("key", "invalid_key", detail));
            }
            _ => {}
        }
        if let Some(channel) = self.channel {
            match Channel::parse(&channel) {
                Some(channel) => t.channel = channel,
                None => wrong.push(FieldError::new("channel", "unknown_channel", "Use “sms”.")),
            }
        }
        match self.body {
            Some(body) if body.trim().is_empty() => {
                wrong.push(FieldError::new(
                    "body",
                    "empty_body",
                    "The text is empty; write something.",
                ));
            }
            Some(body) => t.body = body,
            None if is_new => {
                wrong.push(FieldError::new("body", "missing_field", "A template needs a “body”."));
            }
            None => {}
        }
        match self.kind.as_deref() {
            None => {}
            Some(kind @ ("text" | "dlt")) => {
                t.details.insert("kind".to_owned(), json!(kind));
            }
            Some(_) => {
                wrong.push(FieldError::new("kind", "unknown_kind", "Use “text” or “dlt”."));
            }
        }
        let texts = [
            ("name", self.name.map(Value::from)),
            ("dlt_template_id", self.dlt_template_id),
            ("provider_template_id", self.provider_template_id),
            ("entity_id", self.entity_id),
            ("route", self.route),
            ("sender_id", self.sender_id),
            ("strategy", self.strategy),
            ("campaign_name", self.campaign_name),
        ];
        for (field, value) in texts {
            match value {
                Some(Value::String(text)) if text.len() <= 200 => {
                    t.details.insert(field.to_owned(), Value::String(text));
                }
                Some(_) => {
                    let detail = "A text of at most 200 characters.";
                    wrong.push(FieldError::new(field, "invalid_value", detail));
                }
                None => {}
            }
        }
        if let Some(variables) = self.variables {
            let keyed = |v: &Map<String, Value>| v.get("key").is_some_and(Value::is_string);
            if variables.len() > 50 || !variables.iter().all(keyed) {
                let detail = "At most 50 variables, each with a “key”.";
                wrong.push(FieldError::new("variables", "invalid_value", detail));
            }
            t.details.insert("variables".to_owned(), json!(variables));
        }
        name_slots(t);
        match source(t) {
            Err(error) => wrong.push(FieldError::new("body", error.code(), error.to_string())),
            Ok(text) => {
                if let Err(error) = Template::parse(&text) {
                    wrong.push(FieldError::new("body", error.code(), error.to_string()));
                }
            }
        }
        t.is_active = self.is_active.unwrap_or(t.is_active);
        if wrong.is_empty() { Ok(()) } else { Err(Problem::fields(wrong)) }
    }
}

fn is_registered(t: &StoredTemplate) -> bool {
    t.details.get("kind").and_then(Value::as_str) == Some("dlt")
}

/// Slots that the caller did not name are `var1`, `var2`, …
fn name_slots(t: &mut StoredTemplate) {
    if !is_registered(t) || t.details.contains_key("variables") {
        return;
    }
    let slots = dlt::slots(&t.body).unwrap_or(0);
    let variables: Vec<Value> =
        (1..=slots).map(|n| json!({"key": format!("var{n}"), "required": true})).collect();
    t.details.insert("variables".to_owned(), Value::Array(variables));
}

/// The text with `{{ variables }}`, whatever kind the template is of.
///
/// # Errors
/// When a registered text's slots and variables do not fit each other.
pub fn source(t: &StoredTemplate) -> Result<String, dlt::DltError> {
    if !is_registered(t) {
        return Ok(t.body.clone());
    }
    let variables = t.details.get("variables").and_then(Value::as_array);
    let key = |v: &'_ Value| v.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
    let names: Vec<String> = variables.into_iter().flatten().map(key).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    dlt::with_names(&t.body, &names)
}

fn view(t: &StoredTemplate) -> Value {
    let detail = |field: &str| t.details.get(field).cloned().unwrap_or(Value::Null);
    json!({
        "id": t.id,
        "key": t.key,
        "name": t.details.get("name").cloned().unwrap_or_else(|| json!(t.key)),
        "channel": t.channel,
        "kind": t.details.get("kind").cloned().unwrap_or_else(|| json!("text")),
        "body": t.body,
        "dlt_template_id": detail("dlt_template_id"),
        "provider_template_id": detail("provider_template_id"),
        "entity_id": detail("entity_id"),
        "route": detail("route"),
        "sender_id": detail("sender_id"),
        "strategy": detail("strategy"),
        "campaign_name": detail("campaign_name"),
        "variables": t.details.get("variables").cloned().unwrap_or_else(|| json!([])),
        "version": t.version,
        "is_active": t.is_active,
        "created_by": t.created_by,
        "created_at": view::time(t.created_at),
        "updated_at": view::time(t.updated_at),
    })
}
