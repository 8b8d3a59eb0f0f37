//! A template's content as its row has it: the body, and details by name. Rows
//! of older releases lack some of these, rows of the next one may have more.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Answer, Campaign, Category, KeyPress, Kind, Registered, Registration, Script, TemplateContent,
    Text, Translations, Variable, Voice,
};

impl TemplateContent {
    /// A kind that this release does not know is shown as a text.
    #[must_use]
    pub fn of_row(body: &str, details: &Map<String, Value>) -> Self {
        let variables = details.get("variables").and_then(Value::as_array);
        let variables = variables.into_iter().flatten().map(Variable::of_row).collect();
        let text = |name: &str| text(details, name);
        let kind = match text("kind").as_deref() {
            Some("dlt") => Kind::Dlt(Registered {
                body: body.to_owned(),
                registration: registration(details),
                category: text("category").as_deref().and_then(Category::parse),
            }),
            Some("whatsapp_campaign") => Kind::WhatsappCampaign(Campaign {
                name: text("campaign_name").unwrap_or_default(),
                body: Some(body.to_owned()).filter(|body| !body.is_empty()),
            }),
            Some("voice") => Kind::Voice(Voice {
                script: match text("audio_url") {
                    Some(url) => Script::Audio(url),
                    None => Script::Text(body.to_owned()),
                },
                translations: translations(details),
                keys: keys(details),
            }),
            _ => Kind::Text(Text {
                body: body.to_owned(),
                translations: translations(details),
                registration: registration(details),
            }),
        };
        Self { kind, variables }
    }

    /// Body and details.
    #[must_use]
    pub fn row(&self) -> (&str, Map<String, Value>) {
        let mut details = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                details.insert(name.to_owned(), value);
            }
        };
        put("kind", Some(self.kind.as_str().into()));
        if !self.variables.is_empty() {
            put("variables", Some(self.variables.iter().map(Variable::row).collect()));
        }
        if let Some(r) = self.registration() {
            for (name, text) in [
                ("dlt_template_id", &r.dlt_template_id),
                ("provider_template_id", &r.provider_template_id),
                ("entity_id", &r.entity_id),
                ("sender_id", &r.sender_id),
                ("route", &r.route),
            ] {
                put(name, text.clone().map(Value::from));
            }
        }
        if let Some(t) = self.translations() {
            put("language", t.language.clone().map(Value::from));
            put("translations", (!t.others.is_empty()).then(|| json!(t.others)));
        }
        match &self.kind {
            Kind::Text(_) => {}
            Kind::Dlt(text) => put("category", text.category.map(|c| c.as_str().into())),
            Kind::WhatsappCampaign(c) => put("campaign_name", Some(c.name.as_str().into())),
            Kind::Voice(voice) => {
                put("audio_url", voice.script.audio().map(Value::from));
                let keys = voice.keys.iter().map(|(key, press)| {
                    let KeyPress { answer, label, say } = press;
                    let press = json!({"answer": answer.as_str(), "label": label, "say": say});
                    (key.to_string(), press)
                });
                put("keys", (!voice.keys.is_empty()).then(|| Value::Object(keys.collect())));
            }
        }
        (self.body(), details)
    }
}

impl Kind {
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Dlt(_) => "dlt",
            Self::WhatsappCampaign(_) => "whatsapp_campaign",
            Self::Voice(_) => "voice",
        }
    }
}

fn text(details: &Map<String, Value>, name: &str) -> Option<String> {
    details.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn registration(details: &Map<String, Value>) -> Registration {
    Registration {
        dlt_template_id: text(details, "dlt_template_id"),
        provider_template_id: text(details, "provider_template_id"),
        entity_id: text(details, "entity_id"),
        sender_id: text(details, "sender_id"),
        route: text(details, "route"),
    }
}

fn translations(details: &Map<String, Value>) -> Translations {
    let others = details.get("translations").and_then(Value::as_object);
    let others = others
        .into_iter()
        .flatten()
        .filter_map(|(language, text)| Some((language.clone(), text.as_str()?.to_owned())));
    Translations { language: text(details, "language"), others: others.collect() }
}

fn keys(details: &Map<String, Value>) -> BTreeMap<char, KeyPress> {
    let keys = details.get("keys").and_then(Value::as_object);
    let keys = keys.into_iter().flatten().filter_map(|(key, press)| {
        let press = press.as_object()?;
        let answer = Answer::parse(&text(press, "answer")?)?;
        let press = KeyPress { answer, label: text(press, "label"), say: text(press, "say") };
        Some((key.chars().next()?, press))
    });
    keys.collect()
}
