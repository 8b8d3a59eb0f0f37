//! `/v1/templates`: versioned; a send pins the version it was rendered from.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::dlt;
use carillon_domain::template::Template;
use carillon_domain::{Channel, OrgId, TemplateId};
use carillon_runtime::{Context, random};
use carillon_store::{NewTemplate, StoredTemplate};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::answers::{Created, Json};
use crate::audit::note;
use crate::auth::Caller;
use crate::etag::{self, Tag, Tagged};
use crate::extract::{self, Id, Params, present};
use crate::idempotency;
use crate::lists::{self, Page, PageQuery};
use crate::problem::{FieldError, Problem};
use crate::view::template::{Template as Shown, TemplateKind, TemplateVariable};

/// Longest text of the provider's fields, in characters.
const LONGEST: usize = 200;
const MOST_VARIABLES: usize = 50;

/// A template to store.
#[derive(Deserialize, JsonSchema)]
#[schemars(
    rename = "NewTemplate",
    extend("required" = ["key", "body"]),
    example = example(),
    example = registered_example()
)]
pub struct New(Body);

/// What is to change of a template; `null` clears.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "TemplatePatch", example = patch_example())]
pub struct Patch(Body);

/// The fields of a template.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TemplateFields")]
pub struct Body {
    /// What sends name it by; it stays.
    #[schemars(regex(pattern = "^[a-z0-9_]{1,64}$"))]
    key: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    name: Option<Option<String>>,
    #[schemars(with = "Option<Channel>")]
    channel: Option<String>,
    #[schemars(with = "Option<TemplateKind>")]
    kind: Option<String>,
    /// The text; `{{ name }}` is a variable, of a registered text `{#var#}`.
    body: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    dlt_template_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    provider_template_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    entity_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    route: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    sender_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    strategy: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    campaign_name: Option<Option<String>>,
    #[schemars(length(max = MOST_VARIABLES))]
    variables: Option<Vec<TemplateVariable>>,
    is_active: Option<bool>,
}

fn example() -> Value {
    json!({
        "key": "session_reminder", "name": "Session reminder", "channel": "sms",
        "body": "Hi {{ name }}, your session begins at {{ time }}.",
        "variables": [{"key": "name", "label": "Customer name"}, {"key": "time"}],
    })
}

fn registered_example() -> Value {
    json!({
        "key": "booking_confirmed", "channel": "sms", "kind": "dlt",
        "body": "Dear {#var#}, your booking {#var#} is confirmed.",
        "dlt_template_id": "1107160000000000001", "sender_id": "CARLLN",
    })
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

fn patch_example() -> Value {
    json!({"body": "Hi {{ name }}, your session begins at {{ time }}. Bring a towel."})
}

/// `POST /v1/templates`: stores a text to send by its key.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json { value: New(value), raw }: extract::Json<New>,
) -> Result<Created<Shown>, Problem> {
    let once = idempotency::key(&headers, None)?;
    let now = ctx.clock.now();
    let mut template = StoredTemplate {
        // The repeat of a request that was cut off finds what that one had made.
        id: match &once {
            Some(once) => TemplateId::from_hash(&[caller.org.as_bytes(), once.as_bytes(), &raw]),
            None => TemplateId::from_bytes(random::bytes()),
        },
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
        NewTemplate::Stored => Ok(Created(Shown::of(&template))),
        NewTemplate::Taken => {
            let own = ctx.store.template_version(caller.org, template.id, 1).await?;
            if let Some(own) = own.filter(|_| once.is_some()) {
                return Ok(Created(Shown::of(&own)));
            }
            let detail = format!(
                "There is a template “{}” already; PATCH it for a new version.",
                template.key
            );
            Err(Problem::conflict("template_key_taken", detail))
        }
    }
}

/// `GET /v1/templates`: all of them.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<PageQuery>,
) -> Result<Json<Page<Shown>>, Problem> {
    let (limit, after) = lists::by_id::<TemplateId>(&params)?;
    let templates = ctx.store.templates(caller.org, after, lists::wanted(limit)).await?;
    let next = (templates.len() == limit).then(|| templates.last().map(|t| t.id)).flatten();
    let data = templates.iter().map(Shown::of).collect();
    Ok(Json(Page::by_id(&params, data, next)))
}

/// `GET /v1/templates/{id}`: a template at its newest version.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TemplateId>,
) -> Result<Tagged<Shown>, Problem> {
    let template = ctx.store.template(caller.org, id).await?;
    let template = template.ok_or_else(|| Problem::not_found("template"))?;
    Ok(Tagged(tag(&template), Shown::of(&template)))
}

/// `PATCH /v1/templates/{id}`: makes the next version.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TemplateId>,
    headers: HeaderMap,
    extract::Json { value: Patch(value), .. }: extract::Json<Patch>,
) -> Result<Tagged<Shown>, Problem> {
    let template = ctx.store.template(caller.org, id).await?;
    let mut template = template.ok_or_else(|| Problem::not_found("template"))?;
    tag(&template).check(&headers)?;
    note::before(&Shown::of(&template));
    value.apply(&mut template, false)?;
    template.version += 1;
    template.updated_at = ctx.clock.now();
    match ctx.store.put_template(caller.org, &template).await? {
        NewTemplate::Stored => Ok(Tagged(tag(&template), Shown::of(&template))),
        NewTemplate::Taken if etag::is_conditional(&headers) => Err(etag::changed()),
        NewTemplate::Taken => {
            let detail = "Someone else changed this template just now; read it again.";
            Err(Problem::conflict("template_changed", detail))
        }
    }
}

fn tag(t: &StoredTemplate) -> Tag {
    Tag::of(&(t.id, t.version))
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
            ("name", self.name),
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
                Some(Some(text)) if text.chars().count() <= LONGEST => {
                    t.details.insert(field.to_owned(), Value::String(text));
                }
                Some(Some(_)) => {
                    let detail = format!("A text of at most {LONGEST} characters.");
                    wrong.push(FieldError::new(field, "invalid_value", detail));
                }
                Some(None) => {
                    t.details.remove(field);
                }
                None => {}
            }
        }
        if let Some(variables) = self.variables {
            if variables.len() > MOST_VARIABLES {
                let detail = format!("At most {MOST_VARIABLES} variables.");
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
    let slots = dlt::slots(&t.body).map_or(0, |slots| slots.len());
    let variables: Vec<TemplateVariable> =
        (1..=slots).map(|n| TemplateVariable::required(format!("var{n}"))).collect();
    t.details.insert("variables".to_owned(), json!(variables));
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
