//! What the columns of a file of people mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::{MOST_ATTRIBUTES, fields};
use crate::rows;

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Name,
    FirstName,
    LastName,
    Phone,
    Email,
    ExternalId,
    Status,
    Score,
    TimeZone,
    Language,
    Labels,
    Attribute(String),
}

/// Before the name of an attribute in a mapping.
const ATTRIBUTE: &str = "attributes.";

/// All but attributes, and their names.
const FIELDS: [(Field, &str); 11] = [
    (Field::Name, "name"),
    (Field::FirstName, "first_name"),
    (Field::LastName, "last_name"),
    (Field::Phone, "phone"),
    (Field::Email, "email"),
    (Field::ExternalId, "external_id"),
    (Field::Status, "status"),
    (Field::Score, "score"),
    (Field::TimeZone, "time_zone"),
    (Field::Language, "language"),
    (Field::Labels, "labels"),
];

impl Field {
    /// As a mapping names it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Attribute(name) => format!("{ATTRIBUTE}{name}"),
            field => FIELDS
                .iter()
                .find(|(f, _)| f == field)
                .map(|(_, name)| (*name).to_owned())
                .unwrap_or_default(),
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix(ATTRIBUTE) {
            return fields::attribute_name(name).is_ok().then(|| Self::Attribute(name.to_owned()));
        }
        FIELDS.iter().find(|(_, name)| *name == text).map(|(field, _)| field.clone())
    }

    /// Whether several columns may be this: the first that says something counts.
    const fn may_repeat(&self) -> bool {
        matches!(self, Self::Phone | Self::Email | Self::Labels)
    }
}

/// The columns cannot be told apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    #[error("The file has no column `{column}`. Its columns are: {}.", columns.join(", "))]
    UnknownColumn { column: String, columns: Vec<String> },
    #[error(
        "`{target}` is no field of a contact. Use name, first_name, last_name, phone, email, \
         external_id, status, score, time_zone, language, labels, or attributes.city for an \
         attribute; null leaves the column out."
    )]
    UnknownField { target: String },
    #[error("The columns `{first}` and `{second}` both mean `{target}`; map one of them.")]
    Twice { target: String, first: String, second: String },
    #[error(
        "No column says who a row is about: map one to phone, email, external_id or name, or name \
         it so in the header."
    )]
    Nobody,
    #[error(
        "The file has {columns} columns that would become attributes, and a contact has at most \
         {MOST_ATTRIBUTES}; give a mapping of those that you need."
    )]
    TooManyColumns { columns: usize },
}

impl MappingError {
    /// As it stands in problem documents.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownColumn { .. } => "mapping_unknown_column",
            Self::UnknownField { .. } => "mapping_unknown_field",
            Self::Twice { .. } => "mapping_twice",
            Self::Nobody => "mapping_without_person",
            Self::TooManyColumns { .. } => "too_many_columns",
        }
    }
}

/// What the columns mean, by their place in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mapping {
    pub(super) width: usize,
    pub(super) columns: BTreeMap<usize, Field>,
}

impl Mapping {
    /// The caller's: an object of column → field, `null` for a column that is
    /// left out. Columns that it does not name are not used.
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn from_json(header: &[String], json: &Map<String, Value>) -> Result<Self, MappingError> {
        let mut columns = BTreeMap::new();
        for (column, target) in json {
            let place = place_of(header, column)?;
            if target.is_null() {
                continue;
            }
            let text = target.as_str().map_or_else(|| target.to_string(), str::to_owned);
            let field = Field::parse(text.trim()).ok_or_else(|| MappingError::UnknownField {
                target: text.chars().take(60).collect(),
            })?;
            columns.insert(place, field);
        }
        Self::new(header, columns)
    }

    /// From the names in the header.
    ///
    /// # Errors
    /// When no column says who a row is about, or there are too many.
    pub fn guess(header: &[String]) -> Result<Self, MappingError> {
        let mut columns: BTreeMap<usize, Field> = BTreeMap::new();
        let mut attributes = Vec::new();
        // Beside it, `id` is somebody else's: our own, in an export of ours.
        let has_external = header.iter().any(|name| rows::folded_name(name) == "externalid");
        for (place, name) in header.iter().enumerate() {
            if has_external && rows::folded_name(name) == "id" {
                continue;
            }
            let guessed = guess(name);
            match guessed {
                Guess::Nothing => {}
                Guess::Field(field)
                    if !field.may_repeat() && columns.values().any(|other| *other == field) => {}
                Guess::Field(field) => drop(columns.insert(place, field)),
                Guess::Attribute => attributes.push(place),
            }
        }
        let count = attributes.len();
        for place in attributes {
            let name = rows::variable_name(&header[place], place + 1);
            let name = name.trim_start_matches('_');
            let name: String = match name.bytes().next() {
                Some(first) if first.is_ascii_alphabetic() => name.chars().take(40).collect(),
                _ => format!("column_{}", place + 1),
            };
            let field = Field::Attribute(name);
            if !columns.values().any(|other| *other == field) {
                columns.insert(place, field);
            }
        }
        if count > MOST_ATTRIBUTES {
            return Err(MappingError::TooManyColumns { columns: count });
        }
        Self::new(header, columns)
    }

