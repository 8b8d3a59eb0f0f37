//! A file of a thousand rows, every fiftieth of them bad.

use std::collections::{BTreeMap, BTreeSet};

pub const TEXT: &str = "Hi {{ name }}, your class begins at 7 PM. See you there!";
pub const ROWS: usize = 1_000;

const BAD: [&str; 4] = ["not a number", "", "+61 2", "12345"];

pub struct File {
    pub csv: String,
    /// Numbers of the good rows.
    pub numbers: BTreeSet<String>,
    /// Lines of the bad ones (the header is line 1).
    pub bad_lines: BTreeSet<usize>,
}

pub fn thousand_rows() -> File {
    let mut csv = "name,phone\n".to_owned();
    let (mut numbers, mut bad_lines) = (BTreeSet::new(), BTreeSet::new());
    for row in 0..ROWS {
        let number = if row % 50 == 25 {
            bad_lines.insert(row + 2);
            BAD[row / 50 % BAD.len()].to_owned()
        } else {
            let number = format!("+61412{:06}", 345_000 + row);
            numbers.insert(number.clone());
            number
        };
        csv.push_str(&format!("Person {row},{number}\n"));
    }
    File { csv, numbers, bad_lines }
}

/// Line → reason of the report of rejected rows, whose first columns are `line` and `reason`.
pub fn read_report(report: &str) -> BTreeMap<usize, String> {
    let rows = report.lines().skip(1).filter_map(|row| {
        let mut cells = row.split(',');
        Some((cells.next()?.parse().ok()?, cells.next()?.to_owned()))
    });
    rows.collect()
}
