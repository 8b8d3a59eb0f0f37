//! Which column is what.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{MappingError, guess};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The recipient's number.
    To,
    Variable(String),
}

/// The columns that are used, by place. Serializes, so that a file is read to
/// its end as it was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Columns in the file, used or not.
    width: usize,
    to: Column,
    variables: Vec<(String, Column)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Column {
    pub place: usize,
    pub name: String,
}

impl Mapping {
    /// The cell that the recipient's number is in.
    #[must_use]
    pub fn number<'a>(&self, cells: &'a [String]) -> Option<&'a str> {
        cells.get(self.to.place).map(String::as_str)
    }

    /// The caller's mapping: an object of column → `to` or a variable. Columns
    /// it does not name are not used.
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn from_json(header: &[String], json: &Map<String, Value>) -> Result<Self, MappingError> {
        let mut targets = Vec::with_capacity(json.len());
        for (column, target) in json {
            let place = place_of(header, column)?;
            let target = match target.as_str().map(str::trim) {
                Some("to") => Target::To,
                Some(name) if is_variable_name(name) => Target::Variable(name.to_owned()),
                _ => return Err(MappingError::BadName { column: column.clone() }),
            };
            targets.push((place, target));
        }
        Self::new(header, targets)
    }

    /// From the names in the header: the column that is called `to`, `phone`,
    /// `mobile` or the like, and every other as a variable.
    ///
    /// # Errors
    /// When no column, or more than one, looks like the number; when two are
    /// the same variable.
    pub fn guess(header: &[String]) -> Result<Self, MappingError> {
        // `to` says it; beside it, `phone` is a variable.
        let named_to = header.iter().position(|name| name.trim().eq_ignore_ascii_case("to"));
        let targets = header.iter().enumerate().map(|(place, name)| {
            let is_to = named_to.map_or_else(|| guess::is_number_name(name), |to| to == place);
            let variable = || Target::Variable(guess::variable_name(name, place + 1));
            (place, if is_to { Target::To } else { variable() })
        });
        Self::new(header, targets.collect())
    }

    /// The variables that every row has.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        self.variables.iter().map(|(name, _)| name.clone()).collect()
    }

    /// What the columns mean, in the order of the file.
    #[must_use]
    pub fn columns(&self) -> Vec<(&str, Target)> {
        let mut columns: Vec<(&Column, Target)> = self
            .variables
            .iter()
            .map(|(name, column)| (column, Target::Variable(name.clone())))
            .collect();
        columns.push((&self.to, Target::To));
        columns.sort_by_key(|(column, _)| column.place);
        columns.into_iter().map(|(column, target)| (column.name.as_str(), target)).collect()
    }

    pub(super) const fn width(&self) -> usize {
        self.width
    }

    pub(super) const fn to(&self) -> &Column {
        &self.to
    }

    pub(super) fn variable_columns(&self) -> &[(String, Column)] {
        &self.variables
    }

    fn new(header: &[String], targets: Vec<(usize, Target)>) -> Result<Self, MappingError> {
        let mut to: Option<Column> = None;
        let mut variables: Vec<(String, Column)> = Vec::new();
        for (place, target) in targets {
            let column = Column { place, name: header[place].clone() };
            let twice = |target: &str, first: &Column| MappingError::Twice {
                target: target.to_owned(),
                first: first.name.clone(),
                second: header[place].clone(),
            };
            match target {
                Target::To => match &to {
                    Some(first) => return Err(twice("to", first)),
                    None => to = Some(column),
                },
                Target::Variable(name) => {
                    if let Some((_, first)) = variables.iter().find(|(other, _)| *other == name) {
                        return Err(twice(&name, first));
                    }
                    variables.push((name, column));
                }
            }
        }
        Ok(Self { width: header.len(), to: to.ok_or(MappingError::WithoutTo)?, variables })
    }
}

/// The name as it is, else without regard to case.
fn place_of(header: &[String], column: &str) -> Result<usize, MappingError> {
    let wanted = column.trim();
    let exact = header.iter().position(|name| name == wanted);
    let folded = || {
        let wanted = wanted.to_lowercase();
        header.iter().position(|name| name.to_lowercase() == wanted)
    };
    exact.or_else(folded).ok_or_else(|| MappingError::UnknownColumn {
        column: column.to_owned(),
        columns: header.to_vec(),
    })
}

/// What a template can name.
fn is_variable_name(name: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    name.bytes().all(is_word) && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}
