//! A row as a number and its variables, or why not.

use serde_json::{Map, Value};

use super::{Mapping, RowError};
use crate::phone::{Country, PhoneNumber};

/// The longest cell that is used, in characters: ten segments of text.
pub const MAX_CELL: usize = 1_600;

/// What a row says.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    pub to: PhoneNumber,
    /// All mapped columns, as texts without space around them. An empty cell
    /// is an empty text.
    pub variables: Map<String, Value>,
}

impl Mapping {
    /// Reads the cells of a row; the number must be one that takes texts.
    ///
    /// # Errors
    /// See [`RowError`].
    pub fn recipient(
        &self,
        cells: &[String],
        default_country: Option<Country>,
    ) -> Result<Recipient, RowError> {
        if cells.len() != self.width() {
            return Err(RowError::CellCount { expected: self.width(), found: cells.len() });
        }
        let cell = |place: usize, name: &str, is_number: bool| {
            let text = cells[place].trim();
            if text.chars().nth(MAX_CELL).is_some() {
                return Err(RowError::CellTooLong { column: name.to_owned() });
            }
            if is_formula(text, is_number) {
                return Err(RowError::Formula { column: name.to_owned() });
            }
            Ok(text)
        };
        let number = cell(self.to().place, &self.to().name, true)?;
        let to = PhoneNumber::parse_mobile(number, default_country)?;
        let mut variables = Map::new();
        for (name, column) in self.variable_columns() {
            let text = cell(column.place, &column.name, false)?;
            variables.insert(name.clone(), Value::String(text.to_owned()));
        }
        Ok(Recipient { to, variables })
    }
}

/// What a spreadsheet would run: reports of ours are opened in one again. A
/// sign before a figure is fine, and a number begins with `+`.
fn is_formula(cell: &str, is_number: bool) -> bool {
    let Some(rest) = cell.strip_prefix(['+', '-']) else { return cell.starts_with(['=', '@']) };
    let is_figure = |c: char| {
        c.is_numeric()
            || c.is_whitespace()
            || matches!(c, '.' | ',' | '(' | ')' | '-' | '/' | ':' | '%')
    };
    if is_number {
        // What else may be wrong with it, the number's own error says better.
        rest.starts_with(|c: char| c.is_alphabetic() || matches!(c, '=' | '@'))
    } else {
        !rest.chars().all(is_figure)
    }
}
