use crate::phone::{Country, PhoneError};
use crate::rows::{MAX_CELL, Mapping, RowError};

fn mapping() -> Mapping {
    let header = ["name", "phone", "code"].map(str::to_owned);
    Mapping::guess(&header).expect("one number")
}

fn read(cells: &[&str]) -> Result<(String, String), RowError> {
    let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
    let recipient = mapping().recipient(&cells, Country::parse("IN").ok())?;
    let variables = serde_json::to_string(&recipient.variables).expect("JSON");
    Ok((recipient.to.as_str().to_owned(), variables))
}

#[test]
fn a_row_becomes_a_number_and_its_variables() {
    for (cells, number, variables) in [
        (["Ada", "98765 43210", "7"], "+919876543210", r#"{"code":"7","name":"Ada"}"#),
        ([" Ada ", " +61 412 345 678 ", ""], "+61412345678", r#"{"code":"","name":"Ada"}"#),
        (
            ["-", "+919876543210", "+1,200.50"],
            "+919876543210",
            r#"{"code":"+1,200.50","name":"-"}"#,
        ),
        (
            ["O'Brien, \"Al\"", "09876543210", "-5%"],
            "+919876543210",
            r#"{"code":"-5%","name":"O'Brien, \"Al\""}"#,
        ),
    ] {
        assert_eq!(read(&cells), Ok((number.to_owned(), variables.to_owned())));
    }
}

#[test]
fn a_row_that_becomes_no_message_says_why() {
    let formula = |column: &str| RowError::Formula { column: column.to_owned() };
    let long = "x".repeat(MAX_CELL + 1);
    for (cells, expected) in [
        (vec!["Ada", "", "7"], RowError::Phone(PhoneError::Missing)),
        (vec!["Ada", "12345", "7"], RowError::Phone(PhoneError::TooShort)),
        (vec!["Ada", "9.19876E+11", "7"], RowError::Phone(PhoneError::SpreadsheetDamage)),
        (vec!["Ada", "+61298765432", "7"], RowError::Phone(PhoneError::Landline)),
        (vec!["Ada", "-", "7"], RowError::Phone(PhoneError::NotANumber)),
        (vec!["Ada", "+999123456789", "7"], RowError::Phone(PhoneError::UnknownCountryCode)),
        (vec!["Ada", "=\"+61412345678\"", "7"], formula("phone")),
        (vec!["Ada", "+cmd|' /C calc'!A0", "7"], formula("phone")),
        (vec!["=1+1", "9876543210", "7"], formula("name")),
        (vec!["Ada", "9876543210", " @SUM(A1)"], formula("code")),
        (vec!["-2+3+cmd|' /C calc'!A0", "9876543210", "7"], formula("name")),
        (vec!["+HYPERLINK(1)", "9876543210", "7"], formula("name")),
        (vec!["Ada", "9876543210"], RowError::CellCount { expected: 3, found: 2 }),
        (vec!["Ada", "9876543210", "7", "x"], RowError::CellCount { expected: 3, found: 4 }),
        (vec!["Ada", "9876543210", &long], RowError::CellTooLong { column: "code".to_owned() }),
        (vec!["Ada", &long, "7"], RowError::CellTooLong { column: "phone".to_owned() }),
    ] {
        assert_eq!(read(&cells), Err(expected), "{cells:?}");
    }
    assert!(read(&["Ada", "9876543210", &"é".repeat(MAX_CELL)]).is_ok());
}

#[test]
fn columns_that_are_not_used_may_hold_anything() {
    let header = ["phone", "note"].map(str::to_owned);
    let json = serde_json::json!({"phone": "to"});
    let mapping = Mapping::from_json(&header, json.as_object().expect("an object")).expect("fits");
    let cells = ["+919876543210".to_owned(), "=cmd()".to_owned()];
    let recipient = mapping.recipient(&cells, None).expect("the note is not used");
    assert!(recipient.variables.is_empty());
}

#[test]
fn codes_are_the_ones_of_the_contract() {
    let column = String::new;
    for (error, code) in [
        (RowError::Phone(PhoneError::Missing), "missing_phone_number"),
        (RowError::Phone(PhoneError::TooLong), "invalid_phone_number"),
        (RowError::Phone(PhoneError::Landline), "landline_phone_number"),
        (RowError::Formula { column: column() }, "formula_cell"),
        (RowError::CellCount { expected: 1, found: 2 }, "wrong_number_of_cells"),
        (RowError::CellTooLong { column: column() }, "cell_too_long"),
    ] {
        assert_eq!(error.code(), code);
        assert!(error.to_string().ends_with('.'), "{error}");
    }
}
