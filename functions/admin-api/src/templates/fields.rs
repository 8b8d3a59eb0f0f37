//! The fields of a template as people write them, and the content they make. A
//! PATCH is laid over the fields as they are shown, and all of them are read
//! again: there is one way to a template, whatever it was before.

use std::collections::BTreeMap;

use carillon_domain::contact::fields as contact_fields;
use carillon_domain::content::{
    self, Answer, Campaign, Category, KEYS, KeyPress as Press, Kind, MAX_SAID, MAX_TRANSLATIONS,
    MAX_VARIABLES, Registered, Registration, Script, TemplateContent, Text, Translations, Variable,
    Voice,
};
use carillon_domain::{Channel, OutsideUrl};
use carillon_store::StoredTemplate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::check;
use crate::extract::present;
use crate::problem::{FieldError, Problem};
use crate::view::template::{
    KeyPress, Template as Shown, TemplateCategory, TemplateKind, TemplateVariable,
};

/// Longest text of the provider's fields, in characters.
const LONGEST: usize = 200;
const LONGEST_URL: usize = 2_000;

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
    /// The first that its kind can go by, where it is absent; it stays.
    #[schemars(with = "Option<Channel>")]
    channel: Option<String>,
    #[schemars(with = "Option<TemplateKind>")]
    kind: Option<String>,
    /// The text; `{{ name }}` is a variable, of a registered text `{#var#}`. Of a
    /// call, what is read out; of a WhatsApp campaign what the person reads, for
    /// previews.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    body: Option<Option<String>>,
    /// The language of `body`, such as `en` or `hi-IN`.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    language: Option<Option<String>>,
    /// The text in other languages, by language.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<BTreeMap<String, String>>", length(max = MAX_TRANSLATIONS))]
    translations: Option<Option<BTreeMap<String, String>>>,
    /// 19 digits.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    dlt_template_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    provider_template_id: Option<Option<String>>,
    /// 19 digits.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    entity_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    route: Option<Option<String>>,
    /// The header of a registered text: six letters.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    sender_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<TemplateCategory>")]
    category: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    strategy: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST))]
    campaign_name: Option<Option<String>>,
    /// Played in a call, instead of a text: `https://…`.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST_URL))]
    audio_url: Option<Option<String>>,
    /// What the keys of the phone mean, by key.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<BTreeMap<String, KeyPress>>")]
    keys: Option<Option<BTreeMap<String, KeyPress>>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Vec<TemplateVariable>>", length(max = MAX_VARIABLES))]
    variables: Option<Option<Vec<TemplateVariable>>>,
    is_active: Option<bool>,
}

/// What a template is to be: the fields as they were, with the request's over them.
struct Fields {
    kind: TemplateKind,
    body: String,
    language: Option<String>,
    translations: BTreeMap<String, String>,
    registration: Registration,
    category: Option<String>,
    campaign_name: Option<String>,
    audio_url: Option<String>,
    keys: BTreeMap<String, KeyPress>,
    /// `None`: nobody named them yet.
    variables: Option<Vec<TemplateVariable>>,
}

