//! What the CSV reader does not tell: which separator the file has, and
//! whether a quotation mark in it is never closed.

/// Where one is in a record, by the rules that the `csv` crate reads by: a
/// quotation mark opens a quoted cell only at its beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    CellStart,
    Plain,
    Quoted,
    /// After a mark in a quoted cell: the end of it, or half of `""`.
    Closed,
}

impl Place {
    fn next(self, byte: u8, is_separator: bool) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Closed,
            (Self::Quoted, _) | (Self::CellStart | Self::Closed, b'"') => Self::Quoted,
            (_, b'\n' | b'\r') => Self::CellStart,
            _ if is_separator => Self::CellStart,
            (Self::CellStart | Self::Closed | Self::Plain, _) => Self::Plain,
        }
    }
}

/// The most frequent separator of the first record, outside of quotes.
pub(super) fn separator(text: &str) -> u8 {
    const CANDIDATES: [u8; 4] = *b",;\t|";
    let mut counts = [0_u32; CANDIDATES.len()];
    let mut place = Place::CellStart;
    for byte in text.trim_start().bytes() {
        let candidate = CANDIDATES.iter().position(|c| *c == byte);
        if place != Place::Quoted {
            match candidate {
                Some(at) => counts[at] += 1,
                None if byte == b'\n' || byte == b'\r' => break,
                None => {}
            }
        }
        place = place.next(byte, candidate.is_some());
    }
    // The first of the most frequent.
    let most = counts.iter().max().copied().unwrap_or_default();
    let at = counts.iter().position(|count| *count == most).unwrap_or_default();
    CANDIDATES[at]
}

/// Whether this record, the last of its file, ends inside a quoted cell.
pub(super) fn is_unclosed(record: &str, separator: u8) -> bool {
    let step = |place: Place, byte: u8| place.next(byte, byte == separator);
    record.bytes().fold(Place::CellStart, step) == Place::Quoted
}
