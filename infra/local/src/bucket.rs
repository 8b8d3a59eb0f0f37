//! A bucket for large files: a folder (or memory, for tests) behind the few
//! requests of S3 that the program makes, at signed addresses: `PUT`, `GET` with a
//! range, and files in parts. A signature is checked by signing the same request again.
//!
//! Files end a week after they came, as in the template.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use carillon_providers::client::Client;
use carillon_runtime::Clock;
use carillon_runtime::files::{Files, Signing, presign};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::engines::REGION;

/// Where the bucket is on the stack's port.
pub const PATH: &str = "/files";
/// Largest file that is taken, in bytes.
const LARGEST: usize = 1024 * 1024 * 1024;
/// Bytes of a download in one piece of memory.
const PIECE: usize = 256 * 1024;
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Cheap to clone; all clones are the same bucket.
#[derive(Clone)]
pub struct Bucket {
    place: Arc<Kept>,
    base: String,
    credentials: Credentials,
    clock: Clock,
}

enum Kept {
    Folder(PathBuf),
    Memory(Mutex<BTreeMap<String, Bytes>>),
}

impl Bucket {
    /// In `files` of the folder; `url` is where the stack's port is.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: Option<&Path>, url: &str, clock: Clock) -> anyhow::Result<Self> {
        let place = match folder {
            None => Kept::Memory(Mutex::default()),
            Some(folder) => {
                let files = folder.join("files");
                std::fs::create_dir_all(&files)
                    .with_context(|| format!("{} cannot be made", files.display()))?;
                Kept::Folder(files)
            }
        };
        let secret = carillon_runtime::random::token();
        let credentials = Credentials::new("embedded", secret, None, None, "embedded");
        Ok(Self { place: Arc::new(place), base: format!("{url}{PATH}"), credentials, clock })
    }

    /// The program's side of it.
    #[must_use]
    pub fn files(&self, http: Client) -> Files {
        let credentials = SharedCredentialsProvider::new(self.credentials.clone());
        Files::new(self.base.clone(), REGION, credentials, http)
    }

    /// Everything below [`PATH`].
    pub fn router(&self) -> Router {
        Router::new().fallback(serve).layer(DefaultBodyLimit::max(LARGEST)).with_state(self.clone())
    }

    /// Whether this request is the one that was signed, and still good.
    fn is_signed(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
        let query = uri.query().unwrap_or_default();
        let all: BTreeMap<String, String> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let said = |name: &str| all.get(name).map(String::as_str);
        let (Some(date), Some(valid), Some(signature)) =
            (said("X-Amz-Date"), said("X-Amz-Expires"), said("X-Amz-Signature"))
        else {
            return false;
        };
        let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date)
            .ok()
            .and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).ok())
            .map(|at| at.timestamp());
        let (Some(at), Ok(seconds)) = (at, valid.parse::<u32>()) else { return false };
        let now = self.clock.now();
        if now < at - SignedDuration::from_mins(15)
            || now > at + SignedDuration::from_secs(seconds.into())
        {
            return false;
        }
        // The query as it was before it was signed.
        let own: Vec<&str> = query
            .split('&')
            .filter(|part| !part.starts_with("X-Amz-") && !part.is_empty())
            .collect();
        let path = uri.path().strip_prefix(PATH).unwrap_or_default();
        let mut url = format!("{}{path}", self.base);
        if !own.is_empty() {
            url = format!("{url}?{}", own.join("&"));
        }
        let length = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
        let is_length_signed =
            said("X-Amz-SignedHeaders").is_some_and(|names| names.contains("content-length"));
        let signed = match (is_length_signed, length) {
            (true, Some(length)) => vec![("content-length", length)],
            (true, None) => return false,
            (false, _) => Vec::new(),
        };
        let signing =
            Signing { now: at.into(), valid: Duration::from_secs(seconds.into()), region: REGION };
        let again = presign(&self.credentials, method.as_str(), &url, &signed, &signing);
        let expected = again.ok().and_then(|url| {
            let (_, query) = url.split_once('?')?;
            form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name == "X-Amz-Signature")
                .map(|(_, value)| value.into_owned())
        });
        expected.is_some_and(|e| bool::from(e.as_bytes().ct_eq(signature.as_bytes())))
    }

    fn path(folder: &Path, key: &str) -> PathBuf {
        // Keys have slashes and no dots; a file's name has none of either.
        folder.join(key.replace(['/', '\\'], "_"))
    }

    /// Lets files go that are a week old.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn expire(&self, now: Timestamp) -> std::io::Result<()> {
        let Kept::Folder(folder) = self.place.as_ref() else { return Ok(()) };
        let mut files = tokio::fs::read_dir(folder).await?;
        while let Some(file) = files.next_entry().await? {
            let changed = Timestamp::try_from(file.metadata().await?.modified()?);
            if changed.is_ok_and(|changed| changed + KEPT < now) {
                tokio::fs::remove_file(file.path()).await?;
            }
        }
        Ok(())
    }
}

