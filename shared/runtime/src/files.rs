//! Large files, in a bucket: what is too large for a request comes in and goes
//! out by an address that is good for a while. Nobody retries here: who reads a
//! file has a lease, and a browser asks again.
//!
//! A few requests of S3's own are all that is needed, signed by AWS's signer and
//! made by the one HTTP client
//! ([decision 17](../../../docs/decisions/0017-large-files.md)).

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningError, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use carillon_domain::{OrgId, UploadId};
use carillon_providers::client::{CallError, Client, Said};
use jiff::Timestamp;

/// How long an address for our own requests is good.
const OWN: Duration = Duration::from_secs(300);
/// Time for a block to come.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("this installation has no bucket for large files; set CARILLON_FILES_BUCKET")]
    NoBucket,
    #[error("no credentials for the bucket")]
    Credentials(#[from] CredentialsError),
    #[error("a request to the bucket cannot be signed")]
    Signing(#[from] SigningError),
    #[error("a request to the bucket cannot be built: {0}")]
    Building(String),
    #[error("the bucket did not answer")]
    Call(#[from] CallError),
    #[error("the bucket answered {0}")]
    Refused(u16),
}

/// A bucket and who may use it.
#[derive(Debug, Clone)]
pub struct Files {
    /// Address of the bucket, without a trailing slash.
    base: String,
    region: String,
    credentials: SharedCredentialsProvider,
    http: Client,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub bytes: Vec<u8>,
    /// Bytes of the whole file.
    pub size: u64,
}

/// Where an organization's upload lies.
#[must_use]
pub fn upload_key(org: OrgId, id: UploadId) -> String {
    format!("o/{}/up/{}", org.key(), id.key())
}

/// Where a file that an organization asked for lies.
#[must_use]
pub fn export_key(org: OrgId, name: &str) -> String {
    format!("o/{}/ex/{name}", org.key())
}

impl Files {
    #[must_use]
    pub fn new(
        base: impl Into<String>,
        region: impl Into<String>,
        credentials: SharedCredentialsProvider,
        http: Client,
    ) -> Self {
        Self { base: base.into(), region: region.into(), credentials, http }
    }

    /// Where exactly `size` bytes can be put until then.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn put_url(
        &self,
        key: &str,
        size: u64,
        (now, valid): (Timestamp, Duration),
    ) -> Result<String, FilesError> {
        let length = size.to_string();
        let signing = Signing { now: now.into(), valid, region: &self.region };
        let url = format!("{}/{key}", self.base);
        let credentials = self.credentials.provide_credentials().await?;
        presign(&credentials, "PUT", &url, &[("content-length", &length)], &signing)
    }

    /// Where a file can be got until then, under this name.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn get_url(
        &self,
        key: &str,
        name: &str,
        (now, valid): (Timestamp, Duration),
    ) -> Result<String, FilesError> {
        let disposition = format!("attachment%3B%20filename%3D%22{name}%22");
        let url = format!("{}/{key}?response-content-disposition={disposition}", self.base);
        let signing = Signing { now: now.into(), valid, region: &self.region };
        let credentials = self.credentials.provide_credentials().await?;
        presign(&credentials, "GET", &url, &[], &signing)
    }

    /// `len` bytes from `from` on, fewer at the end; `None` when there is no such
    /// file.
    ///
    /// # Errors
    /// When the bucket does not answer.
    pub async fn range(
        &self,
        key: &str,
        from: u64,
        len: u64,
        now: Timestamp,
    ) -> Result<Option<Part>, FilesError> {
        let url = format!("{}/{key}", self.base);
        let signing = Signing { now: now.into(), valid: OWN, region: &self.region };
        let credentials = self.credentials.provide_credentials().await?;
        let url = presign(&credentials, "GET", &url, &[], &signing)?;
        let range = format!("bytes={from}-{}", from + len.max(1) - 1);
        let limit = usize::try_from(len).unwrap_or(usize::MAX);
        let answer = self.http.bytes(&url, &range, limit, TIMEOUT).await?;
        match answer.status {
            200 | 206 => {
                let size = answer.size.unwrap_or(answer.bytes.len() as u64);
                Ok(Some(Part { bytes: answer.bytes, size }))
            }
            404 => Ok(None),
            // Nothing is there from that byte on.
            416 => Ok(Some(Part { bytes: Vec::new(), size: answer.size.unwrap_or(from) })),
            status => Err(FilesError::Refused(status)),
        }
    }

    /// Stores a whole file.
    ///
    /// # Errors
    /// When the bucket does not take it.
    pub async fn put(&self, key: &str, bytes: Vec<u8>, now: Timestamp) -> Result<(), FilesError> {
        let url = self.put_url(key, bytes.len() as u64, (now, OWN)).await?;
        match self.http.put(&url, bytes, TIMEOUT).await?.status {
            200 | 204 => Ok(()),
            status => Err(FilesError::Refused(status)),
        }
    }
}

