//! What Twilio says at once about a new message. Pure: fields and settings in, refusal out.

use serde_json::{Map, Value};

use super::document::Refusal;
use crate::{account::is_sid, number, settings::Settings};

const LONGEST_BODY: usize = 1_600;
const MOST_MEDIA: usize = 10;

/// The fields of a create request that matter here.
#[derive(Default)]
pub(super) struct Fields {
    pub to: String,
    pub from: Option<String>,
    pub service: Option<String>,
    pub body: String,
    pub media: usize,
    pub content: Option<String>,
    pub status_callback: Option<String>,
    validity: Option<String>,
    scheduled: bool,
    /// All as they came; a repeated name is a list.
    pub request: Value,
}

impl Fields {
    pub fn parse(form: &[u8]) -> Self {
        let mut fields = Self::default();
        let mut request = Map::new();
        for (name, value) in form_urlencoded::parse(form) {
            let given = Some(value.to_string()).filter(|value| !value.is_empty());
            match name.as_ref() {
                "To" => fields.to = value.to_string(),
                "From" => fields.from = given,
                "MessagingServiceSid" => fields.service = given,
                "Body" => fields.body = value.to_string(),
                "MediaUrl" => fields.media += 1,
                "ContentSid" => fields.content = given,
                "StatusCallback" => fields.status_callback = given,
                "ValidityPeriod" => fields.validity = given,
                "ScheduleType" | "SendAt" => fields.scheduled = true,
                _ => {}
            }
            let value = Value::String(value.into_owned());
            match request.get_mut(name.as_ref()) {
                None => {
                    request.insert(name.into_owned(), value);
                }
                Some(Value::Array(values)) => values.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        fields.request = Value::Object(request);
        fields
    }

    /// The number as the simulator's filters know it.
    pub fn canonical_to(&self) -> String {
        number::canonical(&self.to)
    }
}

pub(super) fn check(fields: &Fields, settings: &Settings) -> Result<(), Refusal> {
    let refuse = |code, message: &str| Err(Refusal::new(code, message));
    if fields.to.is_empty() {
        return refuse(21_604, "A 'To' phone number is required.");
    }
    if fields.from.is_none() && fields.service.is_none() {
        return refuse(21_603, "A 'From' phone number is required.");
    }
    if fields.body.is_empty() && fields.media == 0 && fields.content.is_none() {
        return refuse(21_602, "Message body is required.");
    }
    if fields.body.chars().count() > LONGEST_BODY {
        return refuse(21_617, "The concatenated message body exceeds the 1600 character limit.");
    }
    if fields.media > MOST_MEDIA {
        return refuse(21_623, "Number of media files exceeds allowed limit.");
    }
    if !is_address(&fields.to) {
        return Err(invalid_to(fields));
    }
    if settings.magic_numbers {
        magic_to(fields)?;
        magic_from(fields)?;
    }
    if let Some(from) = &fields.from
        && !is_sender(from)
    {
        return Err(invalid_from(from));
    }
    if let Some(service) = &fields.service
        && !is_sid("MG", service)
    {
        return refuse(21_701, "The Messaging Service does not exist");
    }
    if let Some(url) = &fields.status_callback
        && !is_callback(url)
    {
        let message = format!("The 'StatusCallback' URL {url} is not a valid URL.");
        return Err(Refusal::new(21_609, message));
    }
    if let Some(seconds) = &fields.validity
        && !(seconds.parse::<u32>()).is_ok_and(|seconds| (1..=36_000).contains(&seconds))
    {
        return refuse(21_624, "ValidityPeriod is out of range: 1 to 36000");
    }
    if fields.scheduled {
        // Sent at once it would be a lie.
        return refuse(20_422, "The simulator does not schedule messages.");
    }
    Ok(())
}

/// "Test credentials": numbers to which sending always fails in one way.
fn magic_to(fields: &Fields) -> Result<(), Refusal> {
    Err(match fields.to.as_str() {
        "+15005550001" => invalid_to(fields),
        "+15005550002" => unreachable(fields),
        "+15005550003" => region(fields),
        "+15005550004" => unsubscribed(),
        "+15005550009" => landline(fields),
        _ => return Ok(()),
    })
}

fn magic_from(fields: &Fields) -> Result<(), Refusal> {
    let from = fields.from.as_deref().unwrap_or_default();
    Err(match from {
        "+15005550001" => invalid_from(from),
        "+15005550007" => Refusal::new(
            21_606,
            format!(
                "The 'From' phone number provided ({from}) is not a valid message-capable Twilio \
                 phone number for this destination/account"
            ),
        ),
        "+15005550008" => Refusal::new(
            21_611,
            format!("This 'From' number {from} has exceeded the maximum number of queued messages"),
        ),
        _ => return Ok(()),
    })
}

pub(super) fn unsubscribed() -> Refusal {
    Refusal::new(21_610, "Attempt to send to unsubscribed recipient")
}

fn invalid_to(fields: &Fields) -> Refusal {
    Refusal::new(21_211, format!("Invalid 'To' Phone Number: {}", fields.to))
}

fn unreachable(fields: &Fields) -> Refusal {
    let from = fields.from.as_deref().unwrap_or_default();
    Refusal::new(
        21_612,
        format!(
            "The 'To' phone number: {}, is not currently reachable using the 'From' phone number: \
             {from} via SMS.",
            fields.to
        ),
    )
}

fn region(fields: &Fields) -> Refusal {
    Refusal::new(
        21_408,
        format!(
            "Permission to send an SMS or MMS has not been enabled for the region indicated by the \
             'To' number: {}",
            fields.to
        ),
    )
}

fn landline(fields: &Fields) -> Refusal {
    Refusal::new(21_614, format!("'To' number: {}, is not a valid mobile number", fields.to))
}

fn invalid_from(from: &str) -> Refusal {
    Refusal::new(21_212, format!("Invalid From Number (caller ID): {from}"))
}

/// The refusal of a code that was set for a number or a request.
pub(super) fn refusal_of(code: u32, fields: &Fields) -> Refusal {
    match code {
        20_003 => Refusal::unauthorized(),
        20_429 => Refusal::throttled(),
        20_500 => Refusal::broken(),
        20_503 => Refusal::unavailable(),
        21_211 => invalid_to(fields),
        21_408 => region(fields),
        21_610 => unsubscribed(),
        21_612 => unreachable(fields),
        21_614 => landline(fields),
        _ => Refusal::new(code, format!("Simulated refusal {code}")),
    }
}

/// A phone number, or a user of another channel.
fn is_address(text: &str) -> bool {
    match text.split_once(':') {
        Some(("messenger", user)) => !user.is_empty(),
        Some(("whatsapp" | "rcs", number)) => number::is_e164(number),
        Some(_) => false,
        None => number::is_e164(text),
    }
}

/// Also short codes and alphanumeric sender ids.
fn is_sender(text: &str) -> bool {
    let short_code =
        (5..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let alphanumeric = (1..=11).contains(&text.len())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" +-_&".contains(&byte));
    short_code || alphanumeric || is_address(text) || text.starts_with("rcs:")
}

fn is_callback(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.contains('_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(form: &str) -> Option<u32> {
        check(&Fields::parse(form.as_bytes()), &Settings::default())
            .err()
            .map(|refusal| refusal.code)
    }

    #[test]
    fn every_refusal_has_its_code() {
        let long = format!("To=%2B15558675310&From=%2B15005550006&Body={}", "a".repeat(1601));
        let media = format!(
            "To=%2B15558675310&From=%2B15005550006{}",
            "&MediaUrl=https%3A%2F%2Fe.org%2Fa.png".repeat(11)
        );
        let rest = |more: &str| format!("To=%2B15558675310&From=%2B15005550006&Body=Hi{more}");
        for (form, expected) in [
            (rest(""), None),
            ("From=%2B15005550006&Body=Hi".to_owned(), Some(21_604)),
            ("To=%2B15558675310&Body=Hi".to_owned(), Some(21_603)),
            ("To=%2B15558675310&From=%2B15005550006".to_owned(), Some(21_602)),
            (long, Some(21_617)),
            (media, Some(21_623)),
            ("To=15558675310&From=%2B15005550006&Body=Hi".to_owned(), Some(21_211)),
            ("To=%2B1500&From=%2B15005550006&Body=Hi".to_owned(), Some(21_211)),
            ("To=whatsapp:%2B15558675310&From=whatsapp:%2B15005550006&Body=Hi".to_owned(), None),
            ("To=%2B15558675310&From=ACME&Body=Hi".to_owned(), None),
            ("To=%2B15558675310&From=12345&Body=Hi".to_owned(), None),
            ("To=%2B15558675310&From=1234567&Body=Hi".to_owned(), Some(21_212)),
            ("To=%2B15558675310&MessagingServiceSid=MG1&Body=Hi".to_owned(), Some(21_701)),
            (rest("&StatusCallback=ftp%3A%2F%2Fe.org"), Some(21_609)),
            (rest("&StatusCallback=http%3A%2F%2Fa_b.org%2F"), Some(21_609)),
            (rest("&StatusCallback=http%3A%2F%2F127.0.0.1%3A1%2Fx"), None),
            (rest("&ValidityPeriod=36001"), Some(21_624)),
            (rest("&ValidityPeriod=36000"), None),
            (rest("&ScheduleType=fixed"), Some(20_422)),
            ("To=%2B15005550001&From=%2B15005550006&Body=Hi".to_owned(), Some(21_211)),
            ("To=%2B15005550002&From=%2B15005550006&Body=Hi".to_owned(), Some(21_612)),
            ("To=%2B15005550003&From=%2B15005550006&Body=Hi".to_owned(), Some(21_408)),
            ("To=%2B15005550004&From=%2B15005550006&Body=Hi".to_owned(), Some(21_610)),
            ("To=%2B15005550009&From=%2B15005550006&Body=Hi".to_owned(), Some(21_614)),
            ("To=%2B15558675310&From=%2B15005550001&Body=Hi".to_owned(), Some(21_212)),
            ("To=%2B15558675310&From=%2B15005550007&Body=Hi".to_owned(), Some(21_606)),
            ("To=%2B15558675310&From=%2B15005550008&Body=Hi".to_owned(), Some(21_611)),
        ] {
            assert_eq!(code(&form), expected, "{}", &form[..form.len().min(90)]);
        }
    }

    #[test]
    fn test_numbers_can_be_switched_off() {
        let fields = Fields::parse(b"To=%2B15005550009&From=%2B15005550007&Body=Hi");
        let settings = Settings { magic_numbers: false, ..Settings::default() };
        assert!(check(&fields, &settings).is_ok());
    }

    #[test]
    fn repeated_fields_are_kept_as_a_list() {
        let fields = Fields::parse(b"MediaUrl=a&MediaUrl=b&MediaUrl=c&To=x");
        assert_eq!(fields.request, serde_json::json!({"MediaUrl": ["a", "b", "c"], "To": "x"}));
    }
}
