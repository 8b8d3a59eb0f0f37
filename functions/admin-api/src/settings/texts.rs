//! Texts that are sent by themselves, and the address of the feedback page.

use carillon_domain::OutsideUrl;
use carillon_domain::settings::LONGEST_TEXT;

use crate::problem::FieldError;

/// A text as it is sent: it has no variables.
pub(super) fn check(field: &str, text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    let is_plain = !text.chars().any(|c| c.is_control() && c != '\n');
    if text.is_empty() || text.chars().count() > LONGEST_TEXT || !is_plain {
        let detail = format!("A text of 1 to {LONGEST_TEXT} characters; null takes it away.");
        return Err(FieldError::new(field, "invalid_text", detail));
    }
    if text.contains("{{") || text.contains("{%") {
        let detail = "This text is sent as it is written and has no variables; take them out.";
        return Err(FieldError::new(field, "variables_not_allowed", detail));
    }
    Ok(text.to_owned())
}

pub(super) fn feedback_url(text: String) -> Result<String, FieldError> {
    match OutsideUrl::parse(&text) {
        Ok(url) if !url.as_str().contains('#') => Ok(url.as_str().to_owned()),
        Ok(_) => {
            let detail = "Leave out the part from “#” on; the token would be lost behind it.";
            Err(FieldError::new("feedback_url", "invalid_url", detail))
        }
        Err(error) => {
            let detail = format!("People cannot be sent there: {error}.");
            Err(FieldError::new("feedback_url", error.code(), detail))
        }
    }
}
