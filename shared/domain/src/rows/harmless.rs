//! Cells of files that spreadsheets open.

/// A cell that a spreadsheet would run is written as text.
#[must_use]
pub fn harmless(cell: &str) -> String {
    let is_number = cell.strip_prefix(['+', '-']).is_some_and(|rest| {
        rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | '(' | ')' | '-'))
    });
    if cell.starts_with(['=', '@', '+', '-', '\t', '\r']) && !is_number {
        return format!("'{cell}");
    }
    cell.to_owned()
}
