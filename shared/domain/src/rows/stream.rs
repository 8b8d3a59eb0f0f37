//! A large file, read block by block: what is in memory is one block, however
//! large the file is.
//!
//! The beginning says what the file is ([`head`]); from there on each block of
//! bytes gives the rows that end in it, and where the next block begins
//! ([`block`]). Nothing is kept between blocks but that place, so a reader that
//! was cut off goes on anywhere.

use csv::{ReaderBuilder, StringRecord};
use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};

use super::table::{MAX_RECORD_BYTES, MAX_RECORD_LINES, cells, read_header, split_directive};
use super::{FileError, Row, decode, quotes};

/// Bytes of the beginning that [`head`] looks at; a header is shorter.
pub const HEAD_BYTES: usize = 256 * 1024;

/// How the bytes of a file are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Characters {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

impl Characters {
    const fn encoding(self) -> &'static Encoding {
        match self {
            Self::Utf8 => encoding_rs::UTF_8,
            Self::Utf16Le => encoding_rs::UTF_16LE,
            Self::Utf16Be => encoding_rs::UTF_16BE,
            Self::Windows1252 => encoding_rs::WINDOWS_1252,
        }
    }

    fn of(encoding: &'static Encoding) -> Self {
        [Self::Utf16Le, Self::Utf16Be, Self::Windows1252]
            .into_iter()
            .find(|c| c.encoding() == encoding)
            .unwrap_or(Self::Utf8)
    }

    /// Bytes that this text has in the file.
    fn bytes_of(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16Le | Self::Utf16Be => text.encode_utf16().count() * 2,
            Self::Windows1252 => text.chars().count(),
        }
    }

    /// As many of the bytes as are whole characters.
    fn whole(self, bytes: &[u8]) -> &[u8] {
        let keep = match self {
            Self::Windows1252 => bytes.len(),
            Self::Utf8 => {
                let is_begin = |b: &u8| b & 0b1100_0000 != 0b1000_0000;
                let tail = bytes.iter().rev().take(4).position(is_begin);
                match tail {
                    // The last character begins there; is it all there?
                    Some(behind) => {
                        let at = bytes.len() - 1 - behind;
                        let len = match bytes[at] {
                            0xf0.. => 4,
                            0xe0.. => 3,
                            0xc0.. => 2,
                            _ => 1,
                        };
                        if behind + 1 < len { at } else { bytes.len() }
                    }
                    None => bytes.len(),
                }
            }
            Self::Utf16Le | Self::Utf16Be => {
                let even = bytes.len() & !1;
                let high = |at: usize| match self {
                    Self::Utf16Le => bytes[at + 1],
                    _ => bytes[at],
                };
                // The first half of a pair waits for its second.
                if even >= 2 && (0xd8..=0xdb).contains(&high(even - 2)) { even - 2 } else { even }
            }
        };
        &bytes[..keep]
    }
}

/// What a file is, and where its rows begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub characters: Characters,
    pub separator: u8,
    pub header: Vec<String>,
    pub place: Place,
}

/// Where reading goes on: byte and line of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    pub byte: u64,
    pub line: u32,
}

/// From the first bytes of a file, all of them or at least [`HEAD_BYTES`].
///
/// # Errors
/// As for [`super::Table::read`].
pub fn head(bytes: &[u8]) -> Result<Head, FileError> {
    if let Some((_, what)) = decode::OTHER_FORMATS.iter().find(|(m, _)| bytes.starts_with(m)) {
        return Err(FileError::OtherFormat { what });
    }
    let known = Encoding::for_bom(bytes);
    let (encoding, mark) = known.unwrap_or_else(|| (decode::without_mark(bytes), 0));
    let characters = Characters::of(encoding);
    let body = characters.whole(&bytes[mark..]);
    let (text, _) = encoding.decode_without_bom_handling(body);
    if text.contains('\0') {
        return Err(FileError::OtherFormat { what: "a binary file" });
    }
    let (directive, rest) = split_directive(&text);
    let separator = directive.unwrap_or_else(|| quotes::separator(rest));
    let before = &text[..text.len() - rest.len()];
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .has_headers(false)
        .from_reader(rest.as_bytes());
    let mut record = StringRecord::new();
    loop {
        let read = reader.read_record(&mut record);
        if !read.map_err(|_| FileError::Undecodable { line: None })? {
            return Err(FileError::Empty);
        }
        if record.iter().any(|cell| !cell.trim().is_empty()) {
            break;
        }
    }
    let header = read_header(&record)?;
    let end = behind_line_end(rest, byte_of(&reader));
    let head = &text[..before.len() + end];
    let byte = (mark + characters.bytes_of(head)) as u64;
    Ok(Head { characters, separator, header, place: Place { byte, line: 1 + line_ends(head) } })
}

/// The rows of a block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    pub rows: Vec<Row>,
    /// Where the next block begins.
    pub next: Place,
}