async fn serve(
    State(bucket): State<Bucket>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if method == Method::OPTIONS {
        return allowed(StatusCode::NO_CONTENT.into_response());
    }
    let key = uri.path().strip_prefix(PATH).unwrap_or_default().trim_start_matches('/').to_owned();
    if key.is_empty() || key.contains("..") || !bucket.is_signed(&method, &uri, &headers) {
        return allowed((StatusCode::FORBIDDEN, "SignatureDoesNotMatch").into_response());
    }
    let done = match method {
        Method::PUT => bucket.put(&key, &uri, body).await,
        Method::POST => bucket.parts(&key, &uri, body).await,
        Method::GET => bucket.give(&key, &uri, &headers).await,
        _ => Ok(StatusCode::METHOD_NOT_ALLOWED.into_response()),
    };
    allowed(done.unwrap_or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => (StatusCode::NOT_FOUND, "NoSuchKey").into_response(),
        _ => {
            tracing::error!(%error, "the folder of large files");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }))
}

/// The console's scripts put files from their own origin.
fn allowed(mut response: Response) -> Response {
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, PUT"),
        ("access-control-allow-headers", "*"),
    ] {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}

/// Largest list of parts, in bytes.
const LIST: usize = 1024 * 1024;

/// A parameter of the query; empty for one without a value.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.into_owned())
}

/// Where a part of a file lies until the file is whole.
fn part_key(key: &str, upload: &str, number: &str) -> String {
    format!("{key}/{upload}/{number}")
}

impl Bucket {
    async fn put(&self, key: &str, uri: &Uri, body: Body) -> std::io::Result<Response> {
        let part = parameter(uri, "partNumber").zip(parameter(uri, "uploadId"));
        let Some((number, upload)) = part else {
            self.take(key, body).await?;
            return Ok(StatusCode::OK.into_response());
        };
        self.take(&part_key(key, &upload, &number), body).await?;
        Ok([(header::ETAG, format!("\"part-{number}\""))].into_response())
    }

