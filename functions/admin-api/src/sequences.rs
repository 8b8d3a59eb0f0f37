//! `/v1/sequences`: ordered steps for one channel, each a template and a time.
//!
//! A step's template exists, goes by the sequence's channel, and gets every
//! variable it needs: checked when the sequence is stored, and in the same
//! transaction as it is stored against a template that is deleted just then.

mod steps;

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::{Channel, OrgId, Sequence, SequenceId, TagId, TemplateId};
use carillon_runtime::{Context, random};
use carillon_store::{Deleted, Kept, Stored, StoredTemplate, Users};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use self::steps::StepFields;
use crate::answers::{Created, Json, NoContent};
use crate::audit::note;
use crate::auth::Caller;
use crate::etag::{self, Tag, Tagged};
use crate::extract::{self, Id, Params, present};
use crate::lists::{self, Page, PageQuery};
use crate::names::{LONGEST_NAME, read_name};
use crate::problem::{FieldError, Problem};
use crate::view::sequence::Sequence as Shown;
use crate::{idempotency, templates};

pub const LONGEST_DESCRIPTION: usize = 500;
/// Users of a thing that are told by name.
const TOLD: usize = 5;

/// A sequence to store.
#[derive(Deserialize, JsonSchema)]
#[schemars(
    rename = "NewSequence",
    extend("required" = ["name", "channel"]),
    example = example()
)]
pub struct New(Body);

/// What is to change of a sequence; `null` clears. `steps` replaces them all: those that are to stay carry
/// their ids.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "SequencePatch", example = patch_example())]
pub struct Patch(Body);

/// The fields of a sequence.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SequenceFields")]
pub struct Body {
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST_DESCRIPTION))]
    description: Option<Option<String>>,
    /// It stays.
    #[schemars(with = "Option<Channel>")]
    channel: Option<String>,
    #[schemars(length(max = carillon_domain::sequence::MAX_STEPS))]
    steps: Option<Vec<StepFields>>,
}

fn example() -> Value {
    json!({
        "name": "Crypto workshop, SMS", "channel": "sms",
        "steps": [
            {
                "template": "session_reminder", "send_time": "11:00", "day": 0, "label": "Morning",
                "variables": {
                    "client_name": "{{ contact.first_name | default('there') }}",
                    "coach_name": "{{ organization.name }}",
                    "session_datetime": "{{ workshop.starts_at }}",
                },
            },
            {
                "template": "session_reminder", "offset": "-PT30M", "label": "Half an hour before",
                "variables": {
                    "coach_name": "{{ organization.name }}",
                    "session_datetime": "{{ workshop.time }}",
                },
            },
        ],
    })
}

fn patch_example() -> Value {
    json!({"name": "Crypto workshop, SMS, autumn"})
}

/// `POST /v1/sequences`: stores a sequence.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json { value: New(value), raw }: extract::Json<New>,
) -> Result<Created<Shown>, Problem> {
    let once = idempotency::key(&headers, None)?;
    // The repeat of a request that was cut off finds what that one had made.
    let id = match &once {
        Some(once) => SequenceId::from_hash(&[caller.org.as_bytes(), once.as_bytes(), &raw]),
        None => SequenceId::from_bytes(random::bytes()),
    };
    let empty = Sequence {
        id,
        name: String::new(),
        description: None,
        channel: Channel::Sms,
        steps: Vec::new(),
    };
    let mut new = Kept::new(empty, caller.id.as_str(), ctx.clock.now());
    value.apply(&ctx, caller.org, &mut new, true).await?;
    match ctx.store.put_sequence(caller.org, None, &new).await? {
        Stored::Done => Ok(Created(Shown::of(&new))),
        Stored::Changed => {
            let own = ctx.store.sequence(caller.org, id).await?;
            own.map(|own| Created(Shown::of(&own))).ok_or_else(|| changed(&headers))
        }
        Stored::NameTaken => Err(name_taken(&new.what)),
        Stored::Gone(template) => Err(gone(&new.what, template)),
    }
}

