//! Bookings as they come in: everything that can be wrong is found here.

use carillon_domain::booking::{Booking, Edit, LONGEST, MOST_HOURS, Move, Overrides, State};
use carillon_domain::{BookingId, Channel, ContactId};
use carillon_runtime::Context;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::extract::present;
use crate::problem::{FieldError, Problem};

/// Longest name of a coach or place, in characters.
const LONGEST_LINE: usize = 200;
/// A session without a length is an hour.
const HOUR: u32 = 60;
/// A time this little in the past is now: clocks differ.
const PAST_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);
/// Nothing is booked further ahead: two years.
const HORIZON: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);

/// A session to come.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewBooking", example = example())]
pub struct New {
    /// The contact that it is with.
    #[schemars(with = "ContactId")]
    client_id: Option<String>,
    #[schemars(with = "Timestamp")]
    starts_at: Option<String>,
    #[schemars(range(min = 1, max = LONGEST))]
    duration_minutes: Option<u32>,
    /// The organization's name is told, where it is absent.
    #[schemars(length(max = LONGEST_LINE))]
    coach_name: Option<String>,
    /// `TBD` is told, where it is absent.
    #[schemars(length(max = LONGEST_LINE))]
    location: Option<String>,
    settings: Option<Settings>,
}

fn example() -> Value {
    json!({
        "client_id": ContactId::from_hash(&[b"example client"]), "coach_name": "Grace Hopper",
        "starts_at": "2026-12-04T17:00:00+11:00", "duration_minutes": 50, "location": "Room 2",
        "settings": {"reminder_hours_before": 3},
    })
}

/// What this booking has instead of the organization's settings; `null` takes
/// that away.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "NewBookingOverrides")]
pub struct Settings {
    #[serde(deserialize_with = "present")]
    confirmations: Option<Option<bool>>,
    #[serde(deserialize_with = "present")]
    reminders: Option<Option<bool>>,
    #[serde(deserialize_with = "present")]
    feedback: Option<Option<bool>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<u16>", range(min = 1, max = MOST_HOURS))]
    reminder_hours_before: Option<Option<u16>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<u16>", range(min = 0, max = MOST_HOURS))]
    feedback_hours_after: Option<Option<u16>>,
    /// Of its notices; SMS, where it is absent.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<Channel>")]
    channel: Option<Option<String>>,
}

/// What is to change of a booking; `null` clears.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "BookingPatch", example = patch_example())]
pub struct Patch {
    #[schemars(with = "Option<Timestamp>")]
    starts_at: Option<String>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST_LINE))]
    coach_name: Option<Option<String>>,
    #[schemars(range(min = 1, max = LONGEST))]
    duration_minutes: Option<u32>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST_LINE))]
    location: Option<Option<String>>,
    settings: Option<Settings>,
}

fn patch_example() -> Value {
    json!({"location": "Room 5", "settings": {"reminders": false}})
}

/// Where a booking moves to: another time, another coach, or both.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BookingMove", example = move_example())]
pub struct MoveRequest {
    #[schemars(with = "Option<Timestamp>")]
    starts_at: Option<String>,
    #[schemars(length(max = LONGEST_LINE))]
    coach_name: Option<String>,
}

fn move_example() -> Value {
    json!({"starts_at": "2026-12-05T17:00:00+11:00", "coach_name": "Grace Hopper"})
}

/// What a patch changes besides time and coach.
pub struct Checked {
    edit: Edit,
    settings: Option<Settings>,
}

impl Checked {
    /// On the booking as it is.
    pub fn on(&self, b: &Booking) -> Edit {
        let mut overrides = b.overrides;
        let overrides = self.settings.as_ref().map(|settings| {
            settings.apply(&mut overrides, &mut Vec::new());
            overrides
        });
        Edit { overrides, ..self.edit.clone() }
    }
}

impl New {
    /// # Errors
    /// 422 with every field that is wrong.
    pub async fn check(
        self,
        ctx: &Context,
        caller: &Caller,
        id: BookingId,
        now: Timestamp,
    ) -> Result<Booking, Problem> {
        let mut wrong = Vec::new();
        let client = client(ctx, caller, self.client_id.as_deref(), &mut wrong).await?;
        let starts_at = match self.starts_at.as_deref() {
            Some(text) => read_start(text, now, &mut wrong),
            None => {
                let detail = "Say when it begins: “starts_at”.";
                wrong.push(FieldError::new("starts_at", "missing_field", detail));
                None
            }
        };
        let duration_minutes = self.duration_minutes.unwrap_or(HOUR);
        read_duration(duration_minutes, &mut wrong);
        let coach_name = line("coach_name", self.coach_name.as_deref(), &mut wrong);
        let location = line("location", self.location.as_deref(), &mut wrong);
        let mut overrides = Overrides::default();
        if let Some(settings) = &self.settings {
            settings.apply(&mut overrides, &mut wrong);
        }
        let (Some(client), Some(starts_at), true) = (client, starts_at, wrong.is_empty()) else {
            return Err(Problem::fields(wrong));
        };
        Ok(Booking {
            id,
            org: caller.org,
            client,
            coach_name,
            starts_at,
            duration_minutes,
            location,
            state: State::Confirmed,
            overrides,
            revision: 1,
            changed_at: now,
            moved_in: 1,
            reassigned_in: 0,
            notices: Vec::new(),
            reply: None,
            feedback: None,
            created_by: caller.id.clone(),
            created_at: now,
            updated_at: now,
            due: Some(now),
            generation: 0,
            version: 0,
        })
    }
}