    /// Begins a file of parts, or makes one of them.
    async fn parts(&self, key: &str, uri: &Uri, body: Body) -> std::io::Result<Response> {
        let xml =
            |text: String| ([(header::CONTENT_TYPE, "application/xml")], text).into_response();
        let Some(upload) = parameter(uri, "uploadId") else {
            let id = carillon_runtime::random::token();
            let begun = format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            );
            return Ok(xml(begun));
        };
        let list = axum::body::to_bytes(body, LIST).await.map_err(std::io::Error::other)?;
        let list = String::from_utf8_lossy(&list).into_owned();
        let numbers = list.split("<PartNumber>").skip(1).filter_map(|part| part.split_once('<'));
        let mut whole: Vec<Body> = Vec::new();
        for (number, _) in numbers {
            let part = part_key(key, &upload, number);
            let size = self.size(&part).await?;
            whole.push(self.part(&part, 0, size).await?);
        }
        let pieces = futures::stream::iter(whole).flat_map(Body::into_data_stream);
        self.take(key, Body::from_stream(pieces)).await?;
        Ok(xml("<CompleteMultipartUploadResult/>".to_owned()))
    }

    async fn size(&self, key: &str) -> std::io::Result<u64> {
        match self.place.as_ref() {
            Kept::Memory(files) => {
                let files = files.lock().unwrap_or_else(PoisonError::into_inner);
                let file = files.get(key).ok_or(std::io::ErrorKind::NotFound)?;
                Ok(file.len() as u64)
            }
            Kept::Folder(folder) => Ok(tokio::fs::metadata(Self::path(folder, key)).await?.len()),
        }
    }

    async fn take(&self, key: &str, body: Body) -> std::io::Result<()> {
        let mut pieces = body.into_data_stream();
        let broken = |e: axum::Error| std::io::Error::other(e);
        match self.place.as_ref() {
            Kept::Memory(files) => {
                let mut whole = Vec::new();
                while let Some(piece) = pieces.next().await {
                    whole.extend_from_slice(&piece.map_err(broken)?);
                }
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                files.insert(key.to_owned(), whole.into());
            }
            Kept::Folder(folder) => {
                let path = Self::path(folder, key);
                let coming = path.with_extension("part");
                let mut file = tokio::fs::File::create(&coming).await?;
                while let Some(piece) = pieces.next().await {
                    file.write_all(&piece.map_err(broken)?).await?;
                }
                file.sync_all().await?;
                // Whole or not at all.
                tokio::fs::rename(&coming, &path).await?;
            }
        }
        Ok(())
    }

    async fn give(&self, key: &str, uri: &Uri, headers: &HeaderMap) -> std::io::Result<Response> {
        let range = headers.get(header::RANGE).and_then(|v| v.to_str().ok()).and_then(read_range);
        let size = self.size(key).await?;
        let (from, to) = match range {
            Some((from, to)) => (from, to.min(size.saturating_sub(1))),
            None => (0, size.saturating_sub(1)),
        };
        if from >= size && size > 0 || from > to {
            let whole = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, whole).into_response());
        }
        let len = if size == 0 { 0 } else { to - from + 1 };
        let body = self.part(key, from, len).await?;
        let mut response = match range {
            Some(_) => (StatusCode::PARTIAL_CONTENT, body).into_response(),
            None => body.into_response(),
        };
        let own = response.headers_mut();
        if range.is_some()
            && let Ok(value) = format!("bytes {from}-{to}/{size}").parse()
        {
            own.insert(header::CONTENT_RANGE, value);
        }
        own.insert(header::CONTENT_LENGTH, len.into());
        let name = parameter(uri, "response-content-disposition");
        if let Some(name) = name.and_then(|name| name.parse().ok()) {
            own.insert(header::CONTENT_DISPOSITION, name);
        }
        Ok(response)
    }

    async fn part(&self, key: &str, from: u64, len: u64) -> std::io::Result<Body> {
        match self.place.as_ref() {
            Kept::Memory(files) => {
                let files = files.lock().unwrap_or_else(PoisonError::into_inner);
                let file = files.get(key).ok_or(std::io::ErrorKind::NotFound)?;
                let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(file.len());
                Ok(Body::from(file.slice(at(from)..at(from + len))))
            }
            Kept::Folder(folder) => {
                let mut file = tokio::fs::File::open(Self::path(folder, key)).await?;
                file.seek(std::io::SeekFrom::Start(from)).await?;
                let file = file.take(len);
                let pieces = futures::stream::try_unfold(file, |mut file| async move {
                    let mut piece = vec![0; PIECE];
                    let read = file.read(&mut piece).await?;
                    piece.truncate(read);
                    Ok::<_, std::io::Error>((read > 0).then_some((Bytes::from(piece), file)))
                });
                Ok(Body::from_stream(pieces))
            }
        }
    }
}

/// `bytes=0-99`.
fn read_range(text: &str) -> Option<(u64, u64)> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let from = from.parse().ok()?;
    Some((from, to.parse().unwrap_or(u64::MAX)))
}
