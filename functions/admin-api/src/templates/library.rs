//! `GET /v1/templates/library`: ready texts to begin with.

use carillon_domain::Channel;
use carillon_domain::library::{LIBRARY, Ready};
use schemars::JsonSchema;
use serde::Serialize;

use crate::answers::Json;
use crate::extract::Params;
use crate::lists::{Page, PageQuery};
use crate::view::template::{TemplateKind, TemplateVariable};

/// A ready text: its fields, but the description, make a template.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LibraryTemplate {
    key: &'static str,
    name: &'static str,
    /// What it is for.
    description: &'static str,
    channel: Channel,
    kind: TemplateKind,
    language: &'static str,
    body: &'static str,
    variables: Vec<TemplateVariable>,
}

impl LibraryTemplate {
    fn of(ready: &Ready) -> Self {
        Self {
            key: ready.key,
            name: ready.name,
            description: ready.description,
            channel: Channel::Sms,
            kind: TemplateKind::Text,
            language: ready.language,
            body: ready.body,
            variables: ready.variables().iter().map(TemplateVariable::from).collect(),
        }
    }
}

/// `GET /v1/templates/library`: ready texts, to make templates of. They are one page.
pub async fn list(params: Params<PageQuery>) -> Json<Page<LibraryTemplate>> {
    let all = LIBRARY.iter().map(LibraryTemplate::of).collect();
    Json(Page::of(&params, all, None))
}
