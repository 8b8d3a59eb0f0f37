//! What a template says, by its kind: a text, a text registered with India's
//! DLT, a campaign of a WhatsApp provider, a call.
//!
//! Stored as a body and named details, so that a release reads what another one
//! wrote ([`TemplateContent::of_row`]); read once, and a closed set from there on.
//! A message keeps the version it was written from, so nothing here changes what
//! was promised.

mod row;
#[cfg(test)]
mod tests;
mod variable;
mod voice;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use self::variable::{MAX_VARIABLES, Variable};
pub use self::voice::{Answer, KEYS, KeyPress, MAX_SAID, Script, Voice};
use crate::dlt::{self, DltError};
use crate::template::{Template, TemplateError};
use crate::{Channel, Purpose};

/// Translations of one text.
pub const MAX_TRANSLATIONS: usize = 20;

/// A template's content, without its name and history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateContent {
    pub kind: Kind,
    /// Of a registered text and of a campaign in the order of their slots.
    pub variables: Vec<Variable>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text(Text),
    Dlt(Registered),
    WhatsappCampaign(Campaign),
    Voice(Voice),
}

/// Free text with `{{ variable }}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    pub body: String,
    pub translations: Translations,
    /// What a provider knows it by, where it knows it.
    pub registration: Registration,
}

/// A text registered with the DLT, with slots.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registered {
    pub body: String,
    pub registration: Registration,
    pub category: Option<Category>,
}

/// What a text was registered as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registration {
    /// With the DLT, 19 digits.
    pub dlt_template_id: Option<String>,
    /// The provider's own id of it; the DLT's is used where there is none.
    pub provider_template_id: Option<String>,
    /// Of the organization with the DLT, 19 digits.
    pub entity_id: Option<String>,
    /// The header that it is sent under.
    pub sender_id: Option<String>,
    /// The provider's way to send it.
    pub route: Option<String>,
}

impl Registration {
    /// By which a provider finds it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        let own = self.provider_template_id.as_deref().filter(|id| !id.is_empty());
        own.or_else(|| self.dlt_template_id.as_deref().filter(|id| !id.is_empty()))
    }
}

/// What a text was registered for: decides when it may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    Transactional,
    ServiceImplicit,
    ServiceExplicit,
    Promotional,
}

impl Category {
    pub const ALL: [Self; 4] =
        [Self::Transactional, Self::ServiceImplicit, Self::ServiceExplicit, Self::Promotional];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transactional => "transactional",
            Self::ServiceImplicit => "service_implicit",
            Self::ServiceExplicit => "service_explicit",
            Self::Promotional => "promotional",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }

    /// By which rules a message of it is sent: from 10:00 to 21:00, to people who
    /// agreed to it, or at any time.
    #[must_use]
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Transactional | Self::ServiceImplicit => Purpose::Transactional,
            Self::ServiceExplicit | Self::Promotional => Purpose::Promotional,
        }
    }
}

/// A campaign that a WhatsApp provider has by name; its parameters are the
/// template's variables, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Campaign {
    pub name: String,
    /// What the person reads, as far as we know it: for previews and threads.
    pub body: Option<String>,
}

/// The text in other languages, and which language the text itself is in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Translations {
    pub language: Option<String>,
    pub others: BTreeMap<String, String>,
}

impl Translations {
    /// Language and text for a person of this language: that very one
    /// (`hi-IN`), then the same without its region (`hi`), then one of another
    /// region, then the template's own.
    #[must_use]
    pub fn choose<'a>(&'a self, own: &'a str, wanted: Option<&str>) -> (Option<&'a str>, &'a str) {
        let own = (self.language.as_deref(), own);
        let Some(wanted) = wanted else { return own };
        let is = |tag: &str| own.0.is_some_and(|own| own.eq_ignore_ascii_case(tag));
        let base = |tag: &str| tag.split('-').next().unwrap_or_default().to_lowercase();
        let mut tag = wanted;
        loop {
            if is(tag) {
                return own;
            }
            let found = self.others.iter().find(|(other, _)| other.eq_ignore_ascii_case(tag));
            if let Some((language, text)) = found {
                return (Some(language), text);
            }
            match tag.rsplit_once('-') {
                Some((shorter, _)) => tag = shorter,
                None => break,
            }
        }
        if own.0.is_some_and(|own| base(own) == base(wanted)) {
            return own;
        }
        let near = self.others.iter().find(|(other, _)| base(other) == base(wanted));
        near.map_or(own, |(language, text)| (Some(language.as_str()), text))
    }
}

