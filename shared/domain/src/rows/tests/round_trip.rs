use proptest::collection::vec;
use proptest::prelude::*;

use crate::rows::{CorruptChunk, Row, Table, chunks, decode, read_chunk};

fn table(rows: Vec<Row>) -> Table {
    Table { header: vec!["phone".to_owned()], rows }
}

fn read_all(table: &Table, max_bytes: usize) -> Vec<Row> {
    let chunks = chunks(table, max_bytes);
    let rows = chunks.iter().flat_map(|chunk| {
        let rows: Vec<Row> = read_chunk(&chunk.text).map(|row| row.expect("ours")).collect();
        assert_eq!(rows.len(), chunk.rows as usize);
        assert!(chunk.text.len() <= max_bytes || chunk.rows == 1);
        rows
    });
    rows.collect()
}

#[test]
fn a_chunk_that_is_not_ours_is_not_taken_for_rows() {
    let found: Vec<_> = read_chunk("2,a\nx,b\n").collect();
    assert_eq!(found[1], Err(CorruptChunk { record: 1 }));
    assert_eq!(read_chunk("").count(), 0);
}

#[test]
fn a_hundred_thousand_rows_are_read_and_stored_in_order() {
    let rows = (0..100_000).map(|n| format!("+91 98765 {n:05},Name {n},\"Pune, {n}\"\r\n"));
    let text = format!("phone,name,city\r\n{}", rows.collect::<String>());
    let table = Table::read(&decode(text.as_bytes()).expect("a text"), 100_000).expect("a table");
    let chunks = chunks(&table, 300_000);
    assert!(chunks.len() > 10 && chunks.iter().all(|chunk| chunk.text.len() <= 300_000));
    let lines = chunks.iter().flat_map(|c| read_chunk(&c.text).map(|row| row.expect("ours").line));
    assert!(lines.eq(2..=100_001));
}

/// Cells with all that CSV treats specially.
fn any_cell() -> impl Strategy<Value = String> {
    prop_oneof!["[a\",;|\t\n\r '=+#\u{feff}]{0,12}", "\\PC{0,12}", ".{0,8}"]
}

/// The way a spreadsheet writes a cell.
fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

proptest! {
    #[test]
    fn rows_come_out_of_chunks_as_they_went_in(
        cells in vec(vec(any_cell(), 0..6), 1..20),
        max_bytes in 1_usize..400,
    ) {
        let row = |(n, cells)| Row { line: n as u32 * 3 + 2, cells };
        let table = table(cells.into_iter().enumerate().map(row).collect());
        prop_assert_eq!(read_all(&table, max_bytes), table.rows);
    }

    #[test]
    fn cells_and_lines_of_a_file_come_out_as_they_went_in(
        cells in vec((any_cell(), any_cell()), 1..12),
        blank in vec(0_usize..3, 12),
        separator in prop_oneof![Just(','), Just(';'), Just('\t'), Just('|')],
        end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
    ) {
        let mut text = format!("phone{separator}a{separator}b{end}");
        let mut expected = Vec::new();
        for (number, ((a, b), blank)) in cells.iter().zip(blank).enumerate() {
            text.push_str(&end.repeat(blank));
            // An editor ends a line at each of the three.
            let line = text.replace("\r\n", "\n").matches(['\n', '\r']).count() as u32 + 1;
            let cells = vec![number.to_string(), a.clone(), b.clone()];
            let record: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            text.push_str(&record.join(&separator.to_string()));
            text.push_str(end);
            expected.push(Row { line, cells });
        }
        let table = Table::read(&text, 100).expect("a table");
        prop_assert_eq!(table.rows, expected);
    }

    #[test]
    fn no_file_makes_it_panic(bytes in vec(any::<u8>(), 0..200), text in "([a\",;\n\r =0-9]|phone){0,60}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            if let Ok(text) = decode(bytes) {
                let _ = Table::read(&text, 10);
            }
        }
    }
}
