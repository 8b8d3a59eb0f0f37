//! Write units by DynamoDB's rules, from the rows themselves: each change of the table is in its stream, with the
//! row before and after. Nothing here asks the engine what it counted.
//!
//! Source: DynamoDB Developer Guide, "DynamoDB item sizes and formats", "DynamoDB read and write operations",
//! "Using Global Secondary Indexes: provisioned throughput considerations"; transactions cost twice.

use anyhow::{Context, Result};
use carillon_store::schema::INDEXES;
use data_encoding::BASE64;
use serde_json::{Map, Value};

/// One change, measured.
#[derive(Clone)]
pub struct Change {
    /// The letters that the sort key begins with; `#`: a digit.
    pub kind: String,
    /// The state of a message.
    pub state: Option<String>,
    /// The row was not there before.
    pub new: bool,
    /// Of the table and of its indexes.
    pub table_units: f64,
    pub index_units: f64,
}

type Row = Map<String, Value>;

impl Change {
    /// From a stream record as Lambda gets it.
    pub fn read(record: &Value) -> Result<Self> {
        let change = &record["dynamodb"];
        let empty = Row::new();
        let after = change["NewImage"].as_object().context("a row after the change")?;
        let before = change["OldImage"].as_object().unwrap_or(&empty);
        let text = |name: &str| after.get(name).and_then(|value| value["S"].as_str());
        let sort = text("sk").context("a sort key")?;
        let partition = text("pk").unwrap_or_default();
        let is_audit = partition.contains("/audit/") || partition.contains("/from/");
        let by_time = sort.starts_with(|c: char| c.is_ascii_digit());
        let kind = match sort.split(|c: char| !c.is_ascii_alphabetic()).next() {
            _ if is_audit => "audit",
            // Two kinds of rows sort by time: the time line, and the counters of a day.
            _ if by_time && sort.split('#').nth(1).is_some_and(|word| word.len() > 1) => "counter",
            _ if by_time => "#",
            other => other.unwrap_or_default(),
        };
        let larger = size(before)?.max(size(after)?);
        Ok(Self {
            kind: kind.to_owned(),
            state: (kind == "m").then(|| text("s").unwrap_or_default().to_owned()),
            new: before.is_empty(),
            table_units: units(larger),
            index_units: INDEXES.iter().map(|index| index_writes(before, after, *index)).sum(),
        })
    }

    /// Whether a record is of a row that was written. None of what is measured deletes by
    /// itself: what goes, goes by its time to live, which costs nothing.
    pub fn is_written(record: &&Value) -> bool {
        record["dynamodb"]["NewImage"].is_object()
    }

    pub fn units(&self) -> f64 {
        self.table_units + self.index_units
    }
}

/// A unit each begun kilobyte.
#[expect(clippy::cast_precision_loss, reason = "a row has at most 400 KB")]
fn units(size: usize) -> f64 {
    size.div_ceil(1_024).max(1) as f64
}

/// An entry that comes or goes is a write; one whose keys change is both. Entries have keys only, so they are
/// under a kilobyte and change in no other way.
fn index_writes(before: &Row, after: &Row, (_, partition, sort): (&str, &str, &str)) -> f64 {
    let entry = |row: &Row| Some((row.get(partition)?.clone(), row.get(sort)?.clone()));
    match (entry(before), entry(after)) {
        (None, None) => 0.0,
        (Some(old), Some(new)) if old == new => 0.0,
        (Some(_), Some(_)) => 2.0,
        (Some(_), None) | (None, Some(_)) => 1.0,
    }
}

/// Names and values, in bytes.
fn size(row: &Row) -> Result<usize> {
    row.iter().try_fold(0, |sum, (name, value)| Ok(sum + name.len() + value_size(value)?))
}

fn value_size(value: &Value) -> Result<usize> {
    let (kind, value) = value.as_object().and_then(|v| v.iter().next()).context("a typed value")?;
    let text =
        value.as_str().context("texts, numbers, bytes and sets of texts are all that rows have");
    Ok(match kind.as_str() {
        "S" => text?.len(),
        "SS" => {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::len).sum()
        }
        "N" => {
            // Zeros at the end are not significant; there are no fractions in rows.
            let digits = text?.trim_start_matches('-').trim_end_matches('0').len();
            digits.div_ceil(2) + 1
        }
        _ => BASE64.decode(text?.as_bytes())?.len(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_costs_its_larger_row_and_what_it_moves_in_an_index() {
        let row = |due: Option<&str>, body: usize| {
            let mut row = json!({
                "pk": {"S": "o/x"}, "sk": {"S": "m/1"}, "s": {"S": "sch"}, "n": {"N": "12345"},
                "b": {"S": "x".repeat(body)},
            });
            if let Some(due) = due {
                row["due"] = json!({"S": "due/bulk/1"});
                row["due_at"] = json!({"S": due});
            }
            row
        };
        for (before, after, expected) in [
            (None, row(None, 10), 1.0),
            (None, row(Some("1"), 10), 2.0),
            (Some(row(Some("1"), 10)), row(Some("2"), 10), 3.0),
            (Some(row(Some("1"), 10)), row(Some("1"), 10), 1.0),
            (Some(row(Some("1"), 2_000)), row(None, 10), 3.0),
        ] {
            let record = json!({"dynamodb": {"OldImage": before, "NewImage": after}});
            let change = Change::read(&record).unwrap();
            assert_eq!((change.units(), change.kind.as_str()), (expected, "m"));
        }
        assert_eq!(size(row(None, 3).as_object().unwrap()).unwrap(), 5 + 5 + 4 + 1 + 4 + 4);
    }
}
