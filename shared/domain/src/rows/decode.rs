//! Bytes to text: what spreadsheets save as "CSV".

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::FileError;

/// First bytes of files that people upload in place of CSV.
pub(super) const OTHER_FORMATS: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a compressed file"),
    (b"{\\rtf", "a text document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
];

/// The text of the file without a byte order mark. UTF-8, UTF-16 with or
/// without a mark, else Windows-1252, which is what Excel saves in the west.
///
/// # Errors
/// [`FileError::Empty`], [`FileError::OtherFormat`], [`FileError::Undecodable`].
pub fn decode(bytes: &[u8]) -> Result<String, FileError> {
    if let Some((_, what)) = OTHER_FORMATS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(FileError::OtherFormat { what });
    }
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or_else(|| (without_mark(bytes), 0));
    let body = &bytes[mark..];
    let (text, malformed) = encoding.decode_without_bom_handling(body);
    if malformed {
        let line = (encoding == UTF_8).then(|| line_of_first_error(body));
        return Err(FileError::Undecodable { line });
    }
    if text.contains('\0') {
        return Err(FileError::OtherFormat { what: "a binary file" });
    }
    // Codes that Windows-1252 does not use say that it was something else.
    if encoding == WINDOWS_1252 && text.contains(is_control) {
        return Err(FileError::Undecodable { line: None });
    }
    if text.trim().is_empty() {
        return Err(FileError::Empty);
    }
    Ok(with_line_feeds(text))
}

fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1a}')
}

pub(super) fn without_mark(bytes: &[u8]) -> &'static Encoding {
    // In UTF-16, digits, commas and line ends have a zero byte, always on the
    // same side.
    let zeros = |side: usize| bytes.iter().skip(side).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if odd > 10 * even && odd * 20 >= bytes.len() {
        UTF_16LE
    } else if even > 10 * odd && even * 20 >= bytes.len() {
        UTF_16BE
    } else if is_mostly_utf8(bytes) {
        UTF_8
    } else {
        WINDOWS_1252
    }
}

/// True for UTF-8, also when it is damaged in places: read as Windows-1252,
/// every name in it would turn to gibberish without anybody noticing.
pub(super) fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut sound, mut damaged) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        damaged += usize::from(!chunk.invalid().is_empty());
    }
    damaged == 0 || sound > damaged
}

fn line_of_first_error(bytes: &[u8]) -> u32 {
    let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    u32::try_from(valid.matches('\n').count() + 1).unwrap_or(u32::MAX)
}

/// Files of old Macs end their lines with CR alone.
fn with_line_feeds(text: Cow<'_, str>) -> String {
    if text.contains('\r') && !text.contains('\n') {
        text.replace('\r', "\n")
    } else {
        text.into_owned()
    }
}