/// Why a template's text cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Dlt(#[from] DltError),
}

impl ContentError {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Template(error) => error.code(),
            Self::Dlt(error) => error.code(),
        }
    }
}

impl TemplateContent {
    /// A text without anything else.
    #[must_use]
    pub fn text(body: impl Into<String>) -> Self {
        let text = Text { body: body.into(), ..Text::default() };
        Self { kind: Kind::Text(text), variables: Vec::new() }
    }

    /// The text as its author wrote it; empty where it has none.
    #[must_use]
    pub fn body(&self) -> &str {
        match &self.kind {
            Kind::Text(text) => &text.body,
            Kind::Dlt(text) => &text.body,
            Kind::WhatsappCampaign(campaign) => campaign.body.as_deref().unwrap_or_default(),
            Kind::Voice(voice) => voice.script.text().unwrap_or_default(),
        }
    }

    /// In which languages it can be said.
    #[must_use]
    pub const fn translations(&self) -> Option<&Translations> {
        match &self.kind {
            Kind::Text(text) => Some(&text.translations),
            Kind::Voice(voice) => Some(&voice.translations),
            Kind::Dlt(_) | Kind::WhatsappCampaign(_) => None,
        }
    }

    /// What it is registered as with a provider.
    #[must_use]
    pub const fn registration(&self) -> Option<&Registration> {
        match &self.kind {
            Kind::Text(text) => Some(&text.registration),
            Kind::Dlt(text) => Some(&text.registration),
            Kind::WhatsappCampaign(_) | Kind::Voice(_) => None,
        }
    }

    /// By which rules it is sent, where it was registered for some.
    #[must_use]
    pub fn purpose(&self) -> Option<Purpose> {
        match &self.kind {
            Kind::Dlt(text) => text.category.map(Category::purpose),
            Kind::Text(_) | Kind::WhatsappCampaign(_) | Kind::Voice(_) => None,
        }
    }

    /// The text with `{{ variables }}`, whatever the kind, for a person of this
    /// language; and the language it is in.
    ///
    /// # Errors
    /// When a registered text's slots and variables do not fit each other.
    pub fn source(
        &self,
        language: Option<&str>,
    ) -> Result<(Option<&str>, Cow<'_, str>), ContentError> {
        if let Kind::Dlt(text) = &self.kind {
            let names: Vec<&str> = self.variables.iter().map(|v| v.key.as_str()).collect();
            return Ok((None, dlt::with_names(&text.body, &names)?.into()));
        }
        if let Kind::WhatsappCampaign(Campaign { body: None, .. }) = &self.kind {
            // Nobody told us what the campaign says: its parameters are what we know.
            let parameters: Vec<String> =
                self.variables.iter().map(|v| format!("{{{{ {} }}}}", v.key)).collect();
            return Ok((None, parameters.join(" | ").into()));
        }
        let Some(translations) = self.translations() else {
            return Ok((None, self.body().into()));
        };
        let (language, text) = translations.choose(self.body(), language);
        Ok((language, text.into()))
    }

    /// The same, read.
    ///
    /// # Errors
    /// As [`Self::source`], and when it is not a template.
    pub fn template(&self, language: Option<&str>) -> Result<Template, ContentError> {
        Ok(Template::parse(&self.source(language)?.1)?)
    }

    /// Channels that can carry it.
    #[must_use]
    pub const fn channels(&self) -> &'static [Channel] {
        match self.kind {
            Kind::Text(_) => &[Channel::Sms, Channel::Whatsapp, Channel::WhatsappGroup],
            Kind::Dlt(_) => &[Channel::Sms],
            Kind::WhatsappCampaign(_) => &[Channel::Whatsapp],
            Kind::Voice(_) => &[Channel::Voice],
        }
    }
}
