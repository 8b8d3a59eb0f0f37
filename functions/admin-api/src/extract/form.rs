//! A form with a file.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::marker::PhantomData;

use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::body_problem;
use crate::idempotency;
use crate::problem::Problem;
use crate::texts::{self, Wrong};

/// A form with a file and other fields (`T`), all by name.
pub struct Form<T> {
    pub file: Option<Vec<u8>>,
    pub fields: T,
    /// As they came.
    pub texts: BTreeMap<String, String>,
}

/// A form that has not been read yet.
pub struct Upload<T>(pub Result<Multipart, MultipartRejection>, pub PhantomData<T>);

impl<S: Send + Sync, T> FromRequest<S> for Upload<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        Ok(Self(Multipart::from_request(request, state).await, PhantomData))
    }
}

/// The field that holds the file.
const FILE: &str = "file";

impl<T: DeserializeOwned> Form<T> {
    /// # Errors
    /// When it is not such a form, or the file is larger than `limit` bytes.
    pub async fn read(
        form: Result<Multipart, MultipartRejection>,
        limit: usize,
    ) -> Result<Self, Problem> {
        let mut multipart = form.map_err(|_| {
            let detail = "Send the file as multipart/form-data, in a field called “file”.";
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
        })?;
        let (mut file, mut texts) = (None, BTreeMap::new());
        let unreadable = |e: MultipartError| body_problem(e.status());
        while let Some(field) = multipart.next_field().await.map_err(unreadable)? {
            let name = field.name().unwrap_or_default().to_owned();
            if name == FILE {
                file = Some(read_file(field, limit).await?);
            } else {
                texts.insert(name, field.text().await.map_err(unreadable)?);
            }
        }
        let fields = texts::read(&texts).map_err(|wrong| match wrong {
            Wrong::Unknown { name, known } => {
                let known = known.join(", ");
                let detail = format!("There is no field “{name}” here; known are file, {known}.");
                Problem::field(&name, "unknown_field", detail)
            }
            Wrong::Missing(name) => {
                Problem::field(name, "missing_field", format!("The field “{name}” is needed."))
            }
            Wrong::Value { name, value } => {
                let detail = format!("“{value}” is not a value of the field “{name}”.");
                Problem::field(&name, "invalid_value", detail)
            }
            Wrong::Other(detail) => Problem::field("", "invalid_value", format!("{detail}.")),
        })?;
        Ok(Self { file, fields, texts })
    }

    /// What makes two uploads the same request.
    pub fn hash(&self) -> String {
        let mut parts = vec![self.file.as_deref().unwrap_or_default()];
        for (name, text) in &self.texts {
            parts.extend([name.as_bytes(), text.as_bytes()]);
        }
        idempotency::request_hash(&parts)
    }
}

/// An empty field is as good as an absent one.
pub fn text(field: &Option<String>) -> Option<&str> {
    field.as_deref().filter(|text| !text.trim().is_empty())
}

async fn read_file(mut field: Field<'_>, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|e| body_problem(e.status()))? {
        if bytes.len() + piece.len() > limit {
            let most = limit / (1024 * 1024);
            let detail = format!("The file is larger than {most} MB; split it and send the parts.");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "file_too_large", detail));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}
