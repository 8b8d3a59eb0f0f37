//! Query strings.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use carillon_runtime::Context;
use serde::de::DeserializeOwned;

use crate::auth::Caller;
use crate::problem::Problem;
use crate::texts::{self, Wrong};
use carillon_domain::cursor::Seal;

/// What the key of cursors is derived for.
const CURSOR: &str = "cursor";
/// Longest value of a parameter, in characters.
const LONGEST_VALUE: usize = 1_000;
/// Parameters that say which part of a list, not which list.
const OF_PAGE: [&str; 2] = ["limit", "cursor"];

/// Query parameters read into `T`; each at most once and known.
pub struct Params<T> {
    pub query: T,
    /// Of the list that they ask for.
    pub seal: Seal,
}

impl<T> Deref for Params<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.query
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Context>> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, ctx: &Arc<Context>) -> Result<Self, Problem> {
        let malformed =
            |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed_query", detail);
        let Query(pairs) =
            Query::<Vec<(String, String)>>::from_request_parts(parts, ctx).await.map_err(|_| {
                malformed("The query string cannot be read; encode its values.".to_owned())
            })?;
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if value.chars().count() > LONGEST_VALUE {
                let detail = format!("A parameter has at most {LONGEST_VALUE} characters.");
                return Err(malformed(detail));
            }
            if values.insert(name.clone(), value).is_some() {
                return Err(malformed(format!("The parameter “{name}” is there twice.")));
            }
        }
        let query = texts::read(&values).map_err(query_problem)?;
        let caller = Caller::from_request_parts(parts, ctx).await?;
        let filter = values.iter().filter(|(name, _)| !OF_PAGE.contains(&name.as_str()));
        let filter = filter.map(|(name, value)| (name.as_str(), value.as_str()));
        let path = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0).path();
        let seal = Seal::new(&ctx.derived_key(CURSOR).await?, caller.org, path, filter);
        Ok(Self { query, seal })
    }
}

fn query_problem(wrong: Wrong) -> Problem {
    let refused = |code: &str, detail: String| Problem::new(StatusCode::BAD_REQUEST, code, detail);
    match wrong {
        Wrong::Unknown { name, known } => {
            let known = known.join(", ");
            let detail = format!("There is no parameter “{name}” here; known are {known}.");
            refused("unknown_parameter", detail)
        }
        Wrong::Missing(name) => {
            let detail = format!("The parameter “{name}” is needed: “?{name}=…”.");
            Problem::field(name, "missing_field", detail)
        }
        Wrong::Value { name, value } => {
            let detail = format!("“{value}” is not a value of the parameter “{name}”.");
            refused("invalid_parameter", detail)
        }
        Wrong::Other(detail) => refused("invalid_parameter", format!("{detail}.")),
    }
}