impl Body {
    /// What the request makes of the template. Nothing is made of a wrong one.
    ///
    /// # Errors
    /// 422 with every field that is wrong.
    pub fn apply(self, t: &mut StoredTemplate, is_new: bool) -> Result<(), Problem> {
        let mut wrong = Vec::new();
        read_key(self.key.as_deref(), t, is_new, &mut wrong);
        let before = (!is_new).then(|| t.content.clone());
        let shown = Shown::of(t);
        let kind = match self.kind.as_deref().map(TemplateKind::parse) {
            None => shown.kind,
            Some(Some(kind)) => kind,
            Some(None) => {
                let detail = "Use “text”, “dlt”, “whatsapp_campaign” or “voice”.";
                wrong.push(FieldError::new("kind", "unknown_kind", detail));
                shown.kind
            }
        };
        self.refuse_fields_of_other_kinds(kind, &mut wrong);
        if is_new && self.body.is_none() && matches!(kind, TemplateKind::Text | TemplateKind::Dlt) {
            wrong.push(FieldError::new("body", "missing_field", "A template needs a “body”."));
        }
        let channel = self.channel.as_deref();
        for (field, text, longest) in [
            ("name", self.name.as_ref(), LONGEST),
            ("strategy", self.strategy.as_ref(), LONGEST),
            ("dlt_template_id", self.dlt_template_id.as_ref(), LONGEST),
            ("provider_template_id", self.provider_template_id.as_ref(), LONGEST),
            ("entity_id", self.entity_id.as_ref(), LONGEST),
            ("route", self.route.as_ref(), LONGEST),
            ("sender_id", self.sender_id.as_ref(), LONGEST),
            ("campaign_name", self.campaign_name.as_ref(), LONGEST),
            ("audio_url", self.audio_url.as_ref(), LONGEST_URL),
        ] {
            let text = text.and_then(Option::as_deref).unwrap_or_default();
            if text.chars().count() > longest || text.chars().any(char::is_control) {
                let detail = format!("A text of at most {longest} characters on one line.");
                wrong.push(FieldError::new(field, "invalid_value", detail));
            }
        }
        if let Some(name) = self.name {
            t.name = name;
        }
        if let Some(strategy) = self.strategy {
            t.strategy = strategy;
        }
        let stays = shown.kind == kind || is_new;
        let had_variables = !shown.variables.is_empty();
        let fields = Fields {
            kind,
            body: self.body.map_or(shown.body, Option::unwrap_or_default),
            language: self.language.unwrap_or(shown.language),
            translations: self.translations.map_or(shown.translations, Option::unwrap_or_default),
            registration: Registration {
                dlt_template_id: self.dlt_template_id.unwrap_or(shown.dlt_template_id),
                provider_template_id: self
                    .provider_template_id
                    .unwrap_or(shown.provider_template_id),
                entity_id: self.entity_id.unwrap_or(shown.entity_id),
                sender_id: self.sender_id.unwrap_or(shown.sender_id),
                route: self.route.unwrap_or(shown.route),
            },
            category: self.category.unwrap_or_else(|| shown.category.map(str::to_owned)),
            campaign_name: self.campaign_name.unwrap_or(shown.campaign_name),
            audio_url: self.audio_url.unwrap_or(shown.audio_url),
            keys: self.keys.map_or(shown.keys, Option::unwrap_or_default),
            variables: match self.variables {
                Some(variables) => variables,
                None => (stays && had_variables).then_some(shown.variables),
            },
        };
        let content = fields.read(&mut wrong);
        read_channel(channel, &content, t, is_new, &mut wrong);
        t.is_active = self.is_active.unwrap_or(t.is_active);
        check::content(&content, before.as_ref(), t.is_active, &mut wrong);
        t.content = content;
        if wrong.is_empty() { Ok(()) } else { Err(Problem::fields(wrong)) }
    }

    /// What a request names of another kind would be lost without a word.
    fn refuse_fields_of_other_kinds(&self, kind: TemplateKind, wrong: &mut Vec<FieldError>) {
        use TemplateKind::{Dlt, Text, Voice, WhatsappCampaign};
        let named = |text: &Option<Option<String>>| matches!(text, Some(Some(_)));
        let others = [
            ("dlt_template_id", named(&self.dlt_template_id), &[Text, Dlt][..]),
            ("provider_template_id", named(&self.provider_template_id), &[Text, Dlt]),
            ("entity_id", named(&self.entity_id), &[Text, Dlt]),
            ("sender_id", named(&self.sender_id), &[Text, Dlt]),
            ("route", named(&self.route), &[Text, Dlt]),
            ("category", named(&self.category), &[Dlt]),
            ("campaign_name", named(&self.campaign_name), &[WhatsappCampaign]),
            ("audio_url", named(&self.audio_url), &[Voice]),
            ("keys", matches!(&self.keys, Some(Some(_))), &[Voice]),
            ("language", named(&self.language), &[Text, Voice]),
            ("translations", matches!(&self.translations, Some(Some(_))), &[Text, Voice]),
        ];
        for (field, _, kinds) in
            others.iter().filter(|(_, is_named, kinds)| *is_named && !kinds.contains(&kind))
        {
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            let mut detail = format!(
                "“{field}” belongs to templates of kind {}; leave it out.",
                kinds.join(" or ")
            );
            if *field == "translations" {
                detail.push_str(" Make a template for each language that is registered by itself.");
            }
            wrong.push(FieldError::new(*field, "field_of_other_kind", detail));
        }
    }
}

