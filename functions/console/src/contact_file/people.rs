//! What is in a file of people, by the rules that the import goes by. Whose rows are contacts already is found when it
//! runs, or is tried.

use carillon_domain::Country;
use carillon_domain::contact::import::{Field, Mapping};
use carillon_domain::rows::{self, Table};
use serde_json::{Map, Value};

use crate::figures;
use crate::upload::Column;

/// As many as the API takes.
const MOST_ROWS: usize = 1_000_000;
/// Rows that are read; the rest are likely to be as they are.
const READ: usize = 20_000;
/// Shown of what is wrong.
const MOST_WRONG: usize = 5;

/// What a column can be, and what people call it.
const FIELDS: [(&str, &str); 11] = [
    ("name", "The name"),
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("phone", "The number"),
    ("email", "E-mail"),
    ("external_id", "Id in your own system"),
    ("status", "Status"),
    ("score", "Score"),
    ("time_zone", "Time zone"),
    ("language", "Language"),
    ("labels", "Labels"),
];

pub struct People {
    pub columns: Vec<Column>,
    rows: usize,
    good: usize,
    rejected: usize,
    /// Line and reason of the first that are wrong.
    pub wrong: Vec<(u32, String)>,
    pub is_part: bool,
    /// What is wrong with the mapping.
    pub problem: Option<String>,
}

impl People {
    /// # Errors
    /// In words, what is wrong with the file as a whole.
    pub fn read(
        file: &[u8],
        given: Option<&Map<String, Value>>,
        country: Option<Country>,
    ) -> Result<Self, String> {
        let table = rows::decode(file).and_then(|text| Table::read(&text, MOST_ROWS));
        let table = table.map_err(|error| error.to_string())?;
        let mapping = match given {
            Some(given) => Mapping::from_json(&table.header, given),
            None => Mapping::guess(&table.header),
        };
        let targets = match &mapping {
            Ok(mapping) => mapping.shown(&table.header),
            Err(_) => Vec::new(),
        };
        let sent = |name: &str| given.and_then(|given| given.get(name)?.as_str());
        // What was chosen stays chosen, also where it is wrong.
        let target = |name: &str| match targets.iter().find(|(column, _)| *column == name) {
            Some((_, target)) => target.clone().unwrap_or_default(),
            None => sent(name).unwrap_or_default().to_owned(),
        };
        let mut people = Self {
            columns: Column::of(&table, target),
            rows: table.rows.len(),
            good: 0,
            rejected: 0,
            wrong: Vec::new(),
            is_part: table.rows.len() > READ,
            problem: mapping.as_ref().err().map(ToString::to_string),
        };
        let Ok(mapping) = mapping else { return Ok(people) };
        for row in table.rows.iter().take(READ) {
            match mapping.read(&row.cells, country) {
                Ok(_) => people.good += 1,
                Err(refused) => {
                    people.rejected += 1;
                    if people.wrong.len() < MOST_WRONG {
                        people.wrong.push((row.line, refused.detail));
                    }
                }
            }
        }
        Ok(people)
    }

    /// Whether a column says who a row is about, so that there is something to count.
    pub fn is_read(&self) -> bool {
        self.problem.is_none()
    }

    pub fn size(&self) -> String {
        figures::of(signed(self.rows), "row")
    }

    pub fn good(&self) -> String {
        figures::count(signed(self.good))
    }

    pub fn rejected(&self) -> String {
        figures::count(signed(self.rejected))
    }

    pub fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &FIELDS
    }

    /// The attribute that a column could be, as a mapping says it.
    pub fn attribute(&self, place: impl std::borrow::Borrow<usize>) -> String {
        let place = *place.borrow();
        let Some(column) = self.columns.get(place) else { return String::new() };
        if column.target.starts_with("attributes.") {
            return column.target.clone();
        }
        let name = rows::variable_name(&column.name, place + 1);
        let name: String = name.trim_start_matches('_').chars().take(40).collect();
        let own = Field::parse(&format!("attributes.{name}"));
        own.map_or_else(|| format!("attributes.column_{}", place + 1), |field| field.text())
    }
}

/// What follows the dot.
pub fn attribute_name(target: &str) -> &str {
    target.strip_prefix("attributes.").unwrap_or(target)
}

fn signed(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str =
        "Full name,Mobile,City\nAda,+61491570006,Sydney\nBob,12,Perth\nGrace,+61491570156,\n";

    #[test]
    fn columns_are_guessed_and_rows_read_before_anything_is_stored() {
        let people = People::read(FILE.as_bytes(), None, None).expect("people");
        let targets: Vec<_> = people.columns.iter().map(|c| c.target.as_str()).collect();
        assert_eq!(targets, ["name", "phone", "attributes.city"]);
        assert_eq!((people.good, people.rejected), (2, 1));
        assert_eq!(people.wrong[0].0, 3);
        assert_eq!(people.attribute(0_usize), "attributes.full_name");
        assert_eq!(people.attribute(2_usize), "attributes.city");
    }

    #[test]
    fn a_mapping_that_is_wrong_says_why_and_stays_as_it_was_chosen() {
        let given = json!({"Full name": "name", "Mobile": "name"});
        let people = People::read(FILE.as_bytes(), given.as_object(), None).expect("people");
        assert!(people.problem.as_ref().is_some_and(|text| text.contains("both mean `name`")));
        let targets: Vec<_> = people.columns.iter().map(|c| c.target.as_str()).collect();
        assert_eq!(targets, ["name", "name", ""]);
        assert!(!people.is_read());
    }
}
