//! A text registered in India: its slots become variables in order, and all
//! around them stays as it was registered, to the letter.

use carillon_domain::dlt;
use carillon_domain::template::{Template, TemplateError};
use serde_json::{Map, Value};

use crate::input::texts;

/// More than any text has.
const MAX_SLOTS: usize = 500;

pub fn check(data: &[u8]) {
    let Some([body]) = texts(data) else { return };
    let slots = match dlt::slots(body) {
        Ok(slots) if slots.len() <= MAX_SLOTS => slots.len(),
        Ok(_) => return,
        Err(error) => {
            assert!(!error.code().is_empty() && !error.to_string().is_empty());
            assert!(dlt::with_names(body, &[]).is_err());
            return;
        }
    };
    let names: Vec<String> = (0..slots).map(|n| format!("slot_{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let text = dlt::with_names(body, &names).expect("one name for each slot");
    assert!(dlt::with_names(body, &[&names[..], &["more"]].concat()).is_err());
    let template = match Template::parse(&text) {
        Ok(template) => template,
        Err(TemplateError::TooLong) => return,
        Err(error) => panic!("slots became {text:?}: {error}"),
    };
    assert!(template.variables().iter().map(String::as_str).eq(sorted(&names)));
    let values = names.iter().map(|name| ((*name).to_owned(), Value::from(format!("<{name}>"))));
    let rendered = match template.render(&Map::from_iter(values)) {
        Ok(rendered) => rendered,
        Err(error) => return assert_eq!(error, TemplateError::RenderedTooLong),
    };
    assert_eq!(rendered, filled(body, &names), "the registered text around its slots");
}

fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

/// The registered text with its slots filled by hand.
fn filled(body: &str, names: &[&str]) -> String {
    let mut out = String::new();
    let mut rest = body;
    for name in names {
        let (before, after) = rest.split_once("{#").expect("a slot");
        out.push_str(&format!("{before}<{name}>"));
        rest = after.split_once("#}").expect("its end").1;
    }
    out + rest
}
