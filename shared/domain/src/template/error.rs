//! What can be wrong with a template or with its values.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("Line {line}: {what}. Write a variable as {{{{ name }}}}.")]
    Syntax { line: usize, what: String },
    #[error("Line {line}: {what} cannot be used in a text. {instead}")]
    NotAllowed { line: usize, what: String, instead: &'static str },
    #[error(
        "Line {line}: {{#var#}} is a slot of a registered DLT template. Store the text as a \
         template of kind `dlt`, or write {{{{ name }}}}."
    )]
    DltSlot { line: usize },
    /// Never empty.
    #[error(
        "No value for {}. Give it in the variables, or write a default into the text.",
        in_words(names)
    )]
    Missing { names: Vec<String> },
    #[error("A value does not fit where the text uses it: {what}. Give a text or a number.")]
    Value { what: String },
    #[error("The text is longer than {} characters. Shorten it.", super::MAX_SOURCE)]
    TooLong,
    #[error(
        "With its values the text is longer than {} characters. Shorten the values.",
        super::MAX_RENDERED
    )]
    RenderedTooLong,
}

impl TemplateError {
    /// As it stands in problem documents and import reports.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } | Self::NotAllowed { .. } | Self::DltSlot { .. } => {
                "invalid_template"
            }
            Self::Missing { .. } => "missing_variable",
            Self::Value { .. } => "invalid_variable",
            Self::TooLong => "template_too_long",
            Self::RenderedTooLong => "rendered_too_long",
        }
    }

    pub(super) fn syntax(error: &minijinja::Error) -> Self {
        let what = error.detail().unwrap_or("this is not a template");
        Self::Syntax { line: error.line().unwrap_or(1), what: what.to_owned() }
    }

    /// The engine names kinds and filters in its details, not values.
    pub(super) fn value(error: &minijinja::Error) -> Self {
        Self::Value { what: error.detail().unwrap_or("of another kind").to_owned() }
    }

    pub(super) fn nothing() -> Self {
        Self::Value { what: "an empty text has no first or last character".to_owned() }
    }

    pub(super) fn missing(names: Vec<String>) -> Self {
        Self::Missing { names }
    }
}

fn in_words(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
