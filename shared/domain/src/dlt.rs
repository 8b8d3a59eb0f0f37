//! Texts registered with India's DLT: fixed text with slots, `{#var#}`,
//! `{#var1#}` or typed as `{#numeric#}`. A slot has no name of its own; it gets
//! the name of the template's variable in the same place, and from then on the
//! text is one of ours with `{{ variable }}`.

/// Longest value of a slot, in characters; operators drop a longer one.
pub const MAX_VALUE: usize = 30;

/// Why a registered text cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DltError {
    #[error("A slot is not closed; write it as {{#var#}}.")]
    Unclosed,
    #[error("A registered text has slots such as {{#var#}}, not {{{{ name }}}}.")]
    Mixed,
    #[error(
        "The text has {slots} slots and {variables} variables; list one variable for each slot, in order."
    )]
    Count { slots: usize, variables: usize },
}

impl DltError {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unclosed | Self::Mixed => "invalid_template",
            Self::Count { .. } => "slot_count_mismatch",
        }
    }
}

/// The fixed pieces of the text around its slots: one more than slots.
fn pieces(body: &str) -> Result<Vec<&str>, DltError> {
    let mut pieces = Vec::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("{#") {
        pieces.push(before);
        rest = after.split_once("#}").ok_or(DltError::Unclosed)?.1;
    }
    pieces.push(rest);
    // `{{#var#}` is a slot in the braces of the other kind.
    let before_slots = &pieces[..pieces.len() - 1];
    if pieces.iter().any(|p| p.contains("{{") || p.contains("{%"))
        || before_slots.iter().any(|p| p.ends_with('{'))
    {
        return Err(DltError::Mixed);
    }
    Ok(pieces)
}

/// How many slots the text has.
///
/// # Errors
/// When a slot is not closed, or the text has variables of the other kind.
pub fn slots(body: &str) -> Result<usize, DltError> {
    pieces(body).map(|pieces| pieces.len() - 1)
}

/// The text with the n-th slot as `{{ names[n] }}`.
///
/// # Errors
/// As [`slots`], and when there is not one name for each slot.
pub fn with_names(body: &str, names: &[&str]) -> Result<String, DltError> {
    let pieces = pieces(body)?;
    if pieces.len() - 1 != names.len() {
        return Err(DltError::Count { slots: pieces.len() - 1, variables: names.len() });
    }
    let mut text = pieces.first().copied().unwrap_or_default().to_owned();
    for (name, piece) in names.iter().zip(pieces.iter().skip(1)) {
        text.push_str("{{ ");
        text.push_str(name);
        text.push_str(" }}");
        text.push_str(piece);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_every_spelling_get_names_in_order() {
        let body = "Dear {#var#}, class at {#var1#} for {#numeric#}.";
        assert_eq!(slots(body), Ok(3));
        let named = with_names(body, &["name", "time", "fee"]);
        assert_eq!(named.as_deref(), Ok("Dear {{ name }}, class at {{ time }} for {{ fee }}."));
        assert_eq!(with_names("No slots", &[]).as_deref(), Ok("No slots"));
    }

    #[test]
    fn what_operators_would_drop_is_refused() {
        assert_eq!(slots("Dear {#var, hi"), Err(DltError::Unclosed));
        assert_eq!(slots("Dear {{ name }} {#var#}"), Err(DltError::Mixed));
        assert_eq!(slots("Dear {{#var#}}"), Err(DltError::Mixed));
        let count = with_names("{#var#} {#var#}", &["a"]);
        assert_eq!(count, Err(DltError::Count { slots: 2, variables: 1 }));
    }
}
