//! A form as it was sent, and what was wrong with it: a page that comes back has both, each error at its field.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::api::Problem;
use crate::page::Refusal;

/// The fields of a form, by name. The door has looked at its token.
#[derive(Debug, Clone, Default)]
pub struct Sent(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Form::<Vec<(String, String)>>::from_request(request, state).await {
            Ok(Form(pairs)) => Ok(Self(pairs)),
            Err(_) => {
                let text = "This form did not arrive whole. Go back and send it again.";
                Err(Refusal::new(StatusCode::BAD_REQUEST, text).into_response())
            }
        }
    }
}

impl Sent {
    pub fn of(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Empty where it was not sent.
    pub fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(found, _)| found == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// `None` for a field left empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }

    /// Fields called `prefix.…`, by what stands behind the dot.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| {
            let rest = name.strip_prefix(prefix)?.strip_prefix('.')?;
            Some((rest, value.as_str()))
        })
    }
}

/// What is wrong, by field; and what is wrong with the whole.
#[derive(Debug, Clone, Default)]
pub struct Errors {
    by_field: BTreeMap<String, String>,
    pub whole: Option<String>,
}

impl Errors {
    /// Errors of fields that the page has stand beside them, the others above the form.
    pub fn of(problem: &Problem, fields: &[&str]) -> Self {
        let mut errors = Self::default();
        for error in &problem.errors {
            let known = |field: &&&str| {
                error.field == **field || error.field.starts_with(&format!("{field}."))
            };
            let is_own = error.field.contains('.') && fields.contains(&"*");
            match fields.iter().find(known) {
                _ if is_own => errors.add(&error.field, &error.detail),
                Some(field) => errors.add(field, &error.detail),
                None => errors.whole = Some(error.detail.clone()),
            }
        }
        if problem.errors.is_empty() {
            errors.whole = Some(problem.detail.clone());
        }
        errors
    }

    pub fn add(&mut self, field: &str, detail: &str) {
        self.by_field.entry(field.to_owned()).or_insert_with(|| detail.to_owned());
    }

    pub fn whole(detail: &str) -> Self {
        Self { whole: Some(detail.to_owned()), ..Self::default() }
    }

    pub fn at(&self, field: &str) -> Option<&str> {
        self.by_field.get(field).map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.by_field.is_empty() && self.whole.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::FieldError;

    #[test]
    fn an_error_stands_at_its_field_or_above_the_form() {
        let error = |field: &str| FieldError {
            field: field.to_owned(),
            detail: format!("{field} is wrong."),
        };
        let problem = Problem {
            status: 422,
            code: "wrong".to_owned(),
            detail: "to is wrong.".to_owned(),
            errors: vec![error("to"), error("quiet_hours.start"), error("flash")],
        };
        let errors = Errors::of(&problem, &["to", "quiet_hours"]);
        assert_eq!(errors.at("to"), Some("to is wrong."));
        assert_eq!(errors.at("quiet_hours"), Some("quiet_hours.start is wrong."));
        assert_eq!(errors.whole.as_deref(), Some("flash is wrong."));
        let problem = Problem { errors: Vec::new(), ..problem };
        assert_eq!(Errors::of(&problem, &["to"]).whole.as_deref(), Some("to is wrong."));
    }
}
