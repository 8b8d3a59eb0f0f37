//! `/v1/tags`: kinds of workshops, each with a sequence for a channel or several.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::{Channel, OrgId, SequenceId, Tag, TagId};
use carillon_runtime::{Context, random};
use carillon_store::{Deleted, Kept, Stored};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answers::{Created, Json, NoContent};
use crate::audit::note;
use crate::auth::Caller;
use crate::etag::{self, Tagged};
use crate::extract::{self, Id, Params, present};
use crate::idempotency;
use crate::lists::{self, Page, PageQuery};
use crate::names::{LONGEST_NAME, read_name};
use crate::problem::{FieldError, Problem};
use crate::sequences::{LONGEST_DESCRIPTION, read_description};
use crate::view::sequence::Tag as Shown;

/// A tag to store.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewTag", extend("required" = ["name"]), example = example())]
pub struct New(Body);

/// What is to change of a tag; `null` clears. `sequences` replaces them all.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "TagPatch", example = patch_example())]
pub struct Patch(Body);

/// The fields of a tag.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TagFields")]
pub struct Body {
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    name: Option<String>,
    /// Such as #1e6b52.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", regex(pattern = "^#[0-9a-fA-F]{6}$"))]
    color: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST_DESCRIPTION))]
    description: Option<Option<String>>,
    /// The sequence of each channel, by its id.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<BTreeMap<Channel, SequenceId>>")]
    sequences: Option<Option<BTreeMap<String, String>>>,
}

fn example() -> Value {
    json!({"name": "CryptoCloud", "color": "#1e6b52", "description": "Friday evenings"})
}

fn patch_example() -> Value {
    json!({"color": "#884400"})
}

/// `POST /v1/tags`: stores a tag.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json { value: New(value), raw }: extract::Json<New>,
) -> Result<Created<Shown>, Problem> {
    let once = idempotency::key(&headers, None)?;
    // The repeat of a request that was cut off finds what that one had made.
    let id = match &once {
        Some(once) => TagId::from_hash(&[caller.org.as_bytes(), once.as_bytes(), &raw]),
        None => TagId::from_bytes(random::bytes()),
    };
    let empty =
        Tag { id, name: String::new(), color: None, description: None, sequences: BTreeMap::new() };
    let mut new = Kept::new(empty, caller.id.as_str(), ctx.clock.now());
    value.apply(&ctx, caller.org, &mut new.what, true).await?;
    match ctx.store.put_tag(caller.org, None, &new).await? {
        Stored::Done => Ok(Created(Shown::of(&new))),
        Stored::Changed => {
            let own = ctx.store.tag(caller.org, id).await?;
            own.map(|own| Created(Shown::of(&own))).ok_or_else(|| changed(&headers))
        }
        Stored::NameTaken => Err(name_taken(&new.what)),
        Stored::Gone(sequence) => Err(gone(&new.what, sequence)),
    }
}

/// `GET /v1/tags`: all of them.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<PageQuery>,
) -> Result<Json<Page<Shown>>, Problem> {
    let (limit, after) = lists::by_id::<TagId>(&params)?;
    let found = ctx.store.tags(caller.org, after, lists::wanted(limit)).await?;
    let next = (found.len() == limit).then(|| found.last().map(|tag| tag.what.id)).flatten();
    Ok(Json(Page::by_id(&params, found.iter().map(Shown::of).collect(), next)))
}

/// `GET /v1/tags/{id}`: a tag.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TagId>,
) -> Result<Tagged<Shown>, Problem> {
    let tag = found(&ctx, caller.org, id).await?;
    Ok(Tagged(version(&tag), Shown::of(&tag)))
}

/// `PATCH /v1/tags/{id}`: changes it for what is planned from now on.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TagId>,
    headers: HeaderMap,
    extract::Json { value: Patch(value), .. }: extract::Json<Patch>,
) -> Result<Tagged<Shown>, Problem> {
    let seen = found(&ctx, caller.org, id).await?;
    version(&seen).check(&headers)?;
    note::before(&Shown::of(&seen));
    let mut after = seen.changed(seen.what.clone(), ctx.clock.now());
    value.apply(&ctx, caller.org, &mut after.what, false).await?;
    match ctx.store.put_tag(caller.org, Some(&seen), &after).await? {
        Stored::Done => Ok(Tagged(version(&after), Shown::of(&after))),
        Stored::Changed => Err(changed(&headers)),
        Stored::NameTaken => Err(name_taken(&after.what)),
        Stored::Gone(sequence) => Err(gone(&after.what, sequence)),
    }
}