impl Patch {
    /// # Errors
    /// 422 with every field that is wrong.
    pub fn check(self, now: Timestamp) -> Result<(Move, Checked), Problem> {
        let mut wrong = Vec::new();
        let starts_at = self.starts_at.and_then(|text| read_start(&text, now, &mut wrong));
        let coach_name =
            self.coach_name.map(|coach| line("coach_name", coach.as_deref(), &mut wrong));
        let location = self.location.map(|place| line("location", place.as_deref(), &mut wrong));
        if let Some(minutes) = self.duration_minutes {
            read_duration(minutes, &mut wrong);
        }
        if let Some(settings) = &self.settings {
            settings.apply(&mut Overrides::default(), &mut wrong);
        }
        if !wrong.is_empty() {
            return Err(Problem::fields(wrong));
        }
        let duration_minutes = self.duration_minutes;
        let edit = Edit { duration_minutes, location, overrides: None };
        Ok((Move { starts_at, coach_name }, Checked { edit, settings: self.settings }))
    }
}

impl MoveRequest {
    /// # Errors
    /// 422 with every field that is wrong.
    pub fn check(self, now: Timestamp) -> Result<Move, Problem> {
        let mut wrong = Vec::new();
        if self.starts_at.is_none() && self.coach_name.is_none() {
            let detail = "Say where to: “starts_at”, “coach_name”, or both.";
            wrong.push(FieldError::new("starts_at", "missing_field", detail));
        }
        let starts_at = self.starts_at.and_then(|text| read_start(&text, now, &mut wrong));
        let coach_name = self.coach_name.map(|coach| line("coach_name", Some(&coach), &mut wrong));
        if wrong.is_empty() {
            Ok(Move { starts_at, coach_name })
        } else {
            Err(Problem::fields(wrong))
        }
    }
}

impl Settings {
    fn apply(&self, to: &mut Overrides, wrong: &mut Vec<FieldError>) {
        let hours = |field: &str, hours: u16, least: u16, wrong: &mut Vec<FieldError>| {
            if !(least..=MOST_HOURS).contains(&hours) {
                let detail = format!("A number of hours from {least} to {MOST_HOURS}.");
                wrong.push(FieldError::new(format!("settings.{field}"), "out_of_range", detail));
            }
        };
        to.confirmations = self.confirmations.unwrap_or(to.confirmations);
        to.reminders = self.reminders.unwrap_or(to.reminders);
        to.feedback = self.feedback.unwrap_or(to.feedback);
        if let Some(given) = self.reminder_hours_before {
            given.into_iter().for_each(|n| hours("reminder_hours_before", n, 1, wrong));
            to.reminder_hours_before = given;
        }
        if let Some(given) = self.feedback_hours_after {
            given.into_iter().for_each(|n| hours("feedback_hours_after", n, 0, wrong));
            to.feedback_hours_after = given;
        }
        if let Some(given) = &self.channel {
            to.channel = given.as_deref().and_then(|name| {
                let channel = Channel::parse(name).filter(|c| *c != Channel::WhatsappGroup);
                if channel.is_none() {
                    let detail = "A notice goes by sms, whatsapp or voice.";
                    wrong.push(FieldError::new("settings.channel", "unknown_channel", detail));
                }
                channel
            });
        }
    }
}

async fn client(
    ctx: &Context,
    caller: &Caller,
    text: Option<&str>,
    wrong: &mut Vec<FieldError>,
) -> Result<Option<ContactId>, Problem> {
    let Some(text) = text else {
        let detail = "Say whose it is: “client_id”, the id of a contact.";
        wrong.push(FieldError::new("client_id", "missing_field", detail));
        return Ok(None);
    };
    let found = match text.parse::<ContactId>() {
        Ok(id) => ctx.store.contact_now(caller.org, id).await?,
        Err(_) => None,
    };
    if found.is_none() {
        let detail = "There is no such contact in this organization; check the id.";
        wrong.push(FieldError::new("client_id", "unknown_contact", detail));
    }
    Ok(found.map(|contact| contact.id))
}

fn read_start(text: &str, now: Timestamp, wrong: &mut Vec<FieldError>) -> Option<Timestamp> {
    let mut refuse = |code: &str, detail: String| {
        wrong.push(FieldError::new("starts_at", code, detail));
        None
    };
    let Ok(at) = text.parse::<Timestamp>() else {
        let detail =
            "Write the time as RFC 3339 with an offset, such as 2026-11-21T18:30:00+05:30.";
        return refuse("invalid_time", detail.to_owned());
    };
    if at < now - PAST_TOLERANCE {
        let detail = format!("This time has passed (it is {now}); give one to come.");
        return refuse("time_in_past", detail);
    }
    if at > now + HORIZON {
        let detail = "This is more than two years ahead; give an earlier time.";
        return refuse("time_too_far", detail.to_owned());
    }
    // To the millisecond, as it is stored.
    Timestamp::from_millisecond(at.as_millisecond()).ok()
}

fn read_duration(minutes: u32, wrong: &mut Vec<FieldError>) {
    if !(1..=LONGEST).contains(&minutes) {
        let detail = format!("A session has 1 to {LONGEST} minutes.");
        wrong.push(FieldError::new("duration_minutes", "out_of_range", detail));
    }
}

/// One line, without the space around it; nothing is an empty one.
fn line(field: &str, text: Option<&str>, wrong: &mut Vec<FieldError>) -> String {
    let text = text.unwrap_or_default().trim();
    if text.chars().count() > LONGEST_LINE || text.chars().any(char::is_control) {
        let detail = format!("At most {LONGEST_LINE} characters on one line.");
        wrong.push(FieldError::new(field, "invalid_text", detail));
    }
    text.to_owned()
}
