//! Sessions of one client with one coach: when, and what the client is told.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Listed, Problem};
use crate::contacts::Contact;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::status::{Status, words};

const FIELDS: [&str; 5] = ["client_id", "starts_at", "duration_minutes", "coach_name", "location"];

#[derive(Debug, Deserialize)]
pub struct Booking {
    pub id: String,
    pub client_id: String,
    #[serde(default)]
    pub coach_name: Option<String>,
    pub starts_at: Timestamp,
    pub duration_minutes: i64,
    #[serde(default)]
    pub location: Option<String>,
    pub status: Status,
    pub notices: Vec<Notice>,
    #[serde(default)]
    pub client_reply: Option<Value>,
    #[serde(default)]
    pub feedback: Option<Feedback>,
    /// The API says who by id alone: [`Booking::named`] asks for the name.
    #[serde(skip)]
    pub client_name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Feedback {
    pub rating: u8,
    pub comment: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Notice {
    pub kind: String,
    pub channel: String,
    pub message_id: Option<String>,
    pub scheduled_for: Timestamp,
    pub status: Status,
    #[serde(default)]
    pub reason: Option<String>,
}

impl Booking {
    pub fn coach(&self) -> &str {
        self.coach_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("A session")
    }

    pub fn client(&self) -> &str {
        self.client_name.as_deref().unwrap_or(&self.client_id)
    }

    /// These with the names of their clients; who is gone keeps his id.
    pub async fn named(desk: &Desk, bookings: Vec<Self>) -> Vec<Self> {
        let asked = bookings.into_iter().map(|mut booking| async move {
            let path = format!("/v1/contacts/{}", api::segment(&booking.client_id));
            let client = desk.api.get::<Contact>(&path).await.ok();
            booking.client_name = client.map(|client| client.called().to_owned());
            booking
        });
        futures::future::join_all(asked).await
    }

    pub fn place(&self) -> &str {
        self.location.as_deref().filter(|place| !place.is_empty()).unwrap_or("Not said yet")
    }

    pub fn reply(&self) -> String {
        let said = self.client_reply.as_ref().and_then(Value::as_str);
        said.map(words).unwrap_or_default()
    }

    pub fn is_open(&self) -> bool {
        self.status.0 == "confirmed"
    }
}

impl Notice {
    pub fn what(&self) -> String {
        format!("{} by {}", words(&self.kind), crate::message::channel(&self.channel))
    }
}

/// What the form says.
#[derive(Debug, Clone, Default)]
pub struct Form {
    pub client: String,
    pub at: String,
    pub minutes: String,
    pub coach: String,
    pub location: String,
}

impl Form {
    fn of(sent: &Sent) -> Self {
        let text = |name: &str| sent.text(name).to_owned();
        Self {
            client: text("client"),
            at: text("at"),
            minutes: text("minutes"),
            coach: text("coach_name"),
            location: text("location"),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    which: String,
    cursor: String,
}

#[derive(Template)]
#[template(path = "bookings.html")]
pub struct BookingsPage {
    pub frame: Frame,
    pub is_past: bool,
    pub bookings: Vec<Booking>,
    pub next: Option<String>,
    pub form: Form,
    pub errors: Errors,
}

#[derive(Template)]
#[template(path = "booking.html")]
pub struct BookingPage {
    pub frame: Frame,
    pub booking: Booking,
    pub client: Contact,
    pub at: String,
    pub errors: Errors,
}

/// `GET /console/bookings`
pub async fn list(desk: Desk, Query(filter): Query<Filter>) -> Result<Response, Refusal> {
    Ok(page::ok(&make_list(&desk, filter, Form::default(), Errors::default()).await?))
}

async fn make_list(
    desk: &Desk,
    filter: Filter,
    form: Form,
    errors: Errors,
) -> Result<BookingsPage, Problem> {
    let is_past = filter.which == "past";
    let split = (desk.now - jiff::SignedDuration::from_hours(3)).to_string();
    let side = if is_past { "to" } else { "from" };
    let path =
        api::path("/v1/bookings", &[("limit", "50"), (side, &*split), ("cursor", &filter.cursor)]);
    let found = desk.api.get::<Listed<Booking>>(&path);
    let (frame, found) = futures::join!(desk.frame("Bookings"), found);
    let found = found?;
    let next = found.next_cursor.map(|cursor| {
        api::path("/console/bookings", &[("which", &filter.which), ("cursor", &cursor)])
    });
    let bookings = Booking::named(desk, found.data).await;
    Ok(BookingsPage { frame: frame?, is_past, bookings, next, form, errors })
}

/// `POST /console/bookings`
pub async fn create(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let form = Form::of(&sent);
    let frame = desk.frame("").await?;
    let mut client = form.client.clone();
    if !client.starts_with("con_") {
        let path = api::path("/v1/contacts", &[("phone", &client)]);
        let found = desk.api.get::<Listed<Contact>>(&path).await;
        if let Some(contact) = found.ok().and_then(|found| found.data.into_iter().next()) {
            client = contact.id;
        }
    }
    let at = frame.times.read(&form.at).map_or_else(|| form.at.clone(), |at| at.to_string());
    let minutes = form.minutes.parse::<u32>().map_or_else(|_| json!(form.minutes), |n| json!(n));
    let mut body = json!({"client_id": client, "starts_at": at, "duration_minutes": minutes});
    for (name, value) in [("coach_name", &form.coach), ("location", &form.location)] {
        if !value.is_empty() {
            body[name] = json!(value);
        }
    }
    match desk.api.post::<Booking>("/v1/bookings", &body, sent.filled("once")).await {
        Ok(made) => Ok(to(&made.id, "created")),
        Err(problem) if matches!(problem.status, 400 | 404 | 409 | 422) => {
            let errors = Errors::of(&problem, &FIELDS);
            Ok(page::again(&problem, &make_list(&desk, Filter::default(), form, errors).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `GET /console/bookings/{id}`
pub async fn page(desk: Desk, Path(id): Path<String>) -> Result<Response, Refusal> {
    Ok(page::ok(&make(&desk, &id, Errors::default(), None).await?))
}

async fn make(
    desk: &Desk,
    id: &str,
    errors: Errors,
    at: Option<&str>,
) -> Result<BookingPage, Problem> {
    let booking: Booking = desk.api.get(&format!("/v1/bookings/{}", api::segment(id))).await?;
    let path = format!("/v1/contacts/{}", api::segment(&booking.client_id));
    let (frame, client) = futures::join!(desk.frame("A booking"), desk.api.get::<Contact>(&path));
    let frame = frame?;
    let client =
        client.unwrap_or_else(|_| Contact { id: booking.client_id.clone(), ..Contact::default() });
    let at = at.map_or_else(|| frame.times.field(&booking.starts_at), str::to_owned);
    Ok(BookingPage { frame, booking, client, at, errors })
}

/// `POST /console/bookings/{id}/move`
pub async fn move_to(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let frame = desk.frame("").await?;
    let at = frame.times.read(sent.text("at")).map(|at| at.to_string());
    let body = json!({"starts_at": at.unwrap_or_else(|| sent.text("at").to_owned())});
    act(&desk, &id, "move", &body, &sent, "moved").await
}

/// `POST /console/bookings/{id}/cancel`
pub async fn cancel(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    act(&desk, &id, "cancel", &json!({}), &sent, "cancelled").await
}

/// `POST /console/bookings/{id}/complete`
pub async fn complete(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    act(&desk, &id, "complete", &json!({}), &sent, "completed").await
}

async fn act(
    desk: &Desk,
    id: &str,
    what: &str,
    body: &Value,
    sent: &Sent,
    done: &str,
) -> Result<Response, Refusal> {
    let path = format!("/v1/bookings/{}/{what}", api::segment(id));
    match desk.api.post::<Value>(&path, body, sent.filled("once")).await {
        Ok(_) => Ok(to(id, done)),
        Err(problem) if matches!(problem.status, 400 | 409 | 422) => {
            let errors = Errors::of(&problem, &FIELDS);
            Ok(page::again(&problem, &make(desk, id, errors, sent.filled("at")).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}

fn to(id: &str, done: &str) -> Response {
    Redirect::to(&format!("/console/bookings/{}?done={done}", api::segment(id))).into_response()
}

#[cfg(test)]
impl Booking {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let at = "2026-11-21T09:00:00Z".parse().expect("a time");
        let notice = Notice {
            kind: text(),
            channel: text(),
            message_id: Some(text()),
            scheduled_for: at,
            status: Status(text()),
            reason: Some(text()),
        };
        Self {
            id: text(),
            client_id: text(),
            coach_name: Some(text()),
            starts_at: at,
            duration_minutes: 45,
            location: Some(text()),
            status: Status("confirmed".to_owned()),
            notices: vec![notice],
            client_reply: Some(json!(text())),
            feedback: Some(Feedback { rating: 5, comment: Some(text()) }),
            client_name: Some(text()),
        }
    }
}

#[cfg(test)]
fn all_wrong() -> Errors {
    let mut errors = Errors::whole(crate::page::tests::HOSTILE);
    FIELDS.iter().for_each(|field| errors.add(field, crate::page::tests::HOSTILE));
    errors
}

#[cfg(test)]
impl BookingsPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let form =
            Form { client: text(), at: text(), minutes: text(), coach: text(), location: text() };
        Self {
            frame: Frame::sample(),
            is_past: false,
            bookings: vec![Booking::sample()],
            next: Some(text()),
            form,
            errors: all_wrong(),
        }
    }
}

#[cfg(test)]
impl BookingPage {
    pub fn sample() -> Self {
        let at = crate::page::tests::HOSTILE.to_owned();
        Self {
            frame: Frame::sample(),
            booking: Booking::sample(),
            client: Contact::sample(),
            at,
            errors: all_wrong(),
        }
    }
}
