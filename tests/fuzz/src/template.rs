//! A text with variables, and their values. A value is never read as a template,
//! nothing is missing that was not said to be needed, and what comes out is
//! bounded.

use carillon_domain::template::{MAX_RENDERED, MAX_SOURCE, Template, TemplateError, names};
use serde_json::{Map, Value};

use crate::input::texts;

/// The source; its values as JSON.
pub fn check(data: &[u8]) {
    let Some([source, given]) = texts(data) else { return };
    assert_a_value_is_no_template(source);
    let template = match Template::parse(source) {
        Ok(template) => template,
        Err(error) => {
            assert!(!error.code().is_empty() && !error.to_string().is_empty());
            return;
        }
    };
    assert!(source.chars().count() <= MAX_SOURCE);
    if !source.contains('{') {
        assert_eq!(
            template.render(&Map::new()).as_deref(),
            Ok(source),
            "plain text stays as it is"
        );
        assert!(template.variables().is_empty());
    }
    let values = serde_json::from_str::<Map<String, Value>>(given).unwrap_or_default();
    let _ = assert_renders(&template, &values);
    if let Some(values) = all(&template) {
        assert_eq!(template.missing(&names(&values)), Vec::<String>::new());
        let rendered = assert_renders(&template, &values);
        let is_missing = matches!(rendered, Err(TemplateError::Missing { .. }));
        assert!(!is_missing, "all was given, and {rendered:?}");
    }
}

fn assert_renders(
    template: &Template,
    values: &Map<String, Value>,
) -> Result<String, TemplateError> {
    let rendered = template.render(values);
    assert_eq!(template.render(values), rendered, "the same values make the same text");
    let missing = template.missing(&names(values));
    match &rendered {
        Ok(text) => {
            assert!(missing.is_empty(), "{missing:?} were needed");
            assert!(text.chars().count() <= MAX_RENDERED);
        }
        Err(TemplateError::Missing { names }) => {
            assert!(!names.is_empty(), "says what is missing");
            assert!(missing.is_empty() || *names == missing);
            let variables = template.variables();
            assert!(names.iter().all(|name| variables.contains(name)), "{names:?}");
        }
        Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
    }
    rendered
}

fn assert_a_value_is_no_template(source: &str) {
    let template = Template::parse("{{ a }}").expect("a template");
    let values = Map::from_iter([("a".to_owned(), Value::from(source))]);
    match template.render(&values) {
        Ok(text) => assert_eq!(text, source, "a value goes in as it is"),
        Err(error) => assert_eq!(error, TemplateError::RenderedTooLong),
    }
}

/// A text for each variable; `None` where one is also the parent of another.
fn all(template: &Template) -> Option<Map<String, Value>> {
    let mut values = Map::new();
    for path in template.variables() {
        let mut at = &mut values;
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            if steps.peek().is_none() {
                if at.insert(step.to_owned(), Value::from("Ada")).is_some() {
                    return None;
                }
                break;
            }
            let field = at.entry(step).or_insert_with(|| Value::Object(Map::new()));
            at = field.as_object_mut()?;
        }
    }
    Some(values)
}
