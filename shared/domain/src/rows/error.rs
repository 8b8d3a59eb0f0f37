//! What can be wrong with a file, a mapping or a row, and what to do about it.

use crate::phone::PhoneError;

/// The file cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("The file is empty. Upload a CSV file with a header and one row for each recipient.")]
    Empty,
    #[error("The file has a header and no rows. Add one row for each recipient.")]
    NoRows,
    #[error(
        "The first row looks like a recipient. Put a header above it, such as `phone,name`, so that \
         columns have names."
    )]
    MissingHeader,
    #[error("Column {column} has no name. Name it in the header, or delete the column.")]
    UnnamedColumn { column: usize },
    #[error("Two columns are named `{name}`. Give each column a name of its own.")]
    DuplicateColumn { name: String },
    #[error(
        "The file has {columns} columns, and {limit} are read. Leave out those that no text uses."
    )]
    TooManyColumns { columns: usize, limit: usize },
    #[error("The file has more than {limit} rows. Split it into smaller files.")]
    TooManyRows { limit: usize },
    #[error(
        "This is {what}, not a CSV file. Open it in its program, save it as CSV (UTF-8), and \
         upload that."
    )]
    OtherFormat { what: &'static str },
    #[error(
        "The row that begins in line {line} does not end: a quotation mark (\") in it is probably \
         not closed."
    )]
    UnclosedQuote { line: u32 },
    #[error(
        "The characters of the file cannot be read{}. Save it as CSV (UTF-8) and upload it again.",
        in_line(*line)
    )]
    Undecodable { line: Option<u32> },
}

fn in_line(line: Option<u32>) -> String {
    line.map(|line| format!(" (line {line})")).unwrap_or_default()
}

impl FileError {
    /// As it stands in problem documents.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty | Self::NoRows => "empty_file",
            Self::MissingHeader => "missing_header",
            Self::UnnamedColumn { .. } => "unnamed_column",
            Self::DuplicateColumn { .. } => "duplicate_column",
            Self::TooManyColumns { .. } => "too_many_columns",
            Self::TooManyRows { .. } => "too_many_rows",
            Self::OtherFormat { .. } | Self::UnclosedQuote { .. } => "not_csv",
            Self::Undecodable { .. } => "undecodable",
        }
    }
}

/// The columns cannot be told apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    #[error("The file has no column `{column}`. Its columns are: {}.", columns.join(", "))]
    UnknownColumn { column: String, columns: Vec<String> },
    #[error(
        "No column is mapped to `to`, the recipient's number. Give a mapping such as \
         {{\"Phone\": \"to\"}}, or name the column `phone`."
    )]
    WithoutTo,
    #[error(
        "The columns `{first}` and `{second}` both mean `{target}`. Give a mapping that says which \
         of them to use."
    )]
    Twice { target: String, first: String, second: String },
    #[error(
        "The column `{column}` is mapped to something that is no name. Use `to`, or a variable of \
         letters, digits and _ that does not begin with a digit."
    )]
    BadName { column: String },
}

impl MappingError {
    /// As it stands in problem documents.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownColumn { .. } => "mapping_unknown_column",
            Self::WithoutTo => "mapping_without_to",
            Self::Twice { .. } => "mapping_twice",
            Self::BadName { .. } => "mapping_invalid_name",
        }
    }
}

/// This row becomes no message; the others do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    #[error(transparent)]
    Phone(#[from] PhoneError),
    #[error(
        "The cell in column `{column}` is a formula, or would be one in a spreadsheet. Write its \
         result as text."
    )]
    Formula { column: String },
    #[error(
        "The row has {found} cells and the header {expected}. Put cells that contain the separator \
         into quotation marks."
    )]
    CellCount { expected: usize, found: usize },
    #[error(
        "The cell in column `{column}` is longer than {} characters. Shorten it, or close its \
         quotation mark.",
        super::MAX_CELL
    )]
    CellTooLong { column: String },
}

impl RowError {
    /// As it stands in import reports.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Phone(error) => error.code(),
            Self::Formula { .. } => "formula_cell",
            Self::CellCount { .. } => "wrong_number_of_cells",
            Self::CellTooLong { .. } => "cell_too_long",
        }
    }
}