/// `DELETE /v1/tags/{id}`: deletes a tag that no workshop has.
pub async fn delete(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TagId>,
    headers: HeaderMap,
) -> Result<NoContent, Problem> {
    let seen = found(&ctx, caller.org, id).await?;
    version(&seen).check(&headers)?;
    note::before(&Shown::of(&seen));
    match ctx.store.delete_tag(caller.org, &seen).await? {
        Deleted::Done => Ok(NoContent),
        Deleted::Changed => Err(changed(&headers)),
        Deleted::InUse(users) => {
            let many = users.counted + users.named.len() as u64;
            let detail = format!(
                "{many} workshop{} it (GET /v1/workshops?tag_id={id}); give them another tag, or \
                 delete them first.",
                if many == 1 { " has" } else { "s have" }
            );
            Err(Problem::conflict("tag_in_use", detail))
        }
    }
}

async fn found(ctx: &Context, org: OrgId, id: TagId) -> Result<Kept<Tag>, Problem> {
    ctx.store.tag(org, id).await?.ok_or_else(|| Problem::not_found("tag"))
}

fn version(kept: &Kept<Tag>) -> etag::Tag {
    etag::Tag::of(&(kept.what.id, kept.version))
}

fn changed(headers: &HeaderMap) -> Problem {
    if etag::is_conditional(headers) {
        return etag::changed();
    }
    Problem::conflict("tag_changed", "Someone else changed this tag just now; read it again.")
}

fn name_taken(tag: &Tag) -> Problem {
    let detail = format!("There is a tag “{}” already; choose another name.", tag.name);
    Problem::conflict("tag_name_taken", detail)
}

/// Deleted between the check and the write.
fn gone(tag: &Tag, sequence: SequenceId) -> Problem {
    let channel = tag.sequences.iter().find(|(_, id)| **id == sequence);
    let channel = channel.map(|(channel, _)| channel.as_str()).unwrap_or_default();
    let detail = format!("There is no sequence {sequence} any more; use another.");
    Problem::field(&format!("sequences.{channel}"), "unknown_sequence", detail)
}

impl Body {
    async fn apply(
        self,
        ctx: &Context,
        org: OrgId,
        tag: &mut Tag,
        is_new: bool,
    ) -> Result<(), Problem> {
        let mut wrong = Vec::new();
        match self.name {
            Some(name) => {
                if let Some(name) = read_name("name", &name, &mut wrong) {
                    tag.name = name;
                }
            }
            None if is_new => {
                wrong.push(FieldError::new("name", "missing_field", "Give the tag a name."));
            }
            None => {}
        }
        if let Some(color) = self.color {
            tag.color = color.and_then(|color| read_color(&color, &mut wrong));
        }
        if let Some(description) = self.description {
            tag.description = read_description(description, &mut wrong);
        }
        if let Some(sequences) = self.sequences {
            tag.sequences =
                read_sequences(ctx, org, sequences.unwrap_or_default(), &mut wrong).await?;
        }
        if wrong.is_empty() { Ok(()) } else { Err(Problem::fields(wrong)) }
    }
}

fn read_color(text: &str, wrong: &mut Vec<FieldError>) -> Option<String> {
    let is_color = text
        .strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if !is_color {
        let detail = "Write a colour as #1e6b52.";
        wrong.push(FieldError::new("color", "invalid_color", detail));
        return None;
    }
    Some(text.to_ascii_lowercase())
}

/// Each sequence exists, and is one of its channel.
async fn read_sequences(
    ctx: &Context,
    org: OrgId,
    texts: BTreeMap<String, String>,
    wrong: &mut Vec<FieldError>,
) -> Result<BTreeMap<Channel, SequenceId>, Problem> {
    let mut sequences = BTreeMap::new();
    for (name, id) in texts {
        let field = format!("sequences.{}", name.chars().take(40).collect::<String>());
        let Some(channel) = Channel::parse(&name) else {
            let known = Channel::ALL.map(Channel::as_str).join(", ");
            let detail = format!("There is no such channel; use one of {known}.");
            wrong.push(FieldError::new(field, "unknown_channel", detail));
            continue;
        };
        let found = match id.parse::<SequenceId>() {
            Ok(id) => ctx.store.sequence(org, id).await?,
            Err(_) => None,
        };
        match found {
            None => {
                let detail = "There is no such sequence in this organization; check the id.";
                wrong.push(FieldError::new(field, "unknown_sequence", detail));
            }
            Some(sequence) if sequence.what.channel != channel => {
                let detail = format!(
                    "The sequence “{}” is for the channel {}.",
                    sequence.what.name,
                    sequence.what.channel.as_str()
                );
                wrong.push(FieldError::new(field, "wrong_channel", detail));
            }
            Some(sequence) => {
                sequences.insert(channel, sequence.what.id);
            }
        }
    }
    Ok(sequences)
}
