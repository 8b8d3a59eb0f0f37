//! A table in pieces small enough to store, each readable by itself.
//!
//! A piece is CSV again, in UTF-8 with commas, whatever the file was; the first
//! cell of each record is its line in the file.

use csv::{ReaderBuilder, StringRecord, WriterBuilder};

use super::{Row, Table};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub text: String,
    /// Records in it; at least one.
    pub rows: u32,
}

/// A stored chunk is not what [`chunks`] made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("record {record} of a stored chunk is not a line number and cells")]
pub struct CorruptChunk {
    /// From 0.
    pub record: usize,
}

/// The rows of the table, in order, in chunks of at most `max_bytes`. A record
/// longer than that stands in a chunk of its own (a record is never over
/// 64 KiB in the file).
#[must_use]
pub fn chunks(table: &Table, max_bytes: usize) -> Vec<Chunk> {
    let (text, ends) = write(&table.rows);
    let mut done: Vec<Chunk> = Vec::new();
    let mut start = 0;
    for end in ends {
        let record = &text[start..end];
        start = end;
        match done.last_mut() {
            Some(last) if last.text.len() + record.len() <= max_bytes => {
                last.text.push_str(record);
                last.rows += 1;
            }
            _ => done.push(Chunk { text: record.to_owned(), rows: 1 }),
        }
    }
    done
}

/// A chunk's text of these rows.
#[must_use]
pub fn chunk_text(rows: &[Row]) -> String {
    write(rows).0
}

/// The rows of a chunk's text, in order.
pub fn read_chunk(text: &str) -> impl Iterator<Item = Result<Row, CorruptChunk>> {
    let reader =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.into_records().enumerate().map(|(record, result)| {
        let corrupt = CorruptChunk { record };
        read(&result.map_err(|_| corrupt)?).ok_or(corrupt)
    })
}

fn read(record: &StringRecord) -> Option<Row> {
    let mut cells = record.iter();
    let line = cells.next()?.parse().ok()?;
    Some(Row { line, cells: cells.map(str::to_owned).collect() })
}

/// The records one after the other, and where each ends.
fn write(rows: &[Row]) -> (String, Vec<usize>) {
    let mut writer = WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let mut ends = Vec::with_capacity(rows.len());
    for row in rows {
        let line = row.line.to_string();
        let cells = std::iter::once(line.as_str()).chain(row.cells.iter().map(String::as_str));
        writer.write_record(cells).expect("a Vec takes everything");
        writer.flush().expect("a Vec takes everything");
        ends.push(writer.get_ref().len());
    }
    let bytes = writer.into_inner().expect("a Vec takes everything");
    (String::from_utf8(bytes).expect("made of strings"), ends)
}
