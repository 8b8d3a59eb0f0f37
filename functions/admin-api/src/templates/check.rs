//! What can be wrong with a template's content: names that there are not, and
//! what an operator would refuse when the text is sent. All of it is said when
//! the template is stored.

use std::collections::BTreeSet;

use carillon_domain::content::{Campaign, Kind, MAX_VARIABLES, Script, TemplateContent};
use carillon_domain::personal::{self, NAMESPACES};
use carillon_domain::template::Template;
use carillon_domain::{Purpose, dlt};

use crate::problem::FieldError;
use crate::view::template::TemplateVariable;

const LONGEST_LABEL: usize = 100;
const LONGEST_DEFAULT: usize = 500;

/// Variables that forms can ask for.
pub fn variables(variables: &[TemplateVariable], wrong: &mut Vec<FieldError>) {
    if variables.len() > MAX_VARIABLES {
        let detail = format!("At most {MAX_VARIABLES} variables.");
        return wrong.push(FieldError::new("variables", "invalid_value", detail));
    }
    let mut seen = BTreeSet::new();
    for (n, v) in variables.iter().enumerate() {
        let field = |part: &str| format!("variables[{n}].{part}");
        if !is_name(&v.key) {
            let detail = "A variable has a name of letters, digits and underscores, such as var1.";
            wrong.push(FieldError::new(field("key"), "invalid_variable", detail));
        } else if NAMESPACES.iter().any(|(namespace, _)| *namespace == v.key) {
            let detail = format!(
                "“{}” is filled in by itself, as in {{{{ {0}.name }}}}; call the variable \
                 something else.",
                v.key
            );
            wrong.push(FieldError::new(field("key"), "reserved_variable", detail));
        } else if !seen.insert(&v.key) {
            let detail = format!("There is a variable “{}” already.", v.key);
            wrong.push(FieldError::new(field("key"), "duplicate_variable", detail));
        }
        let texts = [("label", &v.label, LONGEST_LABEL), ("default", &v.default, LONGEST_DEFAULT)];
        for (part, text, most) in texts {
            if text.as_ref().is_some_and(|text| text.chars().count() > most) {
                let detail = format!("A text of at most {most} characters.");
                wrong.push(FieldError::new(field(part), "invalid_value", detail));
            }
        }
    }
}