/// `GET /v1/sequences`: all of them.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<PageQuery>,
) -> Result<Json<Page<Shown>>, Problem> {
    let (limit, after) = lists::by_id::<SequenceId>(&params)?;
    let found = ctx.store.sequences(caller.org, after, lists::wanted(limit)).await?;
    let next = (found.len() == limit).then(|| found.last().map(|q| q.what.id)).flatten();
    Ok(Json(Page::by_id(&params, found.iter().map(Shown::of).collect(), next)))
}

/// `GET /v1/sequences/{id}`: a sequence.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<SequenceId>,
) -> Result<Tagged<Shown>, Problem> {
    let sequence = found(&ctx, caller.org, id).await?;
    Ok(Tagged(tag(&sequence), Shown::of(&sequence)))
}

/// `PATCH /v1/sequences/{id}`: changes it for what is planned from now on.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<SequenceId>,
    headers: HeaderMap,
    extract::Json { value: Patch(value), .. }: extract::Json<Patch>,
) -> Result<Tagged<Shown>, Problem> {
    let seen = found(&ctx, caller.org, id).await?;
    tag(&seen).check(&headers)?;
    note::before(&Shown::of(&seen));
    let mut after = seen.changed(seen.what.clone(), ctx.clock.now());
    value.apply(&ctx, caller.org, &mut after, false).await?;
    match ctx.store.put_sequence(caller.org, Some(&seen), &after).await? {
        Stored::Done => Ok(Tagged(tag(&after), Shown::of(&after))),
        Stored::Changed => Err(changed(&headers)),
        Stored::NameTaken => Err(name_taken(&after.what)),
        Stored::Gone(template) => Err(gone(&after.what, template)),
    }
}

/// `DELETE /v1/sequences/{id}`: deletes a sequence that no tag uses. What was planned by it stays planned.
pub async fn delete(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<SequenceId>,
    headers: HeaderMap,
) -> Result<NoContent, Problem> {
    let seen = found(&ctx, caller.org, id).await?;
    tag(&seen).check(&headers)?;
    note::before(&Shown::of(&seen));
    match ctx.store.delete_sequence(caller.org, &seen).await? {
        Deleted::Done => Ok(NoContent),
        Deleted::Changed => Err(changed(&headers)),
        Deleted::InUse(users) => {
            let names = tag_names(&ctx, caller.org, &users).await?;
            let detail = format!("It is used by {names}; take it out there first.");
            Err(Problem::conflict("sequence_in_use", detail))
        }
    }
}

async fn found(ctx: &Context, org: OrgId, id: SequenceId) -> Result<Kept<Sequence>, Problem> {
    ctx.store.sequence(org, id).await?.ok_or_else(|| Problem::not_found("sequence"))
}

fn tag(kept: &Kept<Sequence>) -> Tag {
    Tag::of(&(kept.what.id, kept.version))
}

fn changed(headers: &HeaderMap) -> Problem {
    if etag::is_conditional(headers) {
        return etag::changed();
    }
    let detail = "Someone else changed this sequence just now; read it again.";
    Problem::conflict("sequence_changed", detail)
}

fn name_taken(sequence: &Sequence) -> Problem {
    let detail = format!("There is a sequence “{}” already; choose another name.", sequence.name);
    Problem::conflict("sequence_name_taken", detail)
}

/// Deleted between the check and the write.
fn gone(sequence: &Sequence, template: TemplateId) -> Problem {
    let step = sequence.steps.iter().position(|step| step.template == template).unwrap_or(0);
    let detail = format!("There is no template {template} any more; use another.");
    Problem::field(&format!("steps[{step}].template"), "unknown_template", detail)
}

/// Sequences that use a template, for a sentence.
pub async fn names(ctx: &Context, org: OrgId, users: &Users) -> Result<String, Problem> {
    let mut told = Vec::new();
    for user in users.named.iter().take(TOLD) {
        let sequence = match user.parse::<SequenceId>() {
            Ok(id) => ctx.store.sequence(org, id).await?,
            Err(_) => None,
        };
        let name = sequence.map(|q| format!(" “{}”", q.what.name)).unwrap_or_default();
        told.push(format!("the sequence{name} ({user})"));
    }
    Ok(in_words(told, users))
}

