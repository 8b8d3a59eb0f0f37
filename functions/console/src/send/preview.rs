//! What a message would be: looked at before it is sent.

use askama::Template;
use carillon_domain::integration::Money;
use jiff::Timestamp;
use serde::Deserialize;

use super::draft::Draft;
use crate::api::Problem;
use crate::desk::Desk;
use crate::figures;
use crate::frame::Frame;
use crate::message::Decision;
use crate::sent::Errors;
use crate::status::Status;

/// What the API says a message would be.
#[derive(Debug, Deserialize)]
pub struct Preview {
    pub to: String,
    pub body: String,
    pub segments: u16,
    pub gsm7_replacement: Option<String>,
    pub provider: Option<String>,
    pub price: Option<Money>,
    pub scheduled_for: Timestamp,
    pub decision: Status,
    pub until: Option<Timestamp>,
    pub decisions: Vec<Decision>,
}

impl Preview {
    pub fn cost(&self) -> String {
        self.price.as_ref().map_or_else(|| "no price is set".to_owned(), figures::money)
    }

    pub fn provider_word(&self) -> String {
        self.provider.as_deref().map_or_else(|| "nobody yet".to_owned(), crate::status::words)
    }
}

#[derive(Template)]
#[template(path = "send-preview.html")]
pub struct PreviewPage {
    pub frame: Frame,
    pub draft: Draft,
    pub preview: Preview,
    /// When it would go, in words; none for at once.
    pub when: Option<String>,
    pub until: Option<String>,
    /// The key of the form, from its first showing on.
    pub once: String,
    pub errors: Errors,
}

/// Inner: what the API says against it.
pub(super) async fn look(
    desk: &Desk,
    draft: &Draft,
    once: String,
    errors: Errors,
) -> Result<Result<PreviewPage, Problem>, Problem> {
    let frame = desk.frame("Look before you send").await?;
    let asked = draft.request(&frame);
    let preview: Preview = match desk.api.post("/v1/messages/preview", &asked, None).await {
        Ok(preview) => preview,
        Err(problem) => return Ok(Err(problem)),
    };
    let is_later = preview.scheduled_for > desk.now;
    let when = is_later.then(|| frame.times.words(&preview.scheduled_for));
    let until = preview.until.map(|until| frame.times.words(&until));
    Ok(Ok(PreviewPage { frame, draft: draft.clone(), preview, when, until, once, errors }))
}

#[cfg(test)]
impl PreviewPage {
    pub fn sample() -> Self {
        use serde_json::json;

        let text = crate::page::tests::HOSTILE;
        let at = "2026-11-21T09:00:00Z";
        let preview = json!({
            "to": text, "body": text, "segments": 1, "encoding": "ucs2", "gsm7_replacement": text,
            "provider": text, "price": {"amount": text, "currency": text}, "scheduled_for": at,
            "decision": "deferred", "until": at,
            "decisions": [{"at": at, "decision": "deferred", "until": at, "detail": text}],
        });
        Self {
            frame: Frame::sample(),
            draft: Draft::sample(),
            preview: serde_json::from_value(preview).expect("a preview"),
            when: Some(text.to_owned()),
            until: Some(text.to_owned()),
            once: "once".to_owned(),
            errors: Errors::whole(text),
        }
    }
}
