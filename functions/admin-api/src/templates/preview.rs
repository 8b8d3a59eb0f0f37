//! `POST /v1/templates/{id}/preview`: the text as one person would read it. Made
//! by the same function that writes it when it is planned.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use carillon_domain::contact::{Contact, fields};
use carillon_domain::content::ContentError;
use carillon_domain::personal::{self, About, Known, Person, Unwritten, Workshop};
use carillon_domain::segments::{self, Encoding};
use carillon_domain::template::TemplateError;
use carillon_domain::{ContactId, TemplateId, wall_clock};
use carillon_runtime::Context;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::answers::Json;
use crate::auth::Caller;
use crate::extract::{self, Id};
use crate::problem::{FieldError, Problem};

/// Whom to write a template for: a contact, or somebody made up.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TemplatePreviewRequest", example = example())]
pub struct Request {
    /// Values of its variables.
    variables: Option<Map<String, Value>>,
    #[schemars(with = "Option<ContactId>")]
    contact_id: Option<String>,
    /// Instead of the contact's own.
    #[schemars(length(max = 12))]
    language: Option<String>,
    /// The newest, where it is absent.
    #[schemars(range(min = 1))]
    version: Option<u32>,
}

fn example() -> Value {
    json!({"variables": {"name": "Ada", "time": "7 PM"}, "language": "en"})
}

/// A template as one person would read it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TemplatePreview {
    /// `key@version`.
    template: String,
    /// The language of the text, where it says so.
    language: Option<String>,
    body: String,
    segments: u16,
    encoding: Encoding,
    /// The same text with look-alikes that need fewer segments; null where there
    /// is nothing to gain.
    gsm7_replacement: Option<String>,
    /// What it was written with.
    variables: Map<String, Value>,
}

/// `POST /v1/templates/{id}/preview`: the text as a contact would read it, or somebody made up (Ada
/// Lovelace, at a workshop tomorrow at 7 PM). Sends nothing.
pub async fn preview(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TemplateId>,
    extract::Json { value: request, .. }: extract::Json<Request>,
) -> Result<Json<TemplatePreview>, Problem> {
    let head = ctx.store.template(caller.org, id).await?;
    let head = head.ok_or_else(|| Problem::not_found("template"))?;
    let template = match request.version {
        None => head,
        Some(version) => {
            let found = ctx.store.template_version(caller.org, id, version).await?;
            found.ok_or_else(|| {
                let detail = format!("The template has the versions 1 to {}.", head.version);
                Problem::field("version", "unknown_version", detail)
            })?
        }
    };
    let contact = request.contact(&ctx, &caller).await?;
    let language = request.language.as_deref().map(fields::language).transpose();
    let language = language.map_err(|e| Problem::field("language", e.code(), e.to_string()))?;
    let settings = ctx.store.settings(caller.org).await?;
    let organization = ctx.store.organization(caller.org).await?.map(|o| o.name);

    let known = contact.as_ref().map(Known::of);
    let made_up = Person {
        name: Some("Ada Lovelace"),
        first_name: Some("Ada"),
        email: Some("ada@example.com"),
        phone: Some("+61491570006"),
        ..Person::default()
    };
    let person = known.as_ref().map_or(made_up, Known::person);
    let zone = wall_clock::zone(&settings.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let about = About {
        contact: Some(Person { language: language.as_deref().or(person.language), ..person }),
        workshop: Some(Workshop {
            title: "Sample workshop",
            starts_at: tomorrow_evening(ctx.clock.now(), &zone),
            zone: &zone,
        }),
        organization: organization.as_deref(),
    };
    let given = request.variables.unwrap_or_default();
    let written = personal::write(&template.content, &BTreeMap::new(), &given, &about);
    let written = written.map_err(|error| Problem::fields(refused(&error)))?;
    let counted = segments::count(&written.body);
    Ok(Json(TemplatePreview {
        template: format!("{}@{}", template.key, template.version),
        language: written.language,
        segments: counted.segments,
        encoding: counted.encoding,
        gsm7_replacement: segments::gsm7_replacements(&written.body),
        body: written.body,
        variables: written.variables,
    }))
}

impl Request {
    async fn contact(&self, ctx: &Context, caller: &Caller) -> Result<Option<Contact>, Problem> {
        let Some(id) = &self.contact_id else { return Ok(None) };
        let found = match id.parse::<ContactId>() {
            Ok(id) => ctx.store.contact_now(caller.org, id).await?,
            Err(_) => None,
        };
        let unknown = || {
            let detail = "There is no such contact in this organization; check the id.";
            Problem::field("contact_id", "unknown_contact", detail)
        };
        found.map(Some).ok_or_else(unknown)
    }
}

/// 7 PM, on the clock there.
fn tomorrow_evening(now: Timestamp, zone: &jiff::tz::TimeZone) -> Timestamp {
    let day = now + SignedDuration::from_hours(24);
    let evening = zone.to_datetime(day).date().at(19, 0, 0, 0);
    wall_clock::moment(evening, zone).map_or(day, |moment| moment.at)
}

/// Why a text cannot be written, by the variable that is at fault.
pub fn refused(error: &Unwritten) -> Vec<FieldError> {
    let one = |field: String| vec![FieldError::new(field, error.code(), error.to_string())];
    let missing = |names: &[String]| {
        let of = |name: &String| {
            let detail = format!("The text needs the variable “{name}”; give it a value.");
            FieldError::new(format!("variables.{name}"), error.code(), detail)
        };
        names.iter().map(of).collect()
    };
    match error {
        Unwritten::Missing(names)
        | Unwritten::Content(ContentError::Template(TemplateError::Missing { names })) => {
            missing(names)
        }
        Unwritten::Slot { key, .. } => one(format!("variables.{key}")),
        Unwritten::Empty => one("body".to_owned()),
        Unwritten::Content(_) => one("variables".to_owned()),
    }
}