fn read_key(key: Option<&str>, t: &mut StoredTemplate, is_new: bool, wrong: &mut Vec<FieldError>) {
    let is_key = |k: &str| {
        (1..=64).contains(&k.len())
            && k.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    match key {
        Some(key) if is_new && is_key(key) => key.clone_into(&mut t.key),
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
}

/// The channel is fixed: sequences rely on it.
fn read_channel(
    channel: Option<&str>,
    content: &TemplateContent,
    t: &mut StoredTemplate,
    is_new: bool,
    wrong: &mut Vec<FieldError>,
) {
    let able = content.channels();
    let names =
        |channels: &[Channel]| channels.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(", ");
    match channel.map(|text| (text, Channel::parse(text))) {
        None if is_new => t.channel = able.first().copied().unwrap_or(t.channel),
        None => {}
        Some((text, None)) => {
            let detail = format!(
                "There is no channel “{}”; use one of {}.",
                text.chars().take(40).collect::<String>(),
                names(&Channel::ALL)
            );
            return wrong.push(FieldError::new("channel", "unknown_channel", detail));
        }
        Some((_, Some(channel))) if !is_new && channel != t.channel => {
            let detail = "A template keeps its channel; make a new template for another one.";
            return wrong.push(FieldError::new("channel", "channel_is_fixed", detail));
        }
        Some((_, Some(channel))) => t.channel = channel,
    }
    if !able.contains(&t.channel) {
        let detail = format!(
            "A template of kind {} goes by {}; the channel is {}.",
            content.kind.as_str(),
            names(able),
            t.channel.as_str()
        );
        let field = if channel.is_some() { "channel" } else { "kind" };
        wrong.push(FieldError::new(field, "wrong_channel", detail));
    }
}

impl Fields {
    fn read(self, wrong: &mut Vec<FieldError>) -> TemplateContent {
        let variables = self.read_variables(wrong);
        let registration = self.registration;
        let kind = match self.kind {
            TemplateKind::Text => Kind::Text(Text {
                body: self.body,
                translations: read_translations(self.language, self.translations, wrong),
                registration,
            }),
            TemplateKind::Dlt => Kind::Dlt(Registered {
                body: self.body,
                registration,
                category: read_category(self.category.as_deref(), wrong),
            }),
            TemplateKind::WhatsappCampaign => Kind::WhatsappCampaign(Campaign {
                name: self.campaign_name.map(|name| name.trim().to_owned()).unwrap_or_default(),
                body: Some(self.body).filter(|body| !body.is_empty()),
            }),
            TemplateKind::Voice => Kind::Voice(Voice {
                script: read_script(self.body, self.audio_url, wrong),
                translations: read_translations(self.language, self.translations, wrong),
                keys: read_keys(self.keys, wrong),
            }),
        };
        TemplateContent { kind, variables }
    }

    /// Slots that nobody named are `var1`, `var2`, …
    fn read_variables(&self, wrong: &mut Vec<FieldError>) -> Vec<Variable> {
        let Some(variables) = &self.variables else {
            if self.kind != TemplateKind::Dlt {
                return Vec::new();
            }
            let slots = carillon_domain::dlt::slots(&self.body).map_or(0, |slots| slots.len());
            let slots = slots.min(MAX_VARIABLES + 1);
            return (1..=slots).map(|n| Variable::required(format!("var{n}"))).collect();
        };
        check::variables(variables, wrong);
        variables.iter().cloned().map(Variable::from).collect()
    }
}

fn read_category(text: Option<&str>, wrong: &mut Vec<FieldError>) -> Option<Category> {
    let found = Category::parse(text?);
    if found.is_none() {
        let known = Category::ALL.map(Category::as_str).join(", ");
        let detail = format!("A registered text is one of {known}.");
        wrong.push(FieldError::new("category", "invalid_value", detail));
    }
    found
}

fn read_translations(
    language: Option<String>,
    others: BTreeMap<String, String>,
    wrong: &mut Vec<FieldError>,
) -> Translations {
    let mut read = |field: &str, text: &str| match contact_fields::language(text) {
        Ok(language) => Some(language),
        Err(error) => {
            wrong.push(FieldError::new(field, error.code(), error.to_string()));
            None
        }
    };
    let language = language.and_then(|text| read("language", &text));
    let mut translations = Translations { language, others: BTreeMap::new() };
    let mut twice = Vec::new();
    for (text, body) in others {
        let field = format!("translations.{}", text.chars().take(40).collect::<String>());
        let Some(tag) = read(&field, &text) else { continue };
        if translations.language.as_ref() == Some(&tag)
            || translations.others.insert(tag, body).is_some()
        {
            twice.push(field);
        }
    }
    for field in twice {
        let detail = "There is a text in this language already; leave one of them out.";
        wrong.push(FieldError::new(field, "duplicate_language", detail));
    }
    if translations.others.len() > MAX_TRANSLATIONS {
        let detail = format!("At most {MAX_TRANSLATIONS} translations.");
        wrong.push(FieldError::new("translations", "too_many_translations", detail));
    }
    translations
}

fn read_script(body: String, audio: Option<String>, wrong: &mut Vec<FieldError>) -> Script {
    let Some(url) = audio else { return Script::Text(body) };
    if !body.trim().is_empty() {
        let detail = "A call is read out (“body”) or played (“audio_url”), not both.";
        wrong.push(FieldError::new("audio_url", "body_and_audio", detail));
    }
    if let Err(error) = OutsideUrl::parse(&url) {
        let detail = format!("The provider cannot fetch it there: {error}.");
        wrong.push(FieldError::new("audio_url", "invalid_media_url", detail));
    }
    Script::Audio(url)
}

fn read_keys(
    keys: BTreeMap<String, KeyPress>,
    wrong: &mut Vec<FieldError>,
) -> BTreeMap<char, Press> {
    let mut found = BTreeMap::new();
    for (name, press) in keys {
        let field = format!("keys.{}", name.chars().take(10).collect::<String>());
        let mut of_phone = name.chars().filter(|c| KEYS.contains(*c));
        let (Some(key), 1) = (of_phone.next(), name.chars().count()) else {
            let detail = "A phone has the keys 0 to 9, * and #.";
            wrong.push(FieldError::new(field, "unknown_key", detail));
            continue;
        };
        let Some(answer) = Answer::parse(&press.answer) else {
            let known = Answer::ALL.map(Answer::as_str).join(", ");
            let detail = format!("A key means one of {known}.");
            wrong.push(FieldError::new(format!("{field}.answer"), "invalid_value", detail));
            continue;
        };
        for (part, text, most) in [("label", &press.label, 100), ("say", &press.say, MAX_SAID)] {
            if text.as_ref().is_some_and(|text| text.chars().count() > most) {
                let detail = format!("A text of at most {most} characters.");
                wrong.push(FieldError::new(format!("{field}.{part}"), "invalid_value", detail));
            }
        }
        found.insert(key, content::KeyPress { answer, label: press.label, say: press.say });
    }
    found
}
