use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::Contact;
use crate::contact::Attribute;

fn header(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|c| (*c).to_owned()).collect()
}

fn guessed(columns: &[&str]) -> Vec<Option<String>> {
    let header = header(columns);
    let mapping = Mapping::guess(&header).expect("a mapping");
    mapping.shown(&header).into_iter().map(|(_, field)| field).collect()
}

fn read(columns: &[&str], cells: &[&str]) -> Result<RowContact, Refused> {
    let mapping = Mapping::guess(&header(columns)).expect("a mapping");
    mapping.read(&header(cells), Country::parse("AU").ok())
}

#[test]
fn columns_are_known_by_many_names() {
    for (columns, fields) in [
        (&["Name", "Phone", "City"][..], &["name", "phone", "attributes.city"][..]),
        (&["First Name", "Surname", "E-Mail"], &["first_name", "last_name", "email"]),
        (&["Vorname", "Nachname", "Handynummer"], &["first_name", "last_name", "phone"]),
        (&["Prénom", "Téléphone", "Langue"], &["first_name", "phone", "language"]),
        (&["Customer ID", "mobile_no", "Tags"], &["external_id", "phone", "labels"]),
        (&["नाम", "मोबाइल"], &["name", "phone"]),
        (&["name", "Company Name"], &["name", "attributes.company_name"]),
        (&["external_id", "Kunde"], &["external_id", "attributes.kunde"]),
        (&["name", "2nd choice"], &["name", "attributes.column_2"]),
    ] {
        let expected: Vec<_> = fields.iter().map(|f| Some((*f).to_owned())).collect();
        assert_eq!(guessed(columns), expected, "{columns:?}");
    }
}

