use super::*;

#[test]
fn every_kind_is_read_back_as_it_was_written() {
    let variables = vec![
        Variable::required("var1".to_owned()),
        Variable {
            key: "var2".to_owned(),
            label: Some("Time".to_owned()),
            required: false,
            default: Some("soon".to_owned()),
        },
    ];
    let registration = Registration {
        dlt_template_id: Some("1107160000000000001".to_owned()),
        provider_template_id: Some("112233".to_owned()),
        entity_id: None,
        sender_id: Some("CARLLN".to_owned()),
        route: None,
    };
    let translations = Translations {
        language: Some("en".to_owned()),
        others: BTreeMap::from([("hi".to_owned(), "नमस्ते {{ name }}".to_owned())]),
    };
    let press = KeyPress { answer: Answer::Confirm, label: None, say: Some("Thanks.".to_owned()) };
    let kinds = [
        Kind::Text(Text {
            body: "Hi {{ name }}".to_owned(),
            translations: translations.clone(),
            registration: Registration::default(),
        }),
        Kind::Dlt(Registered {
            body: "Dear {#var#}, at {#var#}.".to_owned(),
            registration,
            category: Some(Category::ServiceExplicit),
        }),
        Kind::WhatsappCampaign(Campaign { name: "nov_meetup".to_owned(), body: None }),
        Kind::Voice(Voice {
            script: Script::Text("Hello {{ name }}".to_owned()),
            translations,
            keys: BTreeMap::from([('1', press)]),
        }),
        Kind::Voice(Voice {
            script: Script::Audio("https://example.org/a.mp3".to_owned()),
            translations: Translations::default(),
            keys: BTreeMap::new(),
        }),
    ];
    for kind in kinds {
        let content = TemplateContent { kind, variables: variables.clone() };
        let (body, details) = content.row();
        assert_eq!(TemplateContent::of_row(body, &details), content);
    }
}

#[test]
fn rows_of_the_release_before_are_read() {
    let details = serde_json::json!({
        "name": "Old", "dlt_template_id": "1107", "variables": [{"key": "name"}, {}],
    });
    let details = details.as_object().expect("an object");
    let content = TemplateContent::of_row("Hi {{ name }}", details);
    assert!(matches!(&content.kind, Kind::Text(text) if text.body == "Hi {{ name }}"));
    assert_eq!(content.registration().and_then(Registration::id), Some("1107"));
    assert_eq!(content.variables[0], Variable::required("name".to_owned()));
    assert_eq!(content.variables[1].key, "");
}

#[test]
fn a_person_reads_the_nearest_language_there_is() {
    let others = ["hi", "hi-IN", "pt-BR", "zh-Hant"];
    let translations = Translations {
        language: Some("en".to_owned()),
        others: others.iter().map(|tag| ((*tag).to_owned(), format!("in {tag}"))).collect(),
    };
    for (wanted, chosen) in [
        (None, "en"),
        (Some("en"), "en"),
        (Some("en-AU"), "en"),
        (Some("hi"), "hi"),
        (Some("HI-in"), "hi-IN"),
        (Some("hi-US"), "hi"),
        (Some("pt"), "pt-BR"),
        (Some("pt-PT"), "pt-BR"),
        (Some("zh-Hant-TW"), "zh-Hant"),
        (Some("fr"), "en"),
        (Some(""), "en"),
        (Some("-"), "en"),
    ] {
        let (language, text) = translations.choose("in en", wanted);
        assert_eq!(language, Some(chosen), "{wanted:?}");
        assert_eq!(text, format!("in {chosen}"));
    }
    // A text that does not say its language is what everybody else reads.
    let silent = Translations { language: None, ..translations };
    assert_eq!(silent.choose("own", Some("en")), (None, "own"));
}
