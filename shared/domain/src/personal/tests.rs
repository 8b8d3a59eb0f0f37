use jiff::tz::TimeZone;
use serde_json::json;

use super::*;
use crate::content::{Campaign, Registered, Text, Translations, Variable};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn mapping(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

fn zone(name: &str) -> TimeZone {
    crate::wall_clock::zone(name).expect(name)
}

fn variable(key: &str, required: bool, default: Option<&str>) -> Variable {
    let default = default.map(str::to_owned);
    Variable { key: key.to_owned(), label: None, required, default }
}

/// Ada in Perth at a workshop in Sydney: Friday 27 November 2026, 7 PM.
fn with_ada<T>(language: Option<&str>, tell: impl FnOnce(&About<'_>) -> T) -> T {
    let (sydney, perth) = (zone("Australia/Sydney"), zone("Australia/Perth"));
    let attributes = object(json!({"city": "Perth", "seats": 2, "note": ""}));
    let contact = Person {
        name: Some("Ada Lovelace"),
        first_name: Some("Ada"),
        phone: Some("+61491570006"),
        email: Some(" "),
        language,
        zone: Some(&perth),
        attributes: Some(&attributes),
        ..Person::default()
    };
    let starts_at = "2026-11-27T08:00:00Z".parse().expect("a moment");
    let workshop = Workshop { title: "Crypto basics", starts_at, zone: &sydney };
    tell(&About {
        contact: Some(contact),
        workshop: Some(workshop),
        organization: Some("Northern branch"),
    })
}

#[test]
fn a_text_mentions_contact_workshop_and_organization() {
    for (body, expected) in [
        ("Hi {{ contact.first_name }}", "Hi Ada"),
        ("{{ contact.name }}, {{ contact.phone }}", "Ada Lovelace, +61491570006"),
        ("{{ contact.attributes.city | upper }}: {{ contact.attributes.seats }}", "PERTH: 2"),
        ("{{ contact.email | default('none') }}", "none"),
        ("{{ contact.attributes.shoe | default('unknown') }}", "unknown"),
        ("{{ workshop.title }} by {{ organization.name }}", "Crypto basics by Northern branch"),
        ("{{ workshop.date }} at {{ workshop.time }}", "Fri 27 Nov at 7:00 PM"),
        ("{{ workshop.starts_at }}", "Fri 27 Nov, 7:00 PM"),
        // Three hours behind, in daylight saving.
        ("{{ workshop.local_starts_at }}", "Fri 27 Nov, 4:00 PM"),
        ("{{ workshop.local_date }}, {{ workshop.local_time }}", "Fri 27 Nov, 4:00 PM"),
    ] {
        let content = TemplateContent::text(body);
        let written =
            with_ada(None, |about| write(&content, &mapping(&[]), &Map::new(), about)).expect(body);
        assert_eq!(written.body, expected);
    }
}

#[test]
fn what_is_kept_is_what_was_mentioned() {
    let content = TemplateContent::text("Hi {{ name }}, {{ workshop.time }}");
    let step = mapping(&[("name", "{{ contact.first_name }}")]);
    let written = with_ada(None, |about| write(&content, &step, &Map::new(), about));
    let written = written.expect("nothing is missing");
    assert_eq!(written.body, "Hi Ada, 7:00 PM");
    let expected = object(json!({"name": "Ada", "workshop": {"time": "7:00 PM"}}));
    assert_eq!(written.variables, expected);
}

#[test]
fn what_is_given_counts_before_the_mapping_and_the_mapping_before_the_default() {
    let content = TemplateContent {
        variables: vec![
            variable("name", true, Some("friend")),
            variable("seat", false, None),
            variable("gift", true, Some("a towel")),
        ],
        ..TemplateContent::text("{{ name }}/{{ seat }}/{{ gift }}")
    };
    for (step, given, expected) in [
        (&[][..], json!({}), "friend//a towel"),
        (&[("name", "{{ contact.first_name }}")], json!({}), "Ada//a towel"),
        (&[("name", "{{ contact.first_name }}")], json!({"name": "Grace"}), "Grace//a towel"),
        (&[("name", "{{ contact.first_name }}")], json!({"name": null}), "Ada//a towel"),
        // What the mapping needs is not there: the default.
        (&[("name", "{{ contact.email }}")], json!({}), "friend//a towel"),
        (&[("seat", "{{ contact.attributes.seats }}")], json!({}), "friend/2/a towel"),
    ] {
        let written =
            with_ada(None, |about| write(&content, &mapping(step), &object(given), about));
        assert_eq!(written.expect("nothing is missing").body, expected, "{step:?}");
    }
}

#[test]
fn a_person_for_whom_something_is_missing_gets_a_reason() {
    let missing =
        |names: &[&str]| Unwritten::Missing(names.iter().map(|name| (*name).to_owned()).collect());
    for (body, step, expected) in [
        ("Hi {{ contact.email }}", &[][..], missing(&["contact.email"])),
        ("Hi {{ contact.attributes.shoe }}", &[], missing(&["contact.attributes.shoe"])),
        ("Hi {{ name }}", &[], missing(&["name"])),
        // Told by what the variable was to be made of.
        ("Hi {{ name }}", &[("name", "{{ contact.email }}")], missing(&["contact.email"])),
        ("{{ name }}", &[("name", "{{ contact.attributes.note }}")], Unwritten::Empty),
    ] {
        let content = TemplateContent::text(body);
        let found = with_ada(None, |about| write(&content, &mapping(step), &Map::new(), about));
        assert_eq!(found, Err(expected), "{body}");
    }
    // Somebody of whom nothing is known, at no workshop.
    let content = TemplateContent::text("{{ workshop.title }}");
    let found = write(&content, &mapping(&[]), &Map::new(), &About::default());
    assert_eq!(found, Err(missing(&["workshop.title"])));
}

#[test]
fn the_text_is_in_the_persons_language_and_its_dates_are_in_the_texts() {
    let others = [("de", "Am {{ workshop.date }}"), ("hi", "{{ workshop.date }} को")];
    let text = Text {
        body: "On {{ workshop.date }}".to_owned(),
        translations: Translations {
            language: Some("en".to_owned()),
            others: others.map(|(tag, body)| (tag.to_owned(), body.to_owned())).into(),
        },
        ..Text::default()
    };
    let content = TemplateContent { kind: Kind::Text(text), variables: Vec::new() };
    for (language, body, in_language) in [
        (Some("de-AT"), "Am Fr., 27. Nov.", "de"),
        (Some("hi-IN"), "शुक्र, 27 नव॰ को", "hi"),
        // There is no French text: the date does not stand alone in French.
        (Some("fr"), "On Fri 27 Nov", "en"),
        (None, "On Fri 27 Nov", "en"),
    ] {
        let written =
            with_ada(language, |about| write(&content, &mapping(&[]), &Map::new(), about));
        let written = written.expect("nothing is missing");
        assert_eq!((written.body.as_str(), written.language.as_deref()), (body, Some(in_language)));
    }
}

#[test]
fn a_slot_of_a_registered_text_takes_what_it_was_registered_for() {
    let text =
        Registered { body: "Dear {#var#}, fee {#numeric#}.".to_owned(), ..Registered::default() };
    let variables = vec![variable("name", true, None), variable("fee", true, None)];
    let content = TemplateContent { kind: Kind::Dlt(text), variables };
    let step = mapping(&[("name", "{{ contact.name }}")]);
    let of = |given| with_ada(None, |about| write(&content, &step, &object(given), about));
    let written = of(json!({"fee": 1500})).expect("both slots have a value");
    assert_eq!(written.body, "Dear Ada Lovelace, fee 1500.");
    for (given, key, code) in [
        (json!({"fee": "free"}), "fee", "slot_value_mismatch"),
        (json!({"fee": 1, "name": "x".repeat(31)}), "name", "slot_value_too_long"),
        (json!({"fee": 1, "name": ""}), "name", "missing_variable"),
        (json!({"fee": 1, "name": "www.example.org"}), "name", "link_in_slot"),
    ] {
        let refused = of(given).expect_err("the operator would drop it");
        assert_eq!(refused.code(), code);
        assert!(matches!(refused, Unwritten::Slot { key: found, .. } if found == key));
    }
}

#[test]
fn every_parameter_of_a_campaign_needs_a_value() {
    let campaign = |body: Option<&str>| TemplateContent {
        kind: Kind::WhatsappCampaign(Campaign {
            name: "nov_meetup".to_owned(),
            body: body.map(str::to_owned),
        }),
        variables: vec![variable("name", true, None), variable("day", true, None)],
    };
    let of = |body, given| {
        with_ada(None, |about| write(&campaign(body), &mapping(&[]), &object(given), about))
    };
    let both = json!({"name": "Ada", "day": "21 Nov"});
    assert_eq!(of(None, both.clone()).expect("all are there").body, "Ada | 21 Nov");
    assert_eq!(of(Some("Hi {{ name }}"), both).expect("all are there").body, "Hi Ada");
    let refused = of(Some("Hi {{ name }}"), json!({"name": "Ada"}));
    assert_eq!(refused, Err(Unwritten::Missing(vec!["day".to_owned()])));
}

#[test]
fn a_text_is_checked_for_names_that_there_are_not() {
    for (text, expected) in [
        ("Hi {{ contact.name }} {{ anything }} {{ order.id }}", None),
        ("{{ contact.attributes.city }}", None),
        ("{{ contact.nam }}", Some("contact.nam")),
        ("{{ contact }}", Some("contact")),
        ("{{ contact.attributes }}", Some("contact.attributes")),
        ("{{ contact.attributes.a.b }}", Some("contact.attributes.a.b")),
        ("{% if workshop.day is defined %}x{% endif %}", Some("workshop.day")),
        ("{{ organization.phone | default('') }}", Some("organization.phone")),
    ] {
        let template = Template::parse(text).expect(text);
        let found = check(&template).err().map(|error| match error {
            UnknownName::Field { name, .. } => name,
            other => panic!("{other}"),
        });
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}

#[test]
fn the_variables_of_a_step_fit_its_template() {
    let content = TemplateContent {
        variables: vec![variable("name", true, None), variable("seat", true, Some("any"))],
        ..TemplateContent::text(
            "{{ name }} {{ seat }} {{ time }} {{ gift | default('') }} {{ contact.phone }}",
        )
    };
    let template = content.template(None).expect("a template");
    for (step, expected) in [
        (&[("name", "{{ contact.name }}"), ("time", "7 PM")][..], &[][..]),
        (&[("time", "7 PM")], &[("name", "missing_variable")]),
        (&[], &[("name", "missing_variable"), ("time", "missing_variable")]),
        (
            &[("name", "x"), ("time", "x"), ("gift", "x"), ("shoe", "x")],
            &[("shoe", "unknown_variable")],
        ),
        (
            &[("name", "{{ first_name }}"), ("time", "{{ workshop.tim }}")],
            &[("name", "unknown_variable"), ("time", "unknown_variable")],
        ),
        (&[("name", "{{ contact.name"), ("time", "x")], &[("name", "invalid_template")]),
        (
            &[("name", "x"), ("time", "x"), ("contact.phone", "x")],
            &[("contact.phone", "unknown_variable")],
        ),
    ] {
        let found = check_mapping(&content, &template, &mapping(step));
        let found: Vec<_> = found.iter().map(|(key, error)| (key.as_str(), error.code())).collect();
        assert_eq!(found, expected, "{step:?}");
    }
}
