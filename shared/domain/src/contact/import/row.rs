//! A row of the file as what it says of a person, and whose row it is.

use std::collections::BTreeMap;

use super::super::{Attribute, fields, search};
use super::mapping::{Field, Mapping};
use crate::{Contact, ContactId, Country, OrgId, PhoneNumber, ids};

/// The longest cell that is used, in characters.
const LONGEST_CELL: usize = 1_600;
/// Between several values in one cell, as Google Contacts writes them.
const BETWEEN: &str = ":::";

/// Why a row becomes no contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub code: &'static str,
    pub detail: String,
}

impl Refused {
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// What a row says. Nothing where its cells are empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowContact {
    pub name: Option<String>,
    pub phone: Option<PhoneNumber>,
    pub email: Option<String>,
    pub external_id: Option<String>,
    pub status: Option<String>,
    pub score: Option<i32>,
    pub time_zone: Option<String>,
    pub language: Option<String>,
    pub labels: Vec<String>,
    pub attributes: BTreeMap<String, Attribute>,
}

/// Whether a contact that was found is the person of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    Yes,
    /// It is somebody else with the same email address.
    No,
    /// Two things of the row are two contacts'.
    Conflict(Refused),
}

impl Mapping {
    /// # Errors
    /// Why the row is refused.
    pub fn read(
        &self,
        cells: &[String],
        default_country: Option<Country>,
    ) -> Result<RowContact, Refused> {
        if cells.len() != self.width {
            return Err(Refused::new(
                "wrong_number_of_cells",
                format!(
                    "The row has {} cells and the header {}. Put cells that contain the separator \
                     into quotation marks.",
                    cells.len(),
                    self.width
                ),
            ));
        }
        if cells.iter().any(|cell| cell.chars().nth(LONGEST_CELL).is_some()) {
            let detail = format!(
                "A cell is longer than {LONGEST_CELL} characters. Shorten it, or close its \
                 quotation mark."
            );
            return Err(Refused::new("cell_too_long", detail));
        }
        let one = |field: Field, read: &dyn Fn(&str) -> Result<String, fields::Invalid>| {
            let cell = self.cells(&field, cells).next().map(str::to_owned);
            cell.map(|cell| read(&cell)).transpose().map_err(invalid)
        };
        let mut row = RowContact {
            name: self.name(cells)?,
            phone: self.phone(cells, default_country)?,
            email: one(Field::Email, &|cell| fields::email(first_value(cell)))?,
            external_id: one(Field::ExternalId, &fields::external_id)?,
            status: one(Field::Status, &fields::status)?,
            score: None,
            time_zone: one(Field::TimeZone, &fields::time_zone)?,
            language: one(Field::Language, &fields::language)?,
            labels: self.labels(cells)?,
            attributes: BTreeMap::new(),
        };
        if let Some(cell) = self.cells(&Field::Score, cells).next() {
            let number = cell.parse::<i64>().map_err(|_| fields::Invalid::Score);
            row.score = Some(number.and_then(fields::score).map_err(invalid)?);
        }
        for (place, field) in &self.columns {
            let Field::Attribute(name) = field else { continue };
            let Some(cell) = cells.get(*place).map(|c| c.trim()).filter(|c| !c.is_empty()) else {
                continue;
            };
            let value = Attribute::Text(cell.to_owned());
            fields::attribute(name, &value).map_err(invalid)?;
            row.attributes.insert(name.clone(), value);
        }
        let is_somebody = row.name.is_some()
            || row.phone.is_some()
            || row.email.is_some()
            || row.external_id.is_some();
        if is_somebody {
            return Ok(row);
        }
        let detail = "The row has no name, number, email address or external id; fill one in.";
        Err(Refused::new("nobody", detail))
    }

    /// Of one column, or of first and last name.
    fn name(&self, cells: &[String]) -> Result<Option<String>, Refused> {
        let one = |field: Field| self.cells(&field, cells).next().map(str::to_owned);
        let name = one(Field::Name).or_else(|| {
            let both: Vec<_> =
                [one(Field::FirstName), one(Field::LastName)].into_iter().flatten().collect();
            (!both.is_empty()).then(|| both.join(" "))
        });
        name.map(|name| fields::name(&name)).transpose().map_err(invalid)
    }

