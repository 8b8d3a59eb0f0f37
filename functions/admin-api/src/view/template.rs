//! A text with variables.

use std::collections::BTreeMap;

use carillon_domain::content::{Answer, Category, Kind, TemplateContent, Variable, Voice};
use carillon_domain::{Channel, Purpose, TemplateId, dlt};
use carillon_store::StoredTemplate;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A template, at its newest version.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Template {
    pub id: TemplateId,
    pub key: String,
    pub name: String,
    pub channel: Channel,
    pub kind: TemplateKind,
    /// The text; of a call what is read out. Empty where there is none.
    pub body: String,
    /// Of a text or call: the language it is in, such as `en` or `hi-IN`.
    pub language: Option<String>,
    /// The text in other languages, by language. Each person has it in his own,
    /// or in the nearest there is.
    pub translations: BTreeMap<String, String>,
    /// As registered with the DLT.
    pub dlt_template_id: Option<String>,
    /// The provider's own id of it; the DLT's is used where it is null.
    pub provider_template_id: Option<String>,
    pub entity_id: Option<String>,
    pub route: Option<String>,
    /// The header of a registered text.
    pub sender_id: Option<String>,
    /// What a registered text was registered for.
    #[schemars(with = "Option<TemplateCategory>")]
    pub category: Option<&'static str>,
    pub strategy: Option<String>,
    /// Of a WhatsApp campaign: its name with the provider.
    pub campaign_name: Option<String>,
    /// Of a call: what is played instead of a text.
    pub audio_url: Option<String>,
    /// Of a call: what the keys of the phone mean.
    pub keys: BTreeMap<String, KeyPress>,
    /// Of a registered text in the order of its slots, of a campaign in the order
    /// of its parameters.
    pub variables: Vec<TemplateVariable>,
    /// What may go wrong with it.
    pub warnings: Vec<Warning>,
    pub version: u32,
    pub is_active: bool,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateKind {
    /// Free text.
    Text,
    /// A registered text with slots, `{#var#}`.
    Dlt,
    /// A campaign that a WhatsApp provider has by name.
    WhatsappCampaign,
    /// A call.
    Voice,
}

impl TemplateKind {
    pub const ALL: [Self; 4] = [Self::Text, Self::Dlt, Self::WhatsappCampaign, Self::Voice];

    pub const fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Text(_) => Self::Text,
            Kind::Dlt(_) => Self::Dlt,
            Kind::WhatsappCampaign(_) => Self::WhatsappCampaign,
            Kind::Voice(_) => Self::Voice,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Dlt => "dlt",
            Self::WhatsappCampaign => "whatsapp_campaign",
            Self::Voice => "voice",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a text was registered for. `service_explicit` and `promotional` go by the
/// rules of promotion: from 10:00 to 21:00, to people who agreed to it.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "words of the document")]
pub enum TemplateCategory {
    Transactional,
    ServiceImplicit,
    ServiceExplicit,
    Promotional,
}

/// A variable, as people and forms see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateVariable {
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]{0,63}$"))]
    pub key: String,
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub label: Option<String>,
    /// Without it nobody gets the text; else it is left empty.
    #[serde(default = "yes")]
    pub required: bool,
    /// Where no value is given.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub default: Option<String>,
}

const fn yes() -> bool {
    true
}

impl From<&Variable> for TemplateVariable {
    fn from(v: &Variable) -> Self {
        Self {
            key: v.key.clone(),
            label: v.label.clone(),
            required: v.required,
            default: v.default.clone(),
        }
    }
}

impl From<TemplateVariable> for Variable {
    fn from(v: TemplateVariable) -> Self {
        Self { key: v.key, label: v.label, required: v.required, default: v.default }
    }
}

/// What follows when a key of the phone is pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyPress {
    #[schemars(with = "KeyAnswer")]
    pub answer: String,
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub label: Option<String>,
    /// Said before the call goes on or ends.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub say: Option<String>,
}

/// What a key means.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "words of the document")]
pub enum KeyAnswer {
    Confirm,
    Reschedule,
    Repeat,
    OptOut,
    /// Kept, and nothing else.
    Record,
}

/// Something to know before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Warning {
    pub code: String,
    pub detail: String,
}

impl Template {
    #[must_use]
    pub fn of(t: &StoredTemplate) -> Self {
        let content = &t.content;
        let registration = content.registration().cloned().unwrap_or_default();
        let translations = content.translations().cloned().unwrap_or_default();
        let voice = match &content.kind {
            Kind::Voice(voice) => Some(voice),
            Kind::Text(_) | Kind::Dlt(_) | Kind::WhatsappCampaign(_) => None,
        };
        Self {
            id: t.id,
            key: t.key.clone(),
            name: t.name.clone().unwrap_or_else(|| t.key.clone()),
            channel: t.channel,
            kind: TemplateKind::of(&content.kind),
            body: content.body().to_owned(),
            language: translations.language,
            translations: translations.others,
            dlt_template_id: registration.dlt_template_id,
            provider_template_id: registration.provider_template_id,
            entity_id: registration.entity_id,
            route: registration.route,
            sender_id: registration.sender_id,
            category: match &content.kind {
                Kind::Dlt(text) => text.category.map(Category::as_str),
                Kind::Text(_) | Kind::WhatsappCampaign(_) | Kind::Voice(_) => None,
            },
            strategy: t.strategy.clone(),
            campaign_name: match &content.kind {
                Kind::WhatsappCampaign(campaign) => Some(campaign.name.clone()),
                Kind::Text(_) | Kind::Dlt(_) | Kind::Voice(_) => None,
            },
            audio_url: voice.and_then(|v| v.script.audio()).map(str::to_owned),
            keys: voice.map(keys).unwrap_or_default(),
            variables: content.variables.iter().map(TemplateVariable::from).collect(),
            warnings: warnings(content),
            version: t.version,
            is_active: t.is_active,
            created_by: t.created_by.clone(),
            created_at: t.created_at,
            updated_at: t.updated_at,
        }
    }
}

fn keys(voice: &Voice) -> BTreeMap<String, KeyPress> {
    let shown = |(key, press): (&char, &carillon_domain::content::KeyPress)| {
        let answer = Answer::as_str(press.answer).to_owned();
        let press = KeyPress { answer, label: press.label.clone(), say: press.say.clone() };
        (key.to_string(), press)
    };
    voice.keys.iter().map(shown).collect()
}

fn warnings(content: &TemplateContent) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |code: &str, detail: &str| {
        found.push(Warning { code: code.to_owned(), detail: detail.to_owned() });
    };
    if content.purpose() == Some(Purpose::Promotional) {
        warn(
            "promotional_hours",
            "It is sent as promotional: in India from 10:00 to 21:00; what is due at another hour \
             waits.",
        );
    }
    if let Kind::Dlt(text) = &content.kind
        && dlt::has_slots_side_by_side(&text.body)
    {
        warn(
            "slots_side_by_side",
            "Two slots have no text between them; operators refuse what has little fixed text.",
        );
    }
    found
}
