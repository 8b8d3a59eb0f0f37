use serde_json::{Value, json};

use crate::rows::{Mapping, MappingError, Target};

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The mapping as `column=target` in the order of the file.
fn shown(mapping: &Mapping) -> Vec<String> {
    let target = |target| match target {
        Target::To => "to".to_owned(),
        Target::Variable(name) => format!("${name}"),
    };
    mapping.columns().into_iter().map(|(name, t)| format!("{name}={}", target(t))).collect()
}

fn from_json(names: &[&str], json: &Value) -> Result<Mapping, MappingError> {
    Mapping::from_json(&header(names), json.as_object().expect("an object"))
}

#[test]
fn the_column_of_the_number_is_guessed_from_its_name() {
    for name in [
        "to",
        "TO",
        "Phone",
        "phone_number",
        "Phone Number",
        " mobile ",
        "Mobile No.",
        "MSISDN",
        "WhatsApp",
        "whatsapp number",
        "cell",
        "Cell-Phone",
        "tel",
        "Tel.",
        "Telefon",
        "Teléfono",
        "number",
        "contact no",
        "मोबाइल",
        "手机",
    ] {
        let mapping = Mapping::guess(&header(&["First Name", name])).expect(name);
        assert_eq!(shown(&mapping)[1], format!("{name}=to"));
    }
}

#[test]
fn the_other_columns_become_variables_named_as_in_code() {
    let names = [
        "phone",
        "First Name",
        "lastName",
        "Order #",
        "UserID",
        "Größe",
        "नाम",
        "2nd line",
        "a--b",
        "_x",
    ];
    let mapping = Mapping::guess(&header(&names)).expect("one number");
    let expected = [
        "phone=to",
        "First Name=$first_name",
        "lastName=$last_name",
        "Order #=$order",
        "UserID=$user_id",
        "Größe=$gro_e",
        "नाम=$column_7",
        "2nd line=$_2nd_line",
        "a--b=$a_b",
        "_x=$x",
    ];
    assert_eq!(shown(&mapping), expected);
    assert!(mapping.variables().contains("first_name") && !mapping.variables().contains("to"));
}

#[test]
fn a_column_called_to_wins_over_one_called_phone() {
    let mapping = Mapping::guess(&header(&["phone", "To"])).expect("`to` decides");
    assert_eq!(shown(&mapping), ["phone=$phone", "To=to"]);
}

#[test]
fn a_given_mapping_uses_the_columns_it_names() {
    let names = ["Handy", "Vorname", "x"];
    let mapping =
        from_json(&names, &json!({"handy ": "to", "Vorname": "first_name"})).expect("fits");
    assert_eq!(shown(&mapping), ["Handy=to", "Vorname=$first_name"]);
}

#[test]
fn a_mapping_that_does_not_fit_says_why() {
    let names = ["phone", "name", "city"];
    for (mapping, code, says) in [
        (json!({"phone": "to", "nmae": "name"}), "mapping_unknown_column", "`nmae`"),
        (json!({"name": "name"}), "mapping_without_to", "`to`"),
        (json!({}), "mapping_without_to", "`to`"),
        (json!({"phone": "to", "name": "to"}), "mapping_twice", "`phone`"),
        (json!({"phone": "to", "name": "x", "city": "x"}), "mapping_twice", "`city`"),
        (json!({"phone": "to", "name": "first name"}), "mapping_invalid_name", "`name`"),
        (json!({"phone": "to", "name": ""}), "mapping_invalid_name", "`name`"),
        (json!({"phone": "to", "name": 3}), "mapping_invalid_name", "`name`"),
        (json!({"phone": "to", "name": "1x"}), "mapping_invalid_name", "`name`"),
    ] {
        let error = from_json(&names, &mapping).expect_err(code);
        assert_eq!(error.code(), code, "{mapping}");
        assert!(error.to_string().contains(says), "{error}");
    }
    for (names, code) in
        [(["name", "city"], "mapping_without_to"), (["phone", "mobile"], "mapping_twice")]
    {
        assert_eq!(Mapping::guess(&header(&names)).expect_err(code).code(), code);
    }
    let twice = header(&["phone", "First Name", "first_name"]);
    assert_eq!(Mapping::guess(&twice).expect_err("one variable").code(), "mapping_twice");
}

#[test]
fn a_mapping_survives_being_stored() {
    let mapping = Mapping::guess(&header(&["phone", "name"])).expect("one number");
    let stored = serde_json::to_string(&mapping).expect("JSON");
    assert_eq!(serde_json::from_str::<Mapping>(&stored).expect("the same"), mapping);
}
