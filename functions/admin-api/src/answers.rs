//! What handlers answer with: the status is in the type, so that the document
//! knows it.

use std::marker::PhantomData;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// 200, and this. Fields are in the order of their names, in a first answer and
/// in its replay.
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(serde_json::json!(self.0)).into_response()
    }
}

/// 201, and what was made.
pub struct Created<T>(pub T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

/// 201 and what was made, or 200 and what was there.
pub enum Found<T> {
    New(T),
    Old(T),
}

impl<T: Serialize> IntoResponse for Found<T> {
    fn into_response(self) -> Response {
        match self {
            Self::New(value) => (StatusCode::CREATED, Json(value)).into_response(),
            Self::Old(value) => Json(value).into_response(),
        }
    }
}

/// 202: taken, and what it will be.
pub struct Accepted<T>(pub T);

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self.0)).into_response()
    }
}

/// The first answer to a request with an idempotency key, as it was written.
pub struct AcceptedOnce<T> {
    answer: String,
    replayed: bool,
    shape: PhantomData<T>,
}

impl<T> AcceptedOnce<T> {
    /// `answer` is a `T` as JSON.
    pub const fn new(answer: String, replayed: bool) -> Self {
        Self { answer, replayed, shape: PhantomData }
    }
}

impl<T> IntoResponse for AcceptedOnce<T> {
    fn into_response(self) -> Response {
        let json = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (StatusCode::ACCEPTED, json, self.answer).into_response();
        if self.replayed {
            let yes = HeaderValue::from_static("true");
            response.headers_mut().insert("idempotency-replayed", yes);
        }
        response
    }
}

/// 204.
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// A file for spreadsheets.
pub struct Csv {
    pub name: String,
    pub text: String,
}

impl IntoResponse for Csv {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", self.name)),
        ];
        (headers, self.text).into_response()
    }
}