/// The rows that end in these bytes, which begin at `place`. `is_last`: they are
/// the last of the file.
///
/// # Errors
/// [`FileError::Undecodable`], and [`FileError::UnclosedQuote`] where a row does
/// not end in a block many times its length.
pub fn block(bytes: &[u8], head: &Head, place: Place, is_last: bool) -> Result<Block, FileError> {
    let mut characters = head.characters;
    if characters == Characters::Utf8 && !decode::is_mostly_utf8(characters.whole(bytes)) {
        // Nothing before this told it from UTF-8.
        characters = Characters::Windows1252;
    }
    let whole = if is_last { bytes } else { characters.whole(bytes) };
    let (text, malformed) = characters.encoding().decode_without_bom_handling(whole);
    if malformed || text.contains('\0') {
        return Err(FileError::Undecodable { line: Some(place.line) });
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(head.separator)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let (mut rows, mut line, mut done) = (Vec::new(), place.line, 0);
    let undecodable = |_| FileError::Undecodable { line: None };
    while reader.read_record(&mut record).map_err(undecodable)? {
        let end = behind_line_end(&text, byte_of(&reader));
        if end >= text.len() && !is_last {
            break;
        }
        let source = &text[done..end];
        let blank = source.len() - source.trim_start_matches(['\n', '\r']).len();
        let begins = line + line_ends(&source[..blank]);
        let row = &source[blank..];
        let is_endless = row.len() > MAX_RECORD_BYTES
            || row.matches('\n').count() > MAX_RECORD_LINES
            || (end >= text.len() && quotes::is_unclosed(row, head.separator));
        if is_endless {
            return Err(FileError::UnclosedQuote { line: begins });
        }
        line += line_ends(source);
        done = end;
        if record.iter().any(|cell| !cell.trim().is_empty()) {
            rows.push(Row { line: begins, cells: cells(&record, head.header.len()) });
        }
    }
    if done == 0 && !is_last && text.len() > MAX_RECORD_BYTES {
        return Err(FileError::UnclosedQuote { line });
    }
    let read = match is_last {
        true => bytes.len(),
        false => characters.bytes_of(&text[..done]),
    };
    Ok(Block { rows, next: Place { byte: place.byte + read as u64, line } })
}

fn byte_of(reader: &csv::Reader<&[u8]>) -> usize {
    usize::try_from(reader.position().byte()).unwrap_or(usize::MAX)
}

/// The reader stops behind the first of the two characters of a line end.
fn behind_line_end(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    if text[..at].ends_with('\r') && text[at..].starts_with('\n') { at + 1 } else { at }
}

/// Line feeds, and carriage returns without one.
fn line_ends(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let is_end = |(at, byte): (usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    u32::try_from(bytes.iter().enumerate().filter(|e| is_end(*e)).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;

    /// All rows, read in blocks of `size` bytes.
    fn rows(file: &[u8], size: usize) -> Result<(Vec<String>, Vec<Row>), FileError> {
        let head = head(&file[..file.len().min(HEAD_BYTES)])?;
        let (mut place, mut found) = (head.place, Vec::new());
        let mut size = size;
        loop {
            let from = usize::try_from(place.byte).expect("small");
            let to = (from + size).min(file.len());
            let read = block(&file[from..to], &head, place, to == file.len())?;
            found.extend(read.rows);
            if to == file.len() {
                return Ok((head.header, found));
            }
            // A row longer than the block: a larger one.
            if read.next == place {
                size *= 2;
            }
            place = read.next;
        }
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let unit = |u: u16| if little { u.to_le_bytes() } else { u.to_be_bytes() };
        let mark = unit(0xfeff);
        mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect()
    }

    #[test]
    fn blocks_of_any_size_give_the_rows_of_the_whole() {
        let texts = [
            "phone,name\n+61491570006,Ada\n+61491570110,\"Lovelace, Ada\nof Sydney\"\n\n+1,🦊\n",
            "phone;name\r\n+61491570006;Ada\r\n\r\n+61491570110;Zo\u{eb}\r\n",
            "sep=;\r\nphone;name\r\n1234567;Ada",
            "\n\nname\n\nAda\nBob",
            "name\rAda\rBob\r",
        ];
        for text in texts {
            let table = Table::read(text, 100).expect("a table");
            let latin: Option<Vec<u8>> =
                text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            let marked = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
            let files = [
                Some(text.as_bytes().to_vec()),
                Some(marked),
                Some(utf16(text, true)),
                Some(utf16(text, false)),
                latin,
            ];
            for file in files.into_iter().flatten() {
                for size in [1, 2, 3, 5, 7, 16, 64, 4096] {
                    let (header, found) = rows(&file, size).expect("rows");
                    assert_eq!(header, table.header, "{text:?}");
                    assert_eq!(found, table.rows, "{text:?} in blocks of {size}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_table_is_said() {
        for (file, code) in [
            (b"%PDF-1.7".as_slice(), "not_csv"),
            (b"PK\x03\x04", "not_csv"),
            (b"", "empty_file"),
            (b" \n \n", "empty_file"),
            (b"+61491570006,Ada\n", "missing_header"),
            (b"name,name\nAda,Ada\n", "duplicate_column"),
            (b"name\n\"Ada\nBob\n", "not_csv"),
        ] {
            assert_eq!(rows(file, 64).expect_err("not a table").code(), code);
        }
    }

    #[test]
    fn a_file_whose_first_accent_comes_late_is_read_by_it() {
        let mut file = b"name\n".to_vec();
        file.extend("Ada\n".repeat(100).bytes());
        file.extend(b"Zo\xeb\n");
        let (_, found) = rows(&file, 64).expect("rows");
        assert_eq!(found.last().map(|row| row.cells[0].as_str()), Some("Zo\u{eb}"));
    }
}
