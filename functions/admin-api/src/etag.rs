//! `ETag` and `If-Match`: who says which version he has seen does not overwrite
//! another. The check is made on the row that the change is then conditional
//! on, so it is exact, also for two at the same moment. Without `If-Match` the
//! last one wins, field by field.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use carillon_domain::ids;
use serde::Serialize;

use crate::problem::Problem;

/// Names one version of one resource; a strong validator, in its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// Of what a change would change: same values, same tag.
    pub fn of(version: &impl Serialize) -> Self {
        let version = serde_json::to_vec(version).unwrap_or_default();
        Self(format!("\"{}\"", ids::encode(&ids::hash(&[&version])[..10])))
    }

    /// # Errors
    /// 412 when the request wants to change another version than this one.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut wanted = headers.get_all(header::IF_MATCH).iter().peekable();
        if wanted.peek().is_none() {
            return Ok(());
        }
        let matches = wanted
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim() == "*" || tag.trim() == self.0);
        if matches { Ok(()) } else { Err(changed()) }
    }
}

/// Whether a change is wanted of one version only.
pub fn is_conditional(headers: &HeaderMap) -> bool {
    headers.contains_key(header::IF_MATCH)
}

pub fn changed() -> Problem {
    let detail = "This was changed since you read it (its ETag is another one); read it again.";
    Problem::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail)
}

/// 200, what there is, and the tag of its version.
pub struct Tagged<T>(pub Tag, pub T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, self.0.0)], Json(self.1)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_change_of_another_version_is_refused() {
        let tag = Tag::of(&("tpl_1", 3));
        let other = Tag::of(&("tpl_1", 4));
        for (wanted, is_right) in [
            (vec![], true),
            (vec!["*".to_owned()], true),
            (vec![tag.0.clone()], true),
            (vec![format!("{}, {}", other.0, tag.0)], true),
            (vec![other.0.clone(), tag.0.clone()], true),
            (vec![other.0.clone()], false),
            (vec![format!("W/{}", tag.0)], false),
            (vec![tag.0.trim_matches('"').to_owned()], false),
            (vec![String::new()], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in &wanted {
                let value = HeaderValue::from_str(value).expect("a value");
                headers.append(header::IF_MATCH, value);
            }
            assert_eq!(tag.check(&headers).is_ok(), is_right, "{wanted:?}");
        }
    }
}