#[test]
fn exports_of_address_books_are_read_as_they_are() {
    let google = [
        "First Name",
        "Middle Name",
        "Last Name",
        "Phonetic First Name",
        "Nickname",
        "Photo",
        "Labels",
        "E-mail 1 - Label",
        "E-mail 1 - Value",
        "Phone 1 - Label",
        "Phone 1 - Value",
        "Phone 2 - Label",
        "Phone 2 - Value",
    ];
    let row = read(
        &google,
        &[
            "Ada",
            "",
            "Lovelace",
            "",
            "",
            "https://x",
            "* myContacts ::: Clients ::: VIP",
            "* Home",
            "Ada@Example.com ::: ada@work.com",
            "Mobile",
            "0491 570 006 ::: 0491570110",
            "",
            "",
        ],
    )
    .expect("a person");
    assert_eq!(row.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(row.email.as_deref(), Some("ada@example.com"));
    assert_eq!(row.phone.as_ref().map(|p| p.as_str()), Some("+61491570006"));
    assert_eq!(row.labels, ["Clients", "VIP"]);
    let outlook = ["First Name", "Last Name", "E-mail Address", "Home Phone", "Mobile Phone"];
    let row = read(&outlook, &["Ada", "", "", "", "0491570006"]).expect("a person");
    assert_eq!(row.phone.as_ref().map(|p| p.as_str()), Some("+61491570006"));
}

#[test]
fn what_is_wrong_with_a_mapping_is_said() {
    let many: Vec<String> = (0..60).map(|n| format!("column {n}")).collect();
    let many: Vec<&str> = std::iter::once("name").chain(many.iter().map(String::as_str)).collect();
    for (columns, mapping, code) in [
        (&["city"][..], None, "mapping_without_person"),
        (&many, None, "too_many_columns"),
        (&["a"], Some(json!({"b": "phone"})), "mapping_unknown_column"),
        (&["a"], Some(json!({"a": "telephone"})), "mapping_unknown_field"),
        (&["a"], Some(json!({"a": "attributes.first name"})), "mapping_unknown_field"),
        (&["a"], Some(json!({"a": 1})), "mapping_unknown_field"),
        (&["a", "b"], Some(json!({"a": "name", "b": "name"})), "mapping_twice"),
        (&["a"], Some(json!({"a": null})), "mapping_without_person"),
    ] {
        let header = header(columns);
        let read = match &mapping {
            None => Mapping::guess(&header),
            Some(json) => Mapping::from_json(&header, json.as_object().expect("an object")),
        };
        assert_eq!(read.expect_err("refused").code(), code, "{mapping:?}");
    }
}

#[test]
fn what_is_wrong_with_a_row_is_said() {
    let columns = ["name", "phone", "email", "time zone", "language", "score"];
    for (cells, code) in [
        (["", "", "", "", "", ""], "nobody"),
        (["Ada", "12", "", "", "", ""], "invalid_phone_number"),
        (["Ada", "", "ada", "", "", ""], "invalid_email"),
        (["Ada", "", "", "Mars", "", ""], "unknown_time_zone"),
        (["Ada", "", "", "", "english", ""], "invalid_language"),
        (["Ada", "", "", "", "", "many"], "invalid_score"),
    ] {
        assert_eq!(read(&columns, &cells).expect_err("refused").code, code, "{cells:?}");
    }
    assert_eq!(read(&columns, &["Ada"]).expect_err("short").code, "wrong_number_of_cells");
}

#[test]
fn an_empty_cell_takes_nothing_away() {
    let org = OrgId::from_bytes([1; 10]);
    let mut c = Contact::new(ContactId::from_bytes([2; 10]), org, "", Timestamp::UNIX_EPOCH);
    c.email = Some("ada@example.com".to_owned());
    c.labels = vec!["old".to_owned()];
    let columns = ["name", "phone", "email", "city", "labels"];
    let row = read(&columns, &["Ada", "0491570006", "", "", "new"]).expect("a person");
    row.apply(&mut c, &["file".to_owned()]).expect("fits");
    assert_eq!(c.email.as_deref(), Some("ada@example.com"));
    assert_eq!(c.labels, ["old", "new", "file"]);
    assert!(c.attributes.is_empty());
    let before = c.clone();
    row.apply(&mut c, &["FILE".to_owned()]).expect("fits");
    assert!(c.says_the_same(&before), "the same row again changes nothing");
    let row = read(&columns, &["Ada", "", "", "Sydney", ""]).expect("a person");
    row.apply(&mut c, &[]).expect("fits");
    assert_eq!(c.attributes["city"], Attribute::Text("Sydney".to_owned()));
}

#[test]
fn whose_row_it_is() {
    let org = OrgId::from_bytes([1; 10]);
    let contact = |phone: &str, external: Option<&str>| {
        let mut c = Contact::new(ContactId::from_bytes([2; 10]), org, "", Timestamp::UNIX_EPOCH);
        c.phone = PhoneNumber::parse(phone, None).ok();
        c.email = Some("a@example.com".to_owned());
        c.external_id = external.map(str::to_owned);
        c
    };
    let row = |phone: &str, external: Option<&str>| RowContact {
        phone: PhoneNumber::parse(phone, None).ok(),
        external_id: external.map(str::to_owned),
        email: Some("a@example.com".to_owned()),
        ..RowContact::default()
    };
    let (one, two) = ("+61491570006", "+61491570110");
    for (c, r, matched) in [
        (contact(one, Some("x")), row(two, Some("x")), Some(true)),
        (contact(one, None), row(one, Some("x")), Some(true)),
        (contact(one, Some("y")), row(one, Some("x")), None),
        (contact(one, None), row(two, None), Some(false)),
        (contact("", None), row(two, None), Some(true)),
        (contact(one, Some("y")), row("", Some("x")), Some(false)),
    ] {
        let found = match r.is_of(&c) {
            Matched::Yes => Some(true),
            Matched::No => Some(false),
            Matched::Conflict(_) => None,
        };
        assert_eq!(found, matched, "{c:?} {r:?}");
    }
}

use crate::PhoneNumber;
