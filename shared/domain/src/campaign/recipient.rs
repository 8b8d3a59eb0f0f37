//! A recipient of a step, frozen: what planning reads, however often. It stands
//! as a row of a file does, so that the planner of files plans it.

use serde_json::{Map, Value};

use crate::rows::Row;
use crate::{ContactId, PhoneNumber};

/// The cell with the number, as in a row of a file.
pub const NUMBER: usize = 0;
const CELLS: usize = 5;

/// Whom a step is sent to, and what it says to this person.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen {
    pub to: PhoneNumber,
    pub contact: ContactId,
    /// Of the contact, where it is known: an IANA name.
    pub zone: Option<String>,
    pub variables: Map<String, Value>,
    /// Where the source's own text does not say it: it is in another language.
    pub body: Option<String>,
}

/// The line is the registration's number.
#[must_use]
pub fn frozen(number: u32, f: &Frozen) -> Row {
    let variables = serde_json::to_string(&f.variables).unwrap_or_default();
    let [zone, body] = [&f.zone, &f.body].map(|text| text.clone().unwrap_or_default());
    let cells = vec![f.to.as_str().to_owned(), f.contact.to_string(), zone, variables, body];
    Row { line: number, cells }
}

/// `None` where it is not what [`frozen`] made; the person was forgotten since,
/// for one.
#[must_use]
pub fn read_frozen(cells: &[String]) -> Option<Frozen> {
    let [to, contact, zone, variables, body]: &[String; CELLS] = cells.try_into().ok()?;
    let there = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Some(Frozen {
        to: PhoneNumber::parse(to, None).ok()?,
        contact: contact.parse().ok()?,
        variables: serde_json::from_str(variables).ok()?,
        zone: there(zone),
        body: there(body),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_frozen_recipient_is_read_back_and_a_forgotten_one_is_none() {
        let variables = json!({"name": "Zoë \"Z\", Ltd", "n": 3}).as_object().cloned();
        let mut f = Frozen {
            to: PhoneNumber::parse("+61491570006", None).expect("a number"),
            contact: ContactId::from_bytes([7; 10]),
            zone: None,
            variables: variables.expect("an object"),
            body: None,
        };
        assert_eq!(frozen(12, &f).line, 12);
        assert_eq!(read_frozen(&frozen(12, &f).cells).as_ref(), Some(&f));
        f.body = Some("Hallo,\nZoë".to_owned());
        f.zone = Some("Europe/Berlin".to_owned());
        let mut row = frozen(12, &f);
        assert_eq!(read_frozen(&row.cells), Some(f));
        row.cells.iter_mut().for_each(String::clear);
        assert_eq!(read_frozen(&row.cells), None);
        assert_eq!(read_frozen(&[]), None);
    }
}
