//! A text with variables.

use carillon_domain::{Channel, TemplateId};
use carillon_store::StoredTemplate;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A template, at its newest version.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Template {
    pub id: TemplateId,
    pub key: String,
    pub name: String,
    pub channel: Channel,
    pub kind: TemplateKind,
    pub body: String,
    /// As registered with the DLT.
    pub dlt_template_id: Option<String>,
    /// The provider's own id of it; the DLT's is used where it is null.
    pub provider_template_id: Option<String>,
    pub entity_id: Option<String>,
    pub route: Option<String>,
    pub sender_id: Option<String>,
    pub strategy: Option<String>,
    pub campaign_name: Option<String>,
    pub variables: Vec<TemplateVariable>,
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
}

/// A variable, as people and forms see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateVariable {
    pub key: String,
    #[serde(default)]
    pub label: Option<String>,
    #[serde(default = "yes")]
    pub required: bool,
    #[serde(default)]
    pub default: Option<String>,
}

const fn yes() -> bool {
    true
}

impl TemplateVariable {
    #[must_use]
    pub const fn required(key: String) -> Self {
        Self { key, label: None, required: true, default: None }
    }

    /// What is stored may be older than this form of it.
    fn stored(value: &Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            key: text("key").unwrap_or_default(),
            label: text("label"),
            required: value.get("required").and_then(Value::as_bool).unwrap_or(true),
            default: text("default"),
        }
    }
}

impl Template {
    #[must_use]
    pub fn of(t: &StoredTemplate) -> Self {
        let text = |name: &str| t.details.get(name).and_then(Value::as_str).map(str::to_owned);
        let variables = t.details.get("variables").and_then(Value::as_array);
        Self {
            id: t.id,
            key: t.key.clone(),
            name: text("name").unwrap_or_else(|| t.key.clone()),
            channel: t.channel,
            kind: match text("kind").as_deref() {
                Some("dlt") => TemplateKind::Dlt,
                _ => TemplateKind::Text,
            },
            body: t.body.clone(),
            dlt_template_id: text("dlt_template_id"),
            provider_template_id: text("provider_template_id"),
            entity_id: text("entity_id"),
            route: text("route"),
            sender_id: text("sender_id"),
            strategy: text("strategy"),
            campaign_name: text("campaign_name"),
            variables: variables.into_iter().flatten().map(TemplateVariable::stored).collect(),
            version: t.version,
            is_active: t.is_active,
            created_by: t.created_by.clone(),
            created_at: t.created_at,
            updated_at: t.updated_at,
        }
    }
}