impl Files {
    /// Begins a file that comes in parts; answers the bucket's name of it. One that
    /// is not finished goes by itself, after a day.
    ///
    /// # Errors
    /// When the bucket does not take it.
    pub async fn begin(&self, key: &str, now: Timestamp) -> Result<String, FilesError> {
        let url = format!("{}/{key}?uploads", self.base);
        let answer = self.post(&url, Vec::new(), now).await?;
        if answer.status != 200 {
            return Err(FilesError::Refused(answer.status));
        }
        let named = answer.body.split_once("<UploadId>").and_then(|(_, rest)| rest.split_once('<'));
        match named {
            Some((id, _)) if !id.is_empty() => Ok(id.to_owned()),
            _ => Err(FilesError::Building("the bucket named no upload".to_owned())),
        }
    }

    /// Puts a part, from number 1 on; put again, it is in place of the first.
    /// Answers what the bucket calls it.
    ///
    /// # Errors
    /// When the bucket does not take it.
    pub async fn part(
        &self,
        key: &str,
        upload: &str,
        number: usize,
        bytes: Vec<u8>,
        now: Timestamp,
    ) -> Result<String, FilesError> {
        let upload: String = form_urlencoded::byte_serialize(upload.as_bytes()).collect();
        let url = format!("{}/{key}?partNumber={number}&uploadId={upload}", self.base);
        let credentials = self.credentials.provide_credentials().await?;
        let signing = Signing { now: now.into(), valid: OWN, region: &self.region };
        let url = presign(&credentials, "PUT", &url, &[], &signing)?;
        let answer = self.http.put(&url, bytes, TIMEOUT).await?;
        match (answer.status, answer.etag) {
            (200, Some(etag)) => Ok(etag),
            (status, _) => Err(FilesError::Refused(status)),
        }
    }

    /// Makes one file of the parts. Done before, it is done.
    ///
    /// # Errors
    /// When the bucket does not do it.
    pub async fn finish(
        &self,
        key: &str,
        upload: &str,
        parts: &[String],
        now: Timestamp,
    ) -> Result<(), FilesError> {
        let mut list = String::from("<CompleteMultipartUpload>");
        for (number, etag) in (1..).zip(parts) {
            let etag = etag.replace('"', "&quot;");
            list.push_str(&format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            ));
        }
        list.push_str("</CompleteMultipartUpload>");
        let upload: String = form_urlencoded::byte_serialize(upload.as_bytes()).collect();
        let url = format!("{}/{key}?uploadId={upload}", self.base);
        let answer = self.post(&url, list.into_bytes(), now).await?;
        // S3 may begin an answer before it knows that it fails.
        let is_done = answer.status == 200 && !answer.body.contains("<Error>");
        if is_done || (answer.status == 404 && self.range(key, 0, 1, now).await?.is_some()) {
            return Ok(());
        }
        Err(FilesError::Refused(answer.status))
    }

    async fn post(&self, url: &str, body: Vec<u8>, now: Timestamp) -> Result<Said, FilesError> {
        let credentials = self.credentials.provide_credentials().await?;
        let signing = Signing { now: now.into(), valid: OWN, region: &self.region };
        let url = presign(&credentials, "POST", url, &[], &signing)?;
        Ok(self.http.post(&url, body, TIMEOUT).await?)
    }
}

/// When, for how long, and for which region an address is signed.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a> {
    pub now: SystemTime,
    pub valid: Duration,
    pub region: &'a str,
}

/// The address with a signature in its query. `url` is encoded.
///
/// # Errors
/// When it is no address.
pub fn presign(
    credentials: &Credentials,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    signing: &Signing<'_>,
) -> Result<String, FilesError> {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(signing.valid);
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(signing.region)
        .name("s3")
        .time(signing.now)
        .settings(settings)
        .build()
        .map_err(|e| FilesError::Building(e.to_string()))?
        .into();
    let headers = headers.iter().copied();
    let request = SignableRequest::new(method, url, headers, SignableBody::UnsignedPayload)?;
    let (instructions, _) = sign(request, &params)?.into_parts();
    let mut signed = Cow::Borrowed(url);
    let mut between = if url.contains('?') { '&' } else { '?' };
    for (name, value) in instructions.params() {
        let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        // A plus is a plus in a signed query.
        let encoded = encoded.replace('+', "%20");
        signed.to_mut().push_str(&format!("{between}{name}={encoded}"));
        between = '&';
    }
    Ok(signed.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in AWS's own documentation of signatures in a query.
    #[test]
    fn an_address_is_signed_as_the_documentation_says() {
        let credentials = Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            None,
            None,
            "test",
        );
        let now: Timestamp = "2013-05-24T00:00:00Z".parse().expect("a time");
        let signing =
            Signing { now: now.into(), valid: Duration::from_secs(86_400), region: "us-east-1" };
        let url = "https://examplebucket.s3.amazonaws.com/test.txt";
        let signed = presign(&credentials, "GET", url, &[], &signing).expect("signed");
        assert!(
            signed.contains(
                "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
            ),
            "{signed}"
        );
    }
}
