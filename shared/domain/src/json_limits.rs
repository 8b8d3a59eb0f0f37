//! What a JSON body may be at most, whatever its fields say: nested so deep, so
//! many entries in one place, texts so long. Looked at before it is parsed; what
//! is not JSON at all is the parser's to refuse.

/// Objects and lists within each other.
pub const DEPTH: usize = 32;
/// Entries of one object or list.
pub const ENTRIES: usize = 1_000;
/// Bytes of one text or name.
pub const TEXT: usize = 32 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMuch {
    Depth,
    Entries,
    Text,
}

impl TooMuch {
    /// As it stands in problem documents.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Depth => "json_too_deep",
            Self::Entries => "json_too_many_entries",
            Self::Text => "json_text_too_long",
        }
    }

    #[must_use]
    pub fn detail(self) -> String {
        match self {
            Self::Depth => format!("The body is nested more than {DEPTH} levels deep."),
            Self::Entries => format!("The body has more than {ENTRIES} entries in one place."),
            Self::Text => format!("The body has a text of more than {} KB.", TEXT / 1024),
        }
    }
}

/// # Errors
/// The first limit that is passed.
pub fn check(json: &[u8]) -> Result<(), TooMuch> {
    // Commas seen in each object or list that is open.
    let mut open: Vec<usize> = Vec::new();
    let mut text: Option<usize> = None;
    let mut is_escaped = false;
    for byte in json {
        if let Some(length) = text.as_mut() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => {
                    text = None;
                    continue;
                }
                _ => {}
            }
            *length += 1;
            if *length > TEXT {
                return Err(TooMuch::Text);
            }
            continue;
        }
        match byte {
            b'"' => text = Some(0),
            b'[' | b'{' if open.len() == DEPTH => return Err(TooMuch::Depth),
            b'[' | b'{' => open.push(0),
            b']' | b'}' => drop(open.pop()),
            b',' => {
                if let Some(commas) = open.last_mut() {
                    *commas += 1;
                    if *commas >= ENTRIES {
                        return Err(TooMuch::Entries);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_these() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let list = |n: usize| format!("[{}]", vec!["1"; n].join(","));
        let text = |n: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(n));
        for (what, json, expected) in [
            ("nothing", String::new(), Ok(())),
            ("as deep as may be", nested(DEPTH), Ok(())),
            ("deeper", nested(DEPTH + 1), Err(TooMuch::Depth)),
            ("open for ever", "[".repeat(5_000), Err(TooMuch::Depth)),
            ("as many as may be", list(ENTRIES), Ok(())),
            ("more", list(ENTRIES + 1), Err(TooMuch::Entries)),
            ("many in many", format!("[{},{}]", list(900), list(900)), Ok(())),
            ("as long as may be", text(TEXT), Ok(())),
            ("longer", text(TEXT + 1), Err(TooMuch::Text)),
            ("brackets in a text", format!("\"{}\"", "[{,".repeat(2_000)), Ok(())),
            ("an escaped quote", "[\"\\\",[[\", 1]".to_owned(), Ok(())),
            ("an escaped backslash", format!("[\"\\\\\",{}]", nested(DEPTH)), Err(TooMuch::Depth)),
            ("a text that does not end", format!("\"{}", "x".repeat(TEXT + 1)), Err(TooMuch::Text)),
        ] {
            assert_eq!(check(json.as_bytes()), expected, "{what}");
        }
    }
}
