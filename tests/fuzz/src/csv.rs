//! An uploaded file, and the mapping of its columns.
//!
//! What is read renders back to the same rows; stored pieces hold every row, in
//! order; each row becomes a recipient or a reason.

use carillon_domain::rows::{self, FileError, Mapping, Row, Table};
use carillon_domain::{Country, PhoneNumber};
use csv::{QuoteStyle, WriterBuilder};

use crate::input::parts;

const MAX_ROWS: usize = 20_000;

/// The file; the mapping as JSON.
pub fn check(data: &[u8]) {
    let [file, mapping] = parts(data);
    let text = match rows::decode(file) {
        Ok(text) => text,
        Err(error) => return assert_says(&error),
    };
    assert!(!text.contains('\0') && !text.trim().is_empty());
    let table = match Table::read(&text, MAX_ROWS) {
        Ok(table) => table,
        Err(error) => return assert_says(&error),
    };
    assert_sound(&table, &text);
    assert_reads_back(&table);
    for max_bytes in [1, 200, 300_000] {
        assert_stored_whole(&table, max_bytes);
    }
    let given = serde_json::from_slice(mapping);
    let given = given.map(|mapping| Mapping::from_json(&table.header, &mapping));
    for mapping in [given.ok(), Some(Mapping::guess(&table.header))].into_iter().flatten() {
        match mapping {
            Ok(mapping) => assert_rows_are_answered(&table, &mapping),
            Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
        }
    }
}

fn assert_says(error: &FileError) {
    assert!(!error.code().is_empty() && !error.to_string().is_empty());
}

fn assert_sound(table: &Table, text: &str) {
    assert!(!table.header.is_empty() && !table.rows.is_empty());
    assert!(table.rows.len() <= MAX_ROWS);
    for (at, name) in table.header.iter().enumerate() {
        assert!(!name.is_empty() && name.trim() == name);
        assert!(!table.header[..at].contains(name), "two columns of one name");
    }
    let ends = text.bytes().filter(|b| matches!(b, b'\n' | b'\r')).count();
    let lines: Vec<usize> = table.rows.iter().map(|row| row.line as usize).collect();
    assert!(lines.is_sorted_by(|a, b| a < b), "rows in the order of lines: {lines:?}");
    assert!(lines.iter().all(|line| (1..=ends + 1).contains(line)), "a line that is not there");
}

/// As a file with all cells in quotes.
fn assert_reads_back(table: &Table) {
    let mut writer =
        WriterBuilder::new().flexible(true).quote_style(QuoteStyle::Always).from_writer(vec![]);
    writer.write_record(&table.header).expect("a Vec takes everything");
    for row in &table.rows {
        writer.write_record(&row.cells).expect("a Vec takes everything");
    }
    let text = String::from_utf8(writer.into_inner().expect("whole")).expect("made of texts");
    // Excel's own directive; or a record that only its new quotes make too long.
    if text.to_ascii_lowercase().starts_with("\"sep=") || text.lines().any(|l| l.len() > 65_536) {
        return;
    }
    let again = Table::read(&text, MAX_ROWS).expect("what was a table is one again");
    assert_eq!(again.header, table.header);
    let cells = |rows: &[Row]| rows.iter().map(|row| row.cells.clone()).collect::<Vec<_>>();
    assert_eq!(cells(&again.rows), cells(&table.rows));
}

fn assert_stored_whole(table: &Table, max_bytes: usize) {
    let mut read = Vec::new();
    for chunk in rows::chunks(table, max_bytes) {
        assert!(chunk.rows == 1 || chunk.text.len() <= max_bytes);
        let before = read.len();
        read.extend(rows::read_chunk(&chunk.text).map(|row| row.expect("a chunk of ours")));
        assert_eq!(read.len() - before, chunk.rows as usize, "a chunk counts its rows");
    }
    assert_eq!(read, table.rows);
}

fn assert_rows_are_answered(table: &Table, mapping: &Mapping) {
    let stored = serde_json::to_string(mapping).expect("a mapping is stored");
    assert_eq!(serde_json::from_str::<Mapping>(&stored).expect("and read"), *mapping);
    let variables = mapping.variables();
    assert_eq!(mapping.columns().len(), variables.len() + 1);
    let country = Country::parse("AU").ok();
    for row in &table.rows {
        match mapping.recipient(&row.cells, country) {
            Ok(recipient) => {
                let to = recipient.to.as_str();
                assert_eq!(PhoneNumber::parse(to, None).as_ref(), Ok(&recipient.to));
                assert!(recipient.variables.keys().eq(&variables), "every variable has its cell");
                for value in recipient.variables.values() {
                    let value = value.as_str().expect("cells are texts");
                    assert!(value.trim() == value && !value.starts_with(['=', '@']));
                    assert!(value.chars().count() <= rows::MAX_CELL);
                }
            }
            Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
        }
    }
}
