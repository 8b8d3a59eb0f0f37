//! The file as a header and rows.

use csv::{ReaderBuilder, StringRecord};

use super::{FileError, Row, guess, quotes};

/// A record longer than this is one that never ended.
pub(super) const MAX_RECORD_BYTES: usize = 64 * 1024;
pub(super) const MAX_RECORD_LINES: usize = 100;
/// Each column is compared with each other.
const MAX_COLUMNS: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Names as they are written, without space around them; each is there
    /// once and not empty.
    pub header: Vec<String>,
    /// At least one, in the order of the file, without blank ones. A row may
    /// have other cells than the header; that is the row's error.
    pub rows: Vec<Row>,
}

impl Table {
    /// Reads decoded text ([`super::decode`]); the separator is taken from the
    /// header line.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn read(text: &str, max_rows: usize) -> Result<Self, FileError> {
        let (directive, body) = split_directive(text);
        let separator = directive.unwrap_or_else(|| quotes::separator(body));
        let mut reader = ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .has_headers(false)
            .from_reader(body.as_bytes());
        let mut lines = Lines { text, at: text.len() - body.len(), line: 1, body };
        lines.line += text[..lines.at].matches('\n').count();

        let mut header: Option<Vec<String>> = None;
        let mut rows = Vec::new();
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(|_| FileError::Undecodable { line: None })? {
            let start = record.position().map_or(0, |position| position.byte() as usize);
            let end = reader.position().byte() as usize;
            let line = lines.line_of(start);
            let source = lines.record(start, end);
            let is_last = end >= body.len();
            if source.len() > MAX_RECORD_BYTES
                || (record.as_slice().contains('\n')
                    && source.matches('\n').count() > MAX_RECORD_LINES)
                || (is_last && quotes::is_unclosed(source, separator))
            {
                return Err(FileError::UnclosedQuote { line });
            }
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let Some(header) = &header else {
                header = Some(read_header(&record)?);
                continue;
            };
            if rows.len() == max_rows {
                return Err(FileError::TooManyRows { limit: max_rows });
            }
            rows.push(Row { line, cells: cells(&record, header.len()) });
        }
        let header = header.ok_or(FileError::Empty)?;
        if rows.is_empty() {
            return Err(FileError::NoRows);
        }
        Ok(Self { header, rows })
    }
}

/// Excel's first line `sep=;` names the separator.
pub(super) fn split_directive(text: &str) -> (Option<u8>, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.trim_end_matches('\r').trim_matches('"');
    match first.get(..4) {
        Some(key) if key.eq_ignore_ascii_case("sep=") && first.len() == 5 => {
            (Some(first.as_bytes()[4]), rest)
        }
        _ => (None, text),
    }
}

pub(super) fn read_header(record: &StringRecord) -> Result<Vec<String>, FileError> {
    if record.iter().any(guess::looks_like_a_number) {
        return Err(FileError::MissingHeader);
    }
    let names: Vec<&str> = record.iter().map(str::trim).collect();
    // Spreadsheets save empty columns at the right edge.
    let width = names.iter().rposition(|name| !name.is_empty()).map_or(0, |at| at + 1);
    if width > MAX_COLUMNS {
        return Err(FileError::TooManyColumns { columns: width, limit: MAX_COLUMNS });
    }
    let mut header: Vec<String> = Vec::with_capacity(width);
    for (at, name) in names[..width].iter().enumerate() {
        if name.is_empty() {
            return Err(FileError::UnnamedColumn { column: at + 1 });
        }
        if header.iter().any(|other| other.to_lowercase() == name.to_lowercase()) {
            return Err(FileError::DuplicateColumn { name: (*name).to_owned() });
        }
        header.push((*name).to_owned());
    }
    Ok(header)
}

/// The cells without empty ones beyond the header.
pub(super) fn cells(record: &StringRecord, width: usize) -> Vec<String> {
    let is_used = |at: &usize| !record[*at].trim().is_empty();
    let used = (0..record.len()).rev().find(is_used).map_or(0, |at| at + 1);
    let kept = used.max(width.min(record.len()));
    record.iter().take(kept).map(str::to_owned).collect()
}

/// Finds lines by going through the text once. (The reader counts only line
/// feeds, and from before the blank lines that it skips.)
struct Lines<'a> {
    text: &'a str,
    body: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn line_of(&mut self, start: usize) -> u32 {
        let offset = self.text.len() - self.body.len();
        let bytes = self.text.as_bytes();
        let mut start = start + offset;
        while matches!(bytes.get(start), Some(b'\n' | b'\r')) {
            start += 1;
        }
        // A lone carriage return ends a record as well.
        let end = |pair: &[u8]| pair[0] == b'\n' || (pair[0] == b'\r' && pair[1] != b'\n');
        self.line +=
            bytes[self.at..=start.min(bytes.len() - 1)].windows(2).filter(|p| end(p)).count();
        self.at = start;
        u32::try_from(self.line).unwrap_or(u32::MAX)
    }

    fn record(&self, start: usize, end: usize) -> &str {
        self.body[start..end.min(self.body.len())].trim_start_matches(['\n', '\r'])
    }
}