fn is_name(key: &str) -> bool {
    key.len() <= 64
        && key.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The content as a whole. `before`: what it is a new version of.
pub fn content(
    content: &TemplateContent,
    before: Option<&TemplateContent>,
    is_active: bool,
    wrong: &mut Vec<FieldError>,
) {
    match &content.kind {
        Kind::Text(text) if text.body.trim().is_empty() => empty(wrong),
        Kind::Voice(voice) => match &voice.script {
            Script::Text(text) if text.trim().is_empty() => {
                let detail = "A call needs a “body” to read out, or an “audio_url” to play.";
                wrong.push(FieldError::new("body", "missing_field", detail));
            }
            Script::Audio(_) if !voice.translations.others.is_empty() => {
                let detail = "A recording has no translations; leave them out.";
                wrong.push(FieldError::new("translations", "field_of_other_kind", detail));
            }
            Script::Text(_) | Script::Audio(_) => {}
        },
        Kind::Dlt(text) if text.body.trim().is_empty() => empty(wrong),
        Kind::WhatsappCampaign(campaign) if campaign.name.is_empty() => {
            let detail = "Name the campaign as it is called with the provider.";
            wrong.push(FieldError::new("campaign_name", "missing_field", detail));
        }
        Kind::Text(_) | Kind::Dlt(_) | Kind::WhatsappCampaign(_) => {}
    }
    registered(content, before, is_active, wrong);
    match content.source(None) {
        Err(error) => wrong.push(FieldError::new("body", error.code(), error.to_string())),
        Ok((_, source)) => text("body", &source, wrong),
    }
    if let Kind::WhatsappCampaign(Campaign { body: Some(body), .. }) = &content.kind {
        parameters(content, body, wrong);
    }
    for (language, body) in content.translations().map(|t| &t.others).into_iter().flatten() {
        let field = format!("translations.{language}");
        if body.trim().is_empty() {
            let detail = "The text is empty; write something.";
            wrong.push(FieldError::new(field, "empty_body", detail));
        } else {
            text(&field, body, wrong);
        }
    }
}

fn empty(wrong: &mut Vec<FieldError>) {
    if wrong.iter().any(|error| error.field == "body") {
        return;
    }
    wrong.push(FieldError::new("body", "empty_body", "The text is empty; write something."));
}

/// A text that mentions nothing that there is not.
fn text(field: &str, source: &str, wrong: &mut Vec<FieldError>) {
    match Template::parse(source) {
        Err(error) => wrong.push(FieldError::new(field, error.code(), error.to_string())),
        Ok(template) => {
            if let Err(error) = personal::check(&template) {
                wrong.push(FieldError::new(field, error.code(), error.to_string()));
            }
        }
    }
}

/// What a campaign's text shows is a parameter: nothing else reaches the person.
fn parameters(content: &TemplateContent, body: &str, wrong: &mut Vec<FieldError>) {
    let Ok(template) = Template::parse(body) else { return };
    let unknown = template
        .variables()
        .into_iter()
        .find(|name| !content.variables.iter().any(|v| v.key == *name));
    if let Some(name) = unknown {
        let detail =
            format!("“{name}” is no parameter of the campaign; list it in “variables”, in order.");
        wrong.push(FieldError::new("body", "unknown_variable", detail));
    }
}

/// What the DLT's operators would refuse when it is sent.
fn registered(
    content: &TemplateContent,
    before: Option<&TemplateContent>,
    is_active: bool,
    wrong: &mut Vec<FieldError>,
) {
    let Some(registration) = content.registration() else { return };
    let mut refuse = |field: &str, code: &str, detail: &str| {
        wrong.push(FieldError::new(field, code, detail));
    };
    for (field, id) in
        [("dlt_template_id", &registration.dlt_template_id), ("entity_id", &registration.entity_id)]
    {
        if id.as_ref().is_some_and(|id| !dlt::is_id(id)) {
            refuse(field, "invalid_dlt_id", "An id of the DLT has 19 digits; copy it from there.");
        }
    }
    let Kind::Dlt(text) = &content.kind else { return };
    let is_promotional = content.purpose() == Some(Purpose::Promotional);
    if registration.sender_id.as_ref().is_some_and(|id| !dlt::is_header(id, is_promotional)) {
        let detail = "A header has exactly six letters (six digits for promotion); write it as it \
                      is registered.";
        refuse("sender_id", "invalid_header", detail);
    }
    if is_active && registration.id().is_none() {
        let detail = "Operators refuse a text without its registration; give “dlt_template_id”, \
                      or the provider's id of it, or switch the template off (“is_active”).";
        refuse("dlt_template_id", "missing_dlt_template_id", detail);
    }
    if let Some(TemplateContent { kind: Kind::Dlt(old), .. }) = before
        && old.registration.dlt_template_id == registration.dlt_template_id
        && old.registration.provider_template_id == registration.provider_template_id
        && !dlt::is_same_text(&old.body, &text.body)
        && old.registration.id().is_some()
    {
        let detail = "This text was registered as it was, to the letter. Register the new one, \
                      and give its “dlt_template_id” with it.";
        refuse("body", "registered_text_changed", detail);
    }
    let slots = match dlt::slots(&text.body) {
        Ok(slots) => slots,
        // An unclosed or mixed text is told with its source.
        Err(error @ dlt::DltError::UnknownSlot(_)) => {
            return refuse("body", error.code(), &error.to_string());
        }
        Err(dlt::DltError::Unclosed | dlt::DltError::Mixed | dlt::DltError::Count { .. }) => return,
    };
    if slots.len() > MAX_VARIABLES {
        return refuse("body", "too_many_slots", "A text has at most 50 slots.");
    }
    for (n, (slot, variable)) in slots.iter().zip(&content.variables).enumerate() {
        if let Some(Err(error)) = variable.fallback().map(|value| slot.check(value)) {
            let part = if variable.default.is_some() { "default" } else { "required" };
            let detail = format!("In the slot of “{}”: {error}", variable.key);
            refuse(&format!("variables[{n}].{part}"), error.code(), &detail);
        }
    }
}
