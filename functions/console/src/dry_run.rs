//! What is in a file, and what sending to it would come to: read and counted by the rules that the planner goes by.
//! An estimate: opt-outs, caps and quiet hours are looked at when each message is sent.

use std::collections::HashSet;

use carillon_domain::integration::{IntegrationSettings, Money};
use carillon_domain::rows::{self, Mapping, Row, Table, Target};
use carillon_domain::segments;
use carillon_domain::settings::Settings;
use carillon_domain::template::Template;
use serde_json::{Map, Value};

use crate::figures;
use crate::integrations::Integration;
use crate::upload::Column;

const MOST_ROWS: usize = 100_000;
/// Rows that are counted; the rest are likely to be as they are.
const COUNTED: usize = 20_000;
/// Shown of what is wrong.
const MOST_WRONG: usize = 5;

/// The file, and which column is what.
pub struct Sheet {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    pub mapping: Option<Mapping>,
    /// Names that a column can be given.
    pub names: Vec<String>,
    /// What is wrong with the mapping.
    pub problem: Option<String>,
}

impl Sheet {
    /// # Errors
    /// In words, what is wrong with the file as a whole.
    pub fn read(
        file: &[u8],
        given: Option<&Map<String, Value>>,
        text: &str,
    ) -> Result<Self, String> {
        let table = rows::decode(file).and_then(|text| Table::read(&text, MOST_ROWS));
        let table = table.map_err(|error| error.to_string())?;
        let mapping = match given {
            Some(given) => Mapping::from_json(&table.header, given),
            None => Mapping::guess(&table.header),
        };
        let (mapping, mut problem) = match mapping {
            Ok(mapping) => (Some(mapping), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let wanted = Template::parse(text).map(|text| text.variables()).unwrap_or_default();
        if let (Some(mapping), Ok(text), None) = (&mapping, Template::parse(text), &problem) {
            let missing = text.missing(&mapping.variables());
            if !missing.is_empty() {
                problem =
                    Some(format!("The text needs {}: say which column it is.", missing.join(", ")));
            }
        }
        let targets = mapping.as_ref().map(Mapping::columns).unwrap_or_default();
        let target = |name: &str| {
            let found = targets.iter().find(|(column, _)| *column == name);
            found.map_or_else(String::new, |(_, target)| match target {
                Target::To => "to".to_owned(),
                Target::Variable(name) => name.clone(),
            })
        };
        let columns = Column::of(&table, target);
        let mut names: Vec<String> = wanted.into_iter().collect();
        for column in &columns {
            if !column.target.is_empty() && column.target != "to" && !names.contains(&column.target)
            {
                names.push(column.target.clone());
            }
        }
        Ok(Self { columns, rows: table.rows, mapping, names, problem })
    }

    pub fn size(&self) -> String {
        figures::of(i64::try_from(self.rows.len()).unwrap_or(i64::MAX), "row")
    }
}

/// What would come of it.
#[derive(Default)]
pub struct DryRun {
    pub good: usize,
    pub duplicates: usize,
    pub rejected: usize,
    pub segments: u64,
    /// By currency, in millionths.
    costs: Vec<(String, u64)>,
    pub unpriced: usize,
    /// Line and reason of the first that are wrong.
    pub wrong: Vec<(u32, String)>,
    /// The first message.
    pub first: Option<String>,
    pub is_part: bool,
}

impl DryRun {
    pub fn of(
        sheet: &Sheet,
        mapping: &Mapping,
        text: &str,
        settings: &Settings,
        accounts: &[Integration],
    ) -> Self {
        let mut run = Self { is_part: sheet.rows.len() > COUNTED, ..Self::default() };
        let Ok(text) = Template::parse(text) else { return run };
        let prices = prices(accounts);
        let mut seen = HashSet::new();
        for row in sheet.rows.iter().take(COUNTED) {
            let recipient = match mapping.recipient(&row.cells, settings.default_country) {
                Ok(recipient) => recipient,
                Err(error) => {
                    run.reject(row.line, error.to_string());
                    continue;
                }
            };
            if !seen.insert(recipient.to.as_str().to_owned()) {
                run.duplicates += 1;
                continue;
            }
            let body = match text.render(&recipient.variables) {
                Ok(body) => body,
                Err(error) => {
                    run.reject(row.line, error.to_string());
                    continue;
                }
            };
            run.good += 1;
            let parts = u64::from(segments::count(&body).segments);
            run.segments += parts;
            match prices.iter().find_map(|account| account.price_of_part(&recipient.to)) {
                Some((micros, currency)) => run.add(currency, micros * parts),
                None => run.unpriced += 1,
            }
            run.first.get_or_insert(body);
        }
        run
    }

    fn reject(&mut self, line: u32, why: String) {
        self.rejected += 1;
        if self.wrong.len() < MOST_WRONG {
            self.wrong.push((line, why));
        }
    }

    fn add(&mut self, currency: &str, micros: u64) {
        match self.costs.iter_mut().find(|(known, _)| known == currency) {
            Some((_, sum)) => *sum += micros,
            None => self.costs.push((currency.to_owned(), micros)),
        }
    }

    pub fn cost(&self) -> String {
        if self.costs.is_empty() {
            return "no price is set".to_owned();
        }
        let money = self
            .costs
            .iter()
            .map(|(currency, micros)| figures::money(&Money::from_micros(*micros, currency)));
        money.collect::<Vec<_>>().join(" and ")
    }

    pub fn count(&self, n: &usize) -> String {
        figures::count(i64::try_from(*n).unwrap_or(i64::MAX))
    }

    pub fn all_segments(&self) -> String {
        figures::count(i64::try_from(self.segments).unwrap_or(i64::MAX))
    }
}

/// Settings of the accounts that send, the first to be asked first.
fn prices(accounts: &[Integration]) -> Vec<IntegrationSettings> {
    let open = accounts.iter().filter(|account| account.configured && account.enabled);
    let read = open
        .filter_map(|account| serde_json::from_value(Value::Object(account.settings.clone())).ok());
    let mut all: Vec<IntegrationSettings> = read.collect();
    all.sort_by_key(|settings| settings.priority);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "Phone,Name\n+61491570006,Ada\n+61 491 570 006,Ada again\nnobody,Bob\n+61491570156,Grace\n";

    #[test]
    fn a_file_is_read_and_counted_before_anything_is_sent() {
        let sheet = Sheet::read(FILE.as_bytes(), None, "Hi {{ name }}").expect("a sheet");
        let targets: Vec<_> = sheet.columns.iter().map(|c| c.target.as_str()).collect();
        assert_eq!(targets, ["to", "name"]);
        assert_eq!(sheet.columns[1].sample, ["Ada", "Ada again", "Bob"]);
        let mapping = sheet.mapping.as_ref().expect("a mapping");
        let run = DryRun::of(&sheet, mapping, "Hi {{ name }}", &Settings::default(), &[]);
        assert_eq!((run.good, run.duplicates, run.rejected, run.segments), (2, 1, 1, 2));
        assert_eq!(run.first.as_deref(), Some("Hi Ada"));
        assert_eq!(run.wrong[0].0, 4);
    }

    #[test]
    fn a_text_that_needs_more_than_the_file_has_says_so() {
        let sheet =
            Sheet::read(FILE.as_bytes(), None, "Hi {{ name }} at {{ time }}").expect("a sheet");
        assert_eq!(sheet.problem.as_deref(), Some("The text needs time: say which column it is."));
        assert!(sheet.names.contains(&"time".to_owned()));
        assert!(Sheet::read(b"", None, "Hi").is_err());
    }
}
