//! Reading an uploaded file of recipients.
//!
//! Bytes become text ([`decode`]), text a [`Table`], a table [`Chunk`]s to
//! store. Rows are read back from the chunks one page at a time, and a
//! [`Mapping`] makes of each a number and its variables, or the reason why not.
//! What is wrong with the file as a whole is a [`FileError`]; what is wrong
//! with a row concerns that row alone, by its line in the file.

mod chunk;
mod decode;
mod error;
mod guess;
mod harmless;
mod mapping;
mod quotes;
mod recipient;
pub mod stream;
mod table;
#[cfg(test)]
mod tests;

pub use chunk::{Chunk, CorruptChunk, chunk_text, chunks, read_chunk};
pub use decode::decode;
pub use error::{FileError, MappingError, RowError};
pub use guess::folded as folded_name;
pub use guess::{is_number_name, variable_name};
pub use harmless::harmless;
pub use mapping::{Mapping, Target};
pub use recipient::{MAX_CELL, Recipient};
pub use table::Table;

/// One record of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it begins in the file, from 1; the header is usually line 1.
    pub line: u32,
    pub cells: Vec<String>,
}