async fn tag_names(ctx: &Context, org: OrgId, users: &Users) -> Result<String, Problem> {
    let mut told = Vec::new();
    for user in users.named.iter().take(TOLD) {
        let tag = match user.parse::<TagId>() {
            Ok(id) => ctx.store.tag(org, id).await?,
            Err(_) => None,
        };
        let name = tag.map(|tag| format!(" “{}”", tag.what.name)).unwrap_or_default();
        told.push(format!("the tag{name} ({user})"));
    }
    Ok(in_words(told, users))
}

fn in_words(told: Vec<String>, users: &Users) -> String {
    let more = (users.named.len() - told.len()) as u64 + users.counted;
    let mut words = told.join(", ");
    if more > 0 {
        words.push_str(&format!(" and {more} more"));
    }
    words
}

pub fn read_description(text: Option<String>, wrong: &mut Vec<FieldError>) -> Option<String> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
    if text.chars().count() > LONGEST_DESCRIPTION {
        let detail = format!("A description has at most {LONGEST_DESCRIPTION} characters.");
        wrong.push(FieldError::new("description", "invalid_value", detail));
    }
    Some(text)
}

impl Body {
    async fn apply(
        self,
        ctx: &Context,
        org: OrgId,
        kept: &mut Kept<Sequence>,
        is_new: bool,
    ) -> Result<(), Problem> {
        let mut wrong = Vec::new();
        let sequence = &mut kept.what;
        match self.name {
            Some(name) => {
                if let Some(name) = read_name("name", &name, &mut wrong) {
                    sequence.name = name;
                }
            }
            None if is_new => {
                wrong.push(FieldError::new("name", "missing_field", "Give the sequence a name."));
            }
            None => {}
        }
        if let Some(description) = self.description {
            sequence.description = read_description(description, &mut wrong);
        }
        read_channel(self.channel.as_deref(), sequence, is_new, &mut wrong);
        if let Some(steps) = self.steps {
            let found = templates_of(ctx, org, &steps).await?;
            let before = std::mem::take(&mut sequence.steps);
            let place = (sequence.id, kept.version);
            sequence.steps =
                steps::read(steps, &before, place, sequence.channel, &found, &mut wrong);
        }
        if wrong.is_empty() { Ok(()) } else { Err(Problem::fields(wrong)) }
    }
}

/// The channel is fixed: tags and templates rely on it.
fn read_channel(
    text: Option<&str>,
    sequence: &mut Sequence,
    is_new: bool,
    wrong: &mut Vec<FieldError>,
) {
    let known = Channel::ALL.map(Channel::as_str).join(", ");
    match text.map(Channel::parse) {
        None if is_new => {
            let detail = format!("Name the channel: one of {known}.");
            wrong.push(FieldError::new("channel", "missing_field", detail));
        }
        None => {}
        Some(None) => {
            let detail = format!("There is no such channel; use one of {known}.");
            wrong.push(FieldError::new("channel", "unknown_channel", detail));
        }
        Some(Some(channel)) if !is_new && channel != sequence.channel => {
            let detail = "A sequence keeps its channel; make a new sequence for another one.";
            wrong.push(FieldError::new("channel", "channel_is_fixed", detail));
        }
        Some(Some(channel)) => sequence.channel = channel,
    }
}

/// The templates that steps name, each looked up once.
async fn templates_of(
    ctx: &Context,
    org: OrgId,
    steps: &[StepFields],
) -> Result<HashMap<String, StoredTemplate>, Problem> {
    let mut found = HashMap::new();
    for step in steps.iter().take(carillon_domain::sequence::MAX_STEPS) {
        let Some(name) = step.template().filter(|name| !found.contains_key(*name)) else {
            continue;
        };
        // A step follows its template: it names no version.
        if name.contains('@') {
            continue;
        }
        if let Some(template) = templates::find(ctx, org, name).await? {
            found.insert(name.to_owned(), template);
        }
    }
    Ok(found)
}
