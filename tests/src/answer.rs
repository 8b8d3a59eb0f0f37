//! Answers of the API, read whole.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An HTTP answer.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// Sends the request and reads what comes back.
    ///
    /// # Panics
    /// When there is no answer: the stack is in this process.
    pub async fn to(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the stack answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.expect("a text") }
    }

    /// # Panics
    /// When the body is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }

    /// The body of an answer that must have this status.
    ///
    /// # Panics
    /// When it has another.
    #[must_use]
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// Status, code and first field of a problem document; its form is checked.
    ///
    /// # Panics
    /// When it is not one.
    #[must_use]
    #[track_caller]
    pub fn problem(&self) -> (u16, String, Option<String>) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        let document = self.json();
        let text = |name: &str| {
            let found = document[name].as_str().filter(|text| !text.is_empty());
            found.unwrap_or_else(|| panic!("no {name}: {}", self.text)).to_owned()
        };
        assert_eq!(document["status"], self.status);
        let code = text("code");
        assert!(text("type").ends_with(&format!("/errors/{code}")), "{}", self.text);
        assert!(text("detail").ends_with('.'), "no sentence: {}", self.text);
        assert!(!text("title").is_empty());
        assert_eq!(Some(text("request_id").as_str()), self.header("x-request-id"));
        let field = document["errors"][0]["field"].as_str().map(str::to_owned);
        (self.status, code, field)
    }

    /// Status and code of a problem document.
    #[must_use]
    #[track_caller]
    pub fn refusal(&self) -> (u16, String) {
        let (status, code, _) = self.problem();
        (status, code)
    }

    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Asserts that `value` has all that `expected` has: fields by name, lists
/// entry by entry, anything else equal.
///
/// # Panics
/// When it has not.
#[track_caller]
pub fn shows(value: &Value, expected: &Value) {
    if let Some(place) = difference(value, expected, "") {
        panic!("at {place}\nexpected {expected:#}\nfound {value:#}");
    }
}

fn difference(value: &Value, expected: &Value, place: &str) -> Option<String> {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => {
            expected.iter().find_map(|(name, expected)| {
                let place = format!("{place}/{name}");
                match value.get(name) {
                    Some(value) => difference(value, expected, &place),
                    None => Some(place),
                }
            })
        }
        (Value::Array(value), Value::Array(expected)) if value.len() == expected.len() => {
            let pairs = value.iter().zip(expected).enumerate();
            pairs.into_iter().find_map(|(at, (v, e))| difference(v, e, &format!("{place}/{at}")))
        }
        _ if value == expected => None,
        _ => Some(place.to_owned()),
    }
}
