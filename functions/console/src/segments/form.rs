//! The form of a segment: lines, or the rules as JSON where lines cannot say them.

use carillon_domain::segment::{self, Rule};
use serde_json::{Value, json};

use super::kind::Kind;
use super::row::Row;
use crate::api::Problem;
use crate::sent::{Errors, Sent};
use crate::when::Times;

#[derive(Debug, Clone)]
pub struct Form {
    /// Empty for a new one.
    pub id: String,
    pub tag: String,
    pub name: String,
    /// One line is enough, or all must hold.
    pub any: bool,
    pub rows: Vec<Row>,
    /// Instead of lines.
    pub json: Option<String>,
}

impl Form {
    pub fn blank() -> Self {
        Self {
            id: String::new(),
            tag: String::new(),
            name: String::new(),
            any: false,
            rows: vec![Row::new(Kind::Label)],
            json: None,
        }
    }

    /// As it is stored.
    pub fn stored(id: &str, tag: String, name: &str, rules: &Value, times: &Times) -> Self {
        let form = Self { id: id.to_owned(), tag, name: name.to_owned(), ..Self::blank() };
        form.in_lines(rules, times).unwrap_or_else(|| Self { json: Some(pretty(rules)), ..form })
    }

    pub fn sent(sent: &Sent) -> Self {
        let rows = sent.under("kind").filter_map(|(n, kind)| Row::sent(sent, n, kind));
        let text = |name: &str| sent.text(name).to_owned();
        Self {
            id: text("id"),
            tag: text("tag"),
            name: text("name"),
            any: sent.text("match") == "any",
            rows: rows.collect(),
            json: sent.has("rules").then(|| text("rules")),
        }
    }

    /// What a button asks for that is not to save: another line, one less, the other way to write.
    pub fn change(self, sent: &Sent, times: &Times) -> (Self, Errors) {
        let mut form = self;
        let mut errors = Errors::default();
        if let Some(kind) = Kind::parse(sent.text("add")) {
            form.rows.push(Row::new(kind));
        }
        if let Some(place) = sent.text("drop").parse().ok().filter(|n| *n < form.rows.len()) {
            form.rows.remove(place);
        }
        match sent.text("as") {
            "json" if form.json.is_none() => {
                let rules = form.rules(times).unwrap_or_default();
                form.json = Some(pretty(&rules));
            }
            "rows" => match form.rules(times) {
                Ok(rules) => match form.in_lines(&rules, times) {
                    Some(in_lines) => form = in_lines,
                    None => errors
                        .add("rules", "Lines cannot say these rules; save them as they are here."),
                },
                Err(text) => errors.add("rules", &text),
            },
            _ => {}
        }
        (form, errors)
    }

    /// `None` where lines cannot say it.
    fn in_lines(&self, rules: &Value, times: &Times) -> Option<Self> {
        let rule = segment::read(rules).ok()?;
        let (any, rules) = match &rule {
            Rule::And(rules) => (false, rules.as_slice()),
            Rule::Or(rules) => (true, rules.as_slice()),
            one => (false, std::slice::from_ref(one)),
        };
        let rows = rules.iter().map(|rule| Row::of(rule, times)).collect::<Option<_>>()?;
        Some(Self { any, rows, json: None, ..self.clone() })
    }

    /// # Errors
    /// In words, why what was typed is no JSON.
    pub fn rules(&self, times: &Times) -> Result<Value, String> {
        let Some(text) = &self.json else {
            let rows: Vec<Value> = self.rows.iter().map(|row| row.json(times)).collect();
            return Ok(if self.any { json!({"or": rows}) } else { json!({"and": rows}) });
        };
        match serde_json::from_str(text) {
            Ok(rules @ Value::Object(_)) => Ok(rules),
            Ok(_) => Err("Rules are a JSON object, such as {\"label\": \"vip\"}.".to_owned()),
            Err(error) => Err(format!("This is no JSON: {error}.")),
        }
    }

    pub fn is_new(&self) -> bool {
        self.id.is_empty()
    }
}

fn pretty(rules: &Value) -> String {
    serde_json::to_string_pretty(rules).unwrap_or_default()
}

/// What is wrong, at its line.
pub fn wrong(problem: &Problem, form: &Form) -> Errors {
    let mut errors = Errors::default();
    if problem.errors.is_empty() {
        return Errors::whole(&problem.detail);
    }
    for error in &problem.errors {
        let place =
            error.field.strip_prefix("rules.and[").or(error.field.strip_prefix("rules.or["));
        let line = place.and_then(|rest| rest.split(']').next());
        match line.filter(|_| form.json.is_none()) {
            Some(line) => errors.add(&format!("rule.{line}"), &error.detail),
            None if error.field == "name" => errors.add("name", &error.detail),
            None if error.field.starts_with("rules") && form.json.is_some() => {
                errors.add("rules", &format!("{} ({})", error.detail, error.field));
            }
            None if ["rules.and", "rules.or"].contains(&error.field.as_str()) => {
                errors.add("rules", "Add a rule: without one it would be everybody or nobody.");
            }
            None => errors.whole = Some(error.detail.clone()),
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn times() -> Times {
        let now = "2026-11-21T09:00:00Z".parse().expect("a time");
        Times::new(now, TimeZone::UTC, None)
    }

    fn change(form: Form, name: &str, value: &str) -> (Form, Errors) {
        form.change(&Sent::of(vec![(name.to_owned(), value.to_owned())]), &times())
    }

    #[test]
    fn lines_are_added_taken_away_and_written_as_json_and_back() {
        let (form, _) = change(Form::blank(), "add", "replied");
        let (form, _) = change(form, "drop", "0");
        let (form, _) = change(form, "drop", "7");
        assert_eq!(form.rules(&times()), Ok(json!({"and": [{"replied": {}}]})));
        let (form, _) = change(form, "as", "json");
        assert!(form.json.as_ref().is_some_and(|text| text.contains("\"replied\": {}")));
        let (form, errors) = change(form, "as", "rows");
        assert!(form.json.is_none() && errors.is_empty());
        assert_eq!(form.rows, [Row::new(Kind::Replied)]);
    }

    #[test]
    fn what_lines_cannot_say_stays_json() {
        let rules = json!({"or": [{"label": "a"}, {"and": [{"label": "b"}, {"label": "c"}]}]});
        let form = Form::stored("seg_1", String::new(), "Deep", &rules, &times());
        assert!(form.json.is_some());
        let (form, errors) = change(form, "as", "rows");
        assert!(form.json.is_some() && errors.at("rules").is_some());
        let (form, errors) = change(Form { json: Some("{".to_owned()), ..form }, "as", "rows");
        assert!(errors.at("rules").is_some_and(|text| text.starts_with("This is no JSON")));
        assert_eq!(form.json.as_deref(), Some("{"));
    }
}
