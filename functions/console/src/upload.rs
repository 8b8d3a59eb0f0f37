//! A form with a file, as a browser sends it and as the API takes it; and the columns that were found in it, each
//! with what it is taken for. For files of recipients and of people.

use axum::body::Body;
use axum::extract::Multipart;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::ids;
use carillon_domain::rows::Table;
use carillon_runtime::random;
use serde_json::{Map, Value, json};

use crate::api::{self, ONCE, Problem};
use crate::desk::Desk;
use crate::page::Refusal;
use crate::sent::Sent;

/// Rows that are shown of a column.
const SAMPLE: usize = 3;

pub struct Upload {
    pub file: Vec<u8>,
    pub sent: Sent,
}

/// A column of the file.
pub struct Column {
    pub name: String,
    /// What it is taken for, as a mapping says it; empty where it is not used.
    pub target: String,
    pub sample: Vec<String>,
}

impl Column {
    pub fn of(table: &Table, target: impl Fn(&str) -> String) -> Vec<Self> {
        let column = |(place, name): (usize, &String)| Self {
            name: name.clone(),
            target: target(name),
            sample: table
                .rows
                .iter()
                .take(SAMPLE)
                .map(|row| row.cells.get(place).cloned().unwrap_or_default())
                .collect(),
        };
        table.header.iter().enumerate().map(column).collect()
    }
}

impl Upload {
    /// # Errors
    /// When it did not arrive whole.
    pub async fn read(mut form: Multipart) -> Result<Self, Refusal> {
        let broken = |_| {
            let text = "This form did not arrive whole. Go back and send it again.";
            Refusal::new(StatusCode::BAD_REQUEST, text)
        };
        let (mut file, mut pairs) = (Vec::new(), Vec::new());
        while let Some(field) = form.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            if name == "file" {
                file = field.bytes().await.map_err(broken)?.into();
            } else {
                pairs.push((name, field.text().await.map_err(broken)?));
            }
        }
        Ok(Self { file, sent: Sent::of(pairs) })
    }

    /// Column to target, where the form says so.
    pub fn mapping(&self) -> Option<Map<String, Value>> {
        let columns: Vec<_> = self.sent.under("column").collect();
        let target = |n: &str| self.sent.text(&format!("target.{n}")).to_owned();
        let named = columns.iter().map(|(n, name)| ((*name).to_owned(), json!(target(n))));
        let map: Map<String, Value> = named.filter(|(_, target)| *target != json!("")).collect();
        (!columns.is_empty()).then_some(map)
    }

    /// The file with these fields and its mapping, done once for a key: the page of
    /// what it has become, or what is wrong that the form can show.
    ///
    /// # Errors
    /// What the form cannot show.
    pub async fn hand_over(
        &self,
        desk: &Desk,
        path: &str,
        fields: Vec<(&str, String)>,
        once: Option<&str>,
    ) -> Result<Result<Response, Problem>, Refusal> {
        match self.post(desk, path, fields, once).await {
            Ok(import) => {
                let id = api::segment(import["id"].as_str().unwrap_or_default());
                let page = format!("/console/imports/{id}?done=taken");
                Ok(Ok(Redirect::to(&page).into_response()))
            }
            Err(problem) if matches!(problem.status, 400 | 409 | 413 | 422) => Ok(Err(problem)),
            Err(problem) => Err(problem.into()),
        }
    }

    async fn post(
        &self,
        desk: &Desk,
        path: &str,
        mut fields: Vec<(&str, String)>,
        once: Option<&str>,
    ) -> Result<Value, Problem> {
        if let Some(mapping) = self.mapping() {
            fields.push(("mapping", Value::Object(mapping).to_string()));
        }
        let (boundary, body) = multipart(&fields, &self.file);
        let kind = format!("multipart/form-data; boundary={boundary}");
        let request = Request::post(path).header(header::CONTENT_TYPE, kind);
        let request = match once {
            Some(once) => request.header(ONCE, once),
            None => request,
        };
        api::read(desk.api.ask(request, Body::from(body)).await).await
    }
}

fn multipart(fields: &[(&str, String)], file: &[u8]) -> (String, Vec<u8>) {
    let boundary = ids::encode(&random::bytes::<20>());
    let mut body = Vec::with_capacity(file.len() + 4096);
    for (name, text) in fields {
        body.extend_from_slice(
            format!(
                "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n"
            )
            .as_bytes(),
        );
    }
    if !file.is_empty() {
        body.extend_from_slice(
            format!("--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\ncontent-type: text/csv\r\n\r\n")
                .as_bytes(),
        );
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (boundary, body)
}