    fn new(header: &[String], columns: BTreeMap<usize, Field>) -> Result<Self, MappingError> {
        for (place, field) in columns.iter().filter(|(_, field)| !field.may_repeat()) {
            if let Some((first, _)) = columns.range(..place).find(|(_, other)| *other == field) {
                return Err(MappingError::Twice {
                    target: field.text(),
                    first: header[*first].clone(),
                    second: header[*place].clone(),
                });
            }
        }
        let says_who = |field: &Field| {
            matches!(
                field,
                Field::Name
                    | Field::FirstName
                    | Field::LastName
                    | Field::Phone
                    | Field::Email
                    | Field::ExternalId
            )
        };
        if !columns.values().any(says_who) {
            return Err(MappingError::Nobody);
        }
        Ok(Self { width: header.len(), columns })
    }

    /// Each column of the file and what it means, in the order of the file;
    /// `None` is left out.
    #[must_use]
    pub fn shown<'a>(&self, header: &'a [String]) -> Vec<(&'a str, Option<String>)> {
        let field = |place: usize| self.columns.get(&place).map(Field::text);
        header.iter().enumerate().map(|(place, name)| (name.as_str(), field(place))).collect()
    }

    /// The cells of the columns that are this field.
    pub(super) fn cells<'a>(
        &'a self,
        field: &'a Field,
        cells: &'a [String],
    ) -> impl Iterator<Item = &'a str> {
        let places = self.columns.iter().filter(move |(_, f)| *f == field);
        places
            .filter_map(move |(place, _)| cells.get(*place))
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty())
    }

    /// The cells that may hold the person's number: for who looks for a person's
    /// rows.
    pub fn numbers<'a>(&'a self, cells: &'a [String]) -> impl Iterator<Item = &'a str> {
        self.cells(&Field::Phone, cells)
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

enum Guess {
    Field(Field),
    Attribute,
    Nothing,
}

/// Names by which fields are known, folded.
const NAMES: [(Field, &[&str]); 10] = [
    (
        Field::Name,
        &[
            "name",
            "fullname",
            "displayname",
            "contactname",
            "customername",
            "clientname",
            "nombre",
            "nom",
            "nomcomplet",
            "nombrecompleto",
            "vollername",
            "नाम",
            "имя",
            "姓名",
        ],
    ),
    (
        Field::FirstName,
        &["firstname", "givenname", "forename", "vorname", "prenom", "nombredepila", "fname"],
    ),
    (
        Field::LastName,
        &[
            "lastname",
            "familyname",
            "surname",
            "nachname",
            "nomdefamille",
            "apellido",
            "apellidos",
            "lname",
        ],
    ),
    (
        Field::Email,
        &[
            "email",
            "emailaddress",
            "mail",
            "mailaddress",
            "emailid",
            "correo",
            "correoelectronico",
            "courriel",
            "email1value",
            "email2value",
            "email3value",
            "emailadresse",
        ],
    ),
    (
        Field::ExternalId,
        &[
            "externalid",
            "id",
            "contactid",
            "customerid",
            "clientid",
            "leadid",
            "crmid",
            "userid",
            "recordid",
        ],
    ),
    (Field::Status, &["status", "leadstatus", "stage", "lifecyclestage", "contactstatus"]),
    (Field::Score, &["score", "leadscore", "engagementscore"]),
    (Field::TimeZone, &["timezone", "tz", "zone", "zeitzone", "fuseauhoraire", "zonahoraria"]),
    (
        Field::Language,
        &["language", "lang", "locale", "sprache", "langue", "idioma", "preferredlanguage"],
    ),
    (
        Field::Labels,
        &["labels", "label", "tags", "tag", "groups", "group", "groupmembership", "categories"],
    ),
];

/// Numbers as Google Contacts and Outlook name them, besides the names of
/// numbers in any file of recipients.
const NUMBERS: [&str; 7] = [
    "phone1value",
    "phone2value",
    "phone3value",
    "primaryphone",
    "homephone",
    "businessphone",
    "workphone",
];

/// Columns of exports that say nothing about a person that a text would use.
const NOTHING: [&str; 17] = [
    // Of our own exports.
    "attributes",
    "createdat",
    "photo",
    "phoneticfirstname",
    "phoneticmiddlename",
    "phoneticlastname",
    "yominame",
    "givennameyomi",
    "additionalnameyomi",
    "familynameyomi",
    "fileas",
    "initials",
    "shortname",
    "maidenname",
    "mileage",
    "sensitivity",
    "directoryserver",
];

fn guess(name: &str) -> Guess {
    let folded = rows::folded_name(name);
    if let Some((field, _)) = NAMES.iter().find(|(_, names)| names.contains(&folded.as_str())) {
        return Guess::Field(field.clone());
    }
    if NUMBERS.contains(&folded.as_str()) || rows::is_number_name(name) {
        return Guess::Field(Field::Phone);
    }
    // `Phone 1 - Type`, `Address 2 - Label`: what the column beside it is.
    let is_beside = name.contains(" - ") && (folded.ends_with("type") || folded.ends_with("label"));
    if is_beside || NOTHING.contains(&folded.as_str()) {
        return Guess::Nothing;
    }
    Guess::Attribute
}