    /// The first that is a number; with none, why the first is not.
    fn phone(
        &self,
        cells: &[String],
        country: Option<Country>,
    ) -> Result<Option<PhoneNumber>, Refused> {
        let mut wrong = None;
        for cell in self.cells(&Field::Phone, cells).flat_map(|cell| cell.split(BETWEEN)) {
            match PhoneNumber::parse(cell.trim(), country) {
                Ok(phone) => return Ok(Some(phone)),
                Err(e) => {
                    wrong = wrong.or_else(|| Some(Refused::new(e.code(), e.to_string())));
                }
            }
        }
        wrong.map_or(Ok(None), Err)
    }

    fn labels(&self, cells: &[String]) -> Result<Vec<String>, Refused> {
        let mut found = Vec::new();
        for cell in self.cells(&Field::Labels, cells) {
            let parts = match cell.contains(BETWEEN) {
                true => cell.split(BETWEEN).collect::<Vec<_>>(),
                false => cell.split([',', ';', '|']).collect(),
            };
            // Google's own groups are marked so; everybody is in one of them.
            let own = parts.into_iter().map(|part| part.trim().trim_start_matches("* "));
            found.extend(own.filter(|l| !l.is_empty() && *l != "myContacts").map(str::to_owned));
        }
        fields::labels(found.iter().map(String::as_str)).map_err(invalid)
    }
}

fn first_value(cell: &str) -> &str {
    cell.split(BETWEEN).next().unwrap_or(cell)
}

fn invalid(e: fields::Invalid) -> Refused {
    Refused::new(e.code(), e.to_string())
}

impl RowContact {
    /// The contact that a row without number, address and external id makes: the
    /// same for the same row, in whichever file it stands.
    #[must_use]
    pub fn id_by_content(&self, org: OrgId) -> Option<ContactId> {
        if self.phone.is_some() || self.email.is_some() || self.external_id.is_some() {
            return None;
        }
        let name = search::fold(self.name.as_deref().unwrap_or_default());
        let rest = serde_json::json!(self.attributes).to_string();
        let parts: [&[u8]; 4] = [b"row", org.as_bytes(), name.as_bytes(), rest.as_bytes()];
        Some(ContactId::from_bytes(ids::hash(&parts)[..10].try_into().ok()?))
    }

    /// Whether this contact, which has a key of the row, is its person.
    #[must_use]
    pub fn is_of(&self, c: &Contact) -> Matched {
        let same_id = self.external_id.is_some() && c.external_id == self.external_id;
        let same_phone = self.phone.as_ref().is_some_and(|p| c.phones().any(|own| own == p));
        let other_id = self.external_id.is_some()
            && c.external_id.is_some()
            && c.external_id != self.external_id;
        let other_phone = self.phone.is_some() && c.phone.is_some() && !same_phone;
        match (same_id, same_phone) {
            (true, _) => Matched::Yes,
            (false, true) if other_id => Matched::Conflict(Refused::new(
                "contact_exists",
                format!(
                    "The number is that of contact {}, which has another external id; correct one \
                     of them, or merge the two.",
                    c.id
                ),
            )),
            (false, true) => Matched::Yes,
            (false, false) if other_id || other_phone => Matched::No,
            (false, false) => Matched::Yes,
        }
    }

    /// Puts what the row says into the contact; `labels` are for all of the file.
    ///
    /// # Errors
    /// When the contact would have too many labels or attributes.
    pub fn apply(&self, c: &mut Contact, labels: &[String]) -> Result<(), Refused> {
        let set = |value: &Option<String>, into: &mut Option<String>| {
            if value.is_some() {
                into.clone_from(value);
            }
        };
        set(&self.name, &mut c.name);
        set(&self.email, &mut c.email);
        set(&self.external_id, &mut c.external_id);
        set(&self.status, &mut c.status);
        set(&self.time_zone, &mut c.time_zone);
        set(&self.language, &mut c.language);
        if let Some(phone) = &self.phone
            && !c.other_phones.contains(phone)
        {
            c.phone = Some(phone.clone());
        }
        c.score = self.score.or(c.score);
        c.attributes.extend(self.attributes.clone());
        fields::attributes(&c.attributes).map_err(invalid)?;
        let all = c.labels.iter().chain(&self.labels).chain(labels).map(String::as_str);
        c.labels = fields::labels(all).map_err(invalid)?;
        Ok(())
    }
}
