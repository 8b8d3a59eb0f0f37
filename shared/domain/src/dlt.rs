//! Texts registered with India's DLT: fixed text with slots, `{#var#}`,
//! `{#var1#}` or typed as `{#numeric#}`. A slot has no name of its own; it gets
//! the name of the template's variable in the same place, and from then on the
//! text is one of ours with `{{ variable }}`.
//!
//! Operators drop what is not as it was registered, and say so late or never. So
//! what they would drop is refused here: when the text is stored ([`slots`],
//! [`is_header`], [`is_id`], [`is_same_text`]), or when a value is given
//! ([`Slot::check`]).

mod slot;

pub use self::slot::{MAX_VALUE, Slot, SlotError};

/// Why a registered text cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DltError {
    #[error("A slot is not closed; write it as {{#var#}}.")]
    Unclosed,
    #[error("A registered text has slots such as {{#var#}}, not {{{{ name }}}}.")]
    Mixed,
    #[error("“{0}” is no slot; there are {known}.", known = slot::KNOWN)]
    UnknownSlot(String),
    #[error(
        "The text has {slots} slots and {variables} variables; list one variable for each slot, in order."
    )]
    Count { slots: usize, variables: usize },
}

impl DltError {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unclosed | Self::Mixed => "invalid_template",
            Self::UnknownSlot(_) => "unknown_slot",
            Self::Count { .. } => "slot_count_mismatch",
        }
    }
}

/// The fixed pieces of the text around its slots (one more than slots), and what
/// stands in each slot.
fn pieces(body: &str) -> Result<(Vec<&str>, Vec<&str>), DltError> {
    let (mut pieces, mut names) = (Vec::new(), Vec::new());
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("{#") {
        pieces.push(before);
        let (name, behind) = after.split_once("#}").ok_or(DltError::Unclosed)?;
        names.push(name);
        rest = behind;
    }
    // `{{#var#}` is a slot in the braces of the other kind.
    let is_mixed = |piece: &&str| piece.contains("{{") || piece.contains("{%");
    if pieces.iter().any(|p| is_mixed(p) || p.ends_with('{')) || is_mixed(&rest) {
        return Err(DltError::Mixed);
    }
    pieces.push(rest);
    Ok((pieces, names))
}

/// The slots of the text, in order.
///
/// # Errors
/// When a slot is not closed or not one that there is, or the text has variables
/// of the other kind.
pub fn slots(body: &str) -> Result<Vec<Slot>, DltError> {
    let (_, names) = pieces(body)?;
    let slot = |name: &&str| {
        Slot::parse(name).ok_or_else(|| {
            DltError::UnknownSlot(format!("{{#{}#}}", name.chars().take(30).collect::<String>()))
        })
    };
    names.iter().map(slot).collect()
}

/// The text with the n-th slot as `{{ names[n] }}`.
///
/// # Errors
/// When a slot is not closed, the text has variables of the other kind, or there
/// is not one name for each slot. (What kind of slot it is does not matter here:
/// texts of older releases may have others.)
pub fn with_names(body: &str, names: &[&str]) -> Result<String, DltError> {
    let (pieces, _) = pieces(body)?;
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

/// Whether two texts are one registration: the same to the letter around the
/// same slots, however those are numbered.
#[must_use]
pub fn is_same_text(one: &str, other: &str) -> bool {
    let parts = |body| Some((pieces(body).ok()?.0, slots(body).ok()?));
    parts(one).is_some_and(|one| parts(other) == Some(one))
}

/// Whether two slots stand side by side: operators refuse what has too little
/// fixed text to recognize it by.
#[must_use]
pub fn has_slots_side_by_side(body: &str) -> bool {
    let Ok((pieces, _)) = pieces(body) else { return false };
    let inner = pieces.get(1..pieces.len() - 1).unwrap_or_default();
    inner.iter().any(|piece| piece.trim().is_empty())
}

/// A header: six letters, or six digits for promotion.
#[must_use]
pub fn is_header(text: &str, is_promotional: bool) -> bool {
    text.len() == 6
        && (text.bytes().all(|b| b.is_ascii_alphabetic())
            || is_promotional && text.bytes().all(|b| b.is_ascii_digit()))
}

/// An id of the DLT, of a text or an entity: 19 digits.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == 19 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_every_spelling_get_names_in_order() {
        let body = "Dear {#var#}, class at {#var1#} for {#numeric#}.";
        assert_eq!(slots(body), Ok(vec![Slot::Text, Slot::Text, Slot::Numeric]));
        let named = with_names(body, &["name", "time", "fee"]);
        assert_eq!(named.as_deref(), Ok("Dear {{ name }}, class at {{ time }} for {{ fee }}."));
        assert_eq!(with_names("No slots", &[]).as_deref(), Ok("No slots"));
    }

    #[test]
    fn what_operators_would_drop_is_refused() {
        assert_eq!(slots("Dear {#var, hi"), Err(DltError::Unclosed));
        assert_eq!(slots("Dear {{ name }} {#var#}"), Err(DltError::Mixed));
        assert_eq!(slots("Dear {{#var#}}"), Err(DltError::Mixed));
        assert_eq!(slots("Dear {#name#}"), Err(DltError::UnknownSlot("{#name#}".to_owned())));
        assert_eq!(slots("Dear {##}"), Err(DltError::UnknownSlot("{##}".to_owned())));
        let count = with_names("{#var#} {#var#}", &["a"]);
        assert_eq!(count, Err(DltError::Count { slots: 2, variables: 1 }));
    }

    #[test]
    fn a_registration_is_its_fixed_text_and_the_kinds_of_its_slots() {
        let registered = "Dear {#var#}, fee {#numeric#}.";
        for (other, is_same) in [
            ("Dear {#var#}, fee {#numeric#}.", true),
            ("Dear {#var1#}, fee {#numeric2#}.", true),
            ("Dear {#var#}, fee {#var#}.", false),
            ("Dear {#var#}, Fee {#numeric#}.", false),
            ("Dear {#var#}, fee {#numeric#}. ", false),
            ("Dear {#var#}, fee.", false),
            ("Dear {#var, fee {#numeric#}.", false),
        ] {
            assert_eq!(is_same_text(registered, other), is_same, "{other}");
        }
    }

    #[test]
    fn headers_and_ids_have_one_form() {
        for (text, service, promotional) in [
            ("CARLLN", true, true),
            ("carlln", true, true),
            ("123456", false, true),
            ("CARLL1", false, false),
            ("CARLL", false, false),
            ("CARILLN", false, false),
            ("CARÎLL", false, false),
            ("", false, false),
        ] {
            assert_eq!(is_header(text, false), service, "{text}");
            assert_eq!(is_header(text, true), promotional, "{text}");
        }
        for (text, expected) in [
            ("1107160000000000001", true),
            ("110716000000000001", false),
            ("11071600000000000011", false),
            ("110716000000000000x", false),
            ("१107160000000000", false),
        ] {
            assert_eq!(is_id(text), expected, "{text}");
        }
    }

    #[test]
    fn slots_side_by_side_are_seen() {
        for (body, expected) in [
            ("{#var#}{#var#}", true),
            ("Hi {#var#} {#var#}!", true),
            ("Hi {#var#}, {#var#}!", false),
            ("{#var#} hi", false),
            ("hi", false),
            ("", false),
        ] {
            assert_eq!(has_slots_side_by_side(body), expected, "{body}");
        }
    }
}
