use proptest::prelude::*;
use serde_json::json;

use super::*;

fn values(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("not an object: {other}"),
    }
}

fn render(source: &str, with: Value) -> Result<String, TemplateError> {
    Template::parse(source)?.render(&values(with))
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn values_stand_in_the_text_as_they_are() {
    for (source, with, expected) in [
        (
            "Hi {{ name }}, see you at {{time}}",
            json!({"name": "Ada", "time": "7 PM"}),
            "Hi Ada, see you at 7 PM",
        ),
        (
            "{{ a }} & <{{ b }}>",
            json!({"a": "O'Brien & <Co>", "b": "\"x\""}),
            "O'Brien & <Co> & <\"x\">",
        ),
        ("{{ n }} {{ x }} {{ yes }}", json!({"n": 3, "x": 12.5, "yes": true}), "3 12.5 true"),
        ("{{ big }}", json!({"big": 9_007_199_254_740_993_u64}), "9007199254740993"),
        ("Hi {{ contact.name }}", json!({"contact": {"name": "Ada", "x": null}}), "Hi Ada"),
        ("{{ name | upper }} {{ name|lower|trim }}", json!({"name": " Ada "}), " ADA  ada"),
        ("{{ price | round(1) }}", json!({"price": 7.26}), "7.3"),
        ("no variable\n", json!({}), "no variable\n"),
        ("{% if vip %}Dear {% endif %}{{ name }}", json!({"vip": true, "name": "Ada"}), "Dear Ada"),
        ("{{ 'Hi' if short else 'Good day' }}", json!({"short": false}), "Good day"),
        (
            "{% if city in ['Pune', 'Goa'] %}near{% else %}far{% endif %}",
            json!({"city": "Goa"}),
            "near",
        ),
        ("{% raw %}{{ as is }}{% endraw %}", json!({}), "{{ as is }}"),
        ("{{ name }}", json!({"name": "{{ other }}", "unused": 1}), "{{ other }}"),
        ("नमस्ते {{ name }} 👋", json!({"name": "अदा"}), "नमस्ते अदा 👋"),
        ("{{ name }}", json!({"name": ""}), ""),
        ("{{ name | default('there') }}", json!({}), "there"),
        ("{{ name | default('there') }}", json!({"name": null}), "there"),
        ("{{ name | default('there', true) }}", json!({"name": ""}), "there"),
        ("{{ contact.name | d('you') | upper }}", json!({}), "YOU"),
        ("{% if code is defined %}Code {{ code }}{% endif %}", json!({}), ""),
        ("{% if code is defined %}Code {{ code }}{% endif %}", json!({"code": 7}), "Code 7"),
    ] {
        assert_eq!(render(source, with).as_deref(), Ok(expected), "{source}");
    }
}

#[test]
fn a_missing_variable_is_named() {
    for (source, with, names) in [
        ("{{ name }}", json!({}), vec!["name"]),
        ("{{ name }}", json!({"Name": "Ada"}), vec!["name"]),
        ("{{ name }}", json!({"name": null}), vec!["name"]),
        ("{{ b }}{{ a }}{{ c }}", json!({"c": 1}), vec!["a", "b"]),
        ("{{ contact.name }}", json!({"contact": {"email": "x"}}), vec!["contact.name"]),
        ("{{ contact.name }}", json!({"contact": {"name": null}}), vec!["contact.name"]),
        ("{{ contact.name }}", json!({"contact": "Ada"}), vec!["contact.name"]),
        ("{{ contact }}", json!({"contact": {"name": "Ada"}}), vec!["contact"]),
        ("{% if vip %}{{ code }}{% endif %}", json!({"vip": false}), vec!["code"]),
        ("{{ a if b else c }}", json!({"b": true, "a": 1}), vec!["c"]),
        ("{{ a | default(b) }}", json!({}), vec!["b"]),
        ("{{ a | default('x') }}{{ a }}", json!({}), vec!["a"]),
        ("{% if a is defined %}{% else %}{{ a }}{% endif %}", json!({}), vec!["a"]),
        ("{{ range }}", json!({}), vec!["range"]),
    ] {
        let error = render(source, with).expect_err(source);
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        assert_eq!(error, TemplateError::Missing { names: names.clone() }, "{source}");
        assert_eq!(error.code(), "missing_variable");
        assert!(error.to_string().contains(&format!("`{}`", names[0])));
    }
}

#[test]
fn what_a_text_may_not_say_is_refused_when_it_is_stored() {
    for (source, line, says) in [
        ("Hi\n{{ name }", 2, "{{ name }}"),
        ("Hi {{ }}", 1, "{{ name }}"),
        ("{{ first name }}", 1, "{{ name }}"),
        ("{% if a %}x", 1, "{{ name }}"),
        ("{% endif %}", 1, "endif"),
        ("\n\n{{ name | uper }}", 3, "uper"),
        ("{% if no %}{{ name | replace('a', 'b') }}{% endif %}", 1, "replace"),
        ("{% for x in list %}{{ x }}{% endfor %}", 1, "for"),
        ("{% set a = 1 %}", 1, "set"),
        ("{% include 'x' %}", 1, "include"),
        ("{% macro x() %}{% endmacro %}", 1, "macro"),
        ("{% extends 'x' %}", 1, "extends"),
        ("{{ range(10) }}", 1, "call"),
        ("{{ name.upper() }}", 1, "call"),
        ("{{ 'a' * 9999999 }}", 1, "calculating"),
        ("{{ a ~ b }}", 1, "calculating"),
        ("{{ list[0] }}", 1, "[ ]"),
        ("{{ name[:3] }}", 1, "[ ]"),
        ("{{ 'x'.y }}", 1, "field"),
        ("{% if a is divisibleby(2) %}{% endif %}", 1, "divisibleby"),
        ("Dear {#var#},\nyour code is {#var#}", 1, "DLT"),
        ("Hi\n{# Var1 #}", 2, "DLT"),
    ] {
        let error = Template::parse(source).expect_err(source);
        assert_eq!(error.code(), "invalid_template", "{source}");
        let text = error.to_string();
        assert!(text.starts_with(&format!("Line {line}: ")), "{source}: {text}");
        assert!(text.contains(says), "{source}: {text}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_not_repeated() {
    for (source, with) in [
        ("{{ list }}", json!({"list": ["secret"]})),
        ("{{ x | int }}", json!({"x": "secret"})),
        ("{{ x | round }}", json!({"x": "secret"})),
        ("{{ x | first }}", json!({"x": ""})),
        ("{{ \"\" | last }}", json!({})),
    ] {
        let error = render(source, with).expect_err(source);
        assert_eq!(error.code(), "invalid_variable", "{source}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn variables_are_known_before_anything_is_promised() {
    let template = Template::parse(
        "Hi {{ contact.first_name | default(fallback) }}, {{ time }} {% if code is defined %}{{ code }}{% endif %}",
    )
    .expect("sound");
    assert_eq!(template.variables(), set(&["code", "contact.first_name", "fallback", "time"]));
    assert_eq!(template.missing(&set(&[])), ["fallback", "time"]);
    assert_eq!(template.missing(&set(&["time", "fallback", "more"])), [""; 0]);
    let nested = Template::parse("{{ contact.name }}").expect("sound");
    assert_eq!(nested.missing(&set(&["contact"])), [""; 0]);
    assert_eq!(nested.missing(&set(&["contact.email", "con"])), ["contact.name"]);
    assert_eq!(
        names(&values(json!({"a": 1, "b": null, "c": {"d": "x", "e": null}, "f": []}))),
        set(&["a", "c.d", "f"]),
    );
}

#[test]
fn texts_and_results_have_a_limit() {
    assert!(Template::parse(&"é".repeat(MAX_SOURCE)).is_ok());
    let error = Template::parse(&"é".repeat(MAX_SOURCE + 1)).expect_err("too long");
    assert_eq!(error.code(), "template_too_long");

    let long = |n: usize| render("{{ a }}{{ a }}", json!({"a": "é".repeat(n)}));
    assert_eq!(long(MAX_RENDERED / 2).map(|text| text.chars().count()), Ok(MAX_RENDERED));
    assert_eq!(long(MAX_RENDERED / 2 + 1), Err(TemplateError::RenderedTooLong));
    assert_eq!(long(10_000_000), Err(TemplateError::RenderedTooLong));
    assert_eq!(TemplateError::RenderedTooLong.code(), "rendered_too_long");
}

#[test]
fn what_would_need_a_deep_stack_is_refused() {
    for (open, inner, close, times) in [
        ("{{ ", "(", " }}", 4_000),
        ("{{ a", ".b", " }}", 4_000),
        ("{{ a", "|upper", " }}", 1_500),
        ("{{ a", " or a", " }}", 1_900),
        ("{{ a", " if a else a", " }}", 800),
        ("{{ ", "not ", "a }}", 2_400),
        ("", "{% if a %}", "", 900),
        ("{% if a %}", "{% elif a %}", "{% endif %}", 800),
    ] {
        let source = format!("{open}{}{close}", inner.repeat(times));
        let error = Template::parse(&source).expect_err(inner);
        assert_eq!(error.code(), "invalid_template", "{inner}");
    }
    // As deep as it is let: still on a small stack.
    let source = format!(
        "{}{{{{ a{} }}}}{}",
        "{% if a %}".repeat(45),
        "|d".repeat(45),
        "{% endif %}".repeat(45)
    );
    let rendered = std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(move || render(&source, json!({"a": "x"})))
        .expect("a thread")
        .join();
    assert_eq!(rendered.expect("no overflow").as_deref(), Ok("x"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(source in "[\\PC{}%#|.\n]{0,60}|(\\{\\{|\\}\\}|\\{%|%\\}| |a|if|endif|\\||default|\\(|\\)|'){0,20}") {
        if let Ok(template) = Template::parse(&source) {
            let _ = template.render(&Map::new());
        }
    }

    #[test]
    fn a_text_without_braces_comes_out_as_it_went_in(source in "[^{}]{0,200}") {
        prop_assert_eq!(render(&source, json!({})), Ok(source));
    }

    #[test]
    fn any_value_stands_in_the_text_unchanged(value in "\\PC{0,40}") {
        prop_assert_eq!(render("<{{ v }}>", json!({ "v": value.clone() })), Ok(format!("<{value}>")));
    }
}
