//! Who is told of trouble, and how: a closed list of ways.

use carillon_domain::settings::{MOST_NOTIFIED, Notify, Trouble};
use carillon_domain::{Country, OutsideUrl, PhoneNumber};
use serde::Deserialize;

use crate::extract::present;
use crate::names::read_email;
use crate::problem::FieldError;

/// An entry as it comes in: each wrong part is named.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Draft {
    #[serde(deserialize_with = "present")]
    by: Option<String>,
    #[serde(deserialize_with = "present")]
    to: Option<String>,
    #[serde(deserialize_with = "present")]
    url: Option<String>,
    /// All, where it is absent.
    #[serde(deserialize_with = "present")]
    about: Option<Vec<String>>,
}

pub(super) fn check(
    drafts: Vec<Draft>,
    (country, has_mail): (Option<Country>, bool),
) -> Result<Vec<Notify>, Vec<FieldError>> {
    let mut wrong = Vec::new();
    if drafts.len() > MOST_NOTIFIED {
        let detail =
            format!("At most {MOST_NOTIFIED} numbers and addresses can be told of trouble.");
        wrong.push(FieldError::new("notify", "too_many", detail));
        return Err(wrong);
    }
    let mut checked = Vec::new();
    for (place, draft) in drafts.into_iter().enumerate() {
        checked.extend(draft.check(&format!("notify[{place}]"), (country, has_mail), &mut wrong));
    }
    if wrong.is_empty() { Ok(checked) } else { Err(wrong) }
}

impl Draft {
    fn check(
        self,
        field: &str,
        (country, has_mail): (Option<Country>, bool),
        wrong: &mut Vec<FieldError>,
    ) -> Option<Notify> {
        let about = subjects(field, self.about, wrong);
        match (self.by.as_deref(), self.to, self.url) {
            (Some("sms"), Some(to), None) => match PhoneNumber::parse_mobile(&to, country) {
                Ok(to) => Some(Notify::Sms { to: to.as_str().to_owned(), about }),
                Err(error) => {
                    let field = format!("{field}.to");
                    wrong.push(FieldError::new(field, error.code(), error.to_string()));
                    None
                }
            },
            (Some("webhook"), None, Some(url)) => match OutsideUrl::parse(&url) {
                Ok(url) => Some(Notify::Webhook { url: url.as_str().to_owned(), about }),
                Err(error) => {
                    let field = format!("{field}.url");
                    let detail = format!("It cannot be called: {error}.");
                    wrong.push(FieldError::new(field, error.code(), detail));
                    None
                }
            },
            (Some("sms"), ..) => {
                let detail = "By sms: give “to”, a number, and nothing else.";
                wrong.push(FieldError::new(format!("{field}.to"), "missing_field", detail));
                None
            }
            (Some("webhook"), ..) => {
                let detail = "By webhook: give “url”, an address (https://…), and nothing else.";
                wrong.push(FieldError::new(format!("{field}.url"), "missing_field", detail));
                None
            }
            (Some("email"), Some(to), None) if has_mail => {
                let to = read_email(&format!("{field}.to"), &to, wrong)?;
                Some(Notify::Email { to, about })
            }
            (Some("email"), ..) if has_mail => {
                let detail = "By email: give “to”, an address, and nothing else.";
                wrong.push(FieldError::new(format!("{field}.to"), "missing_field", detail));
                None
            }
            (Some("email"), ..) => {
                let detail = "This installation has no address to send mail from (MailFrom); use sms or webhook.";
                let field = format!("{field}.by");
                wrong.push(FieldError::new(field, "channel_not_available", detail));
                None
            }
            (other, ..) => {
                let code = if other.is_none() { "missing_field" } else { "invalid_value" };
                let detail = "Say how to tell: “sms”, “email” or “webhook”.";
                wrong.push(FieldError::new(format!("{field}.by"), code, detail));
                None
            }
        }
    }
}

fn subjects(field: &str, about: Option<Vec<String>>, wrong: &mut Vec<FieldError>) -> Vec<Trouble> {
    let Some(about) = about else { return Trouble::ALL.to_vec() };
    let mut subjects = Vec::new();
    for name in about {
        match Trouble::parse(&name) {
            Some(trouble) if subjects.contains(&trouble) => {}
            Some(trouble) => subjects.push(trouble),
            None => {
                let known = Trouble::ALL.map(Trouble::as_str).join(", ");
                let detail = format!("There is no trouble “{name}”; use {known}.");
                wrong.push(FieldError::new(format!("{field}.about"), "invalid_value", detail));
            }
        }
    }
    if subjects.is_empty() {
        let detail = "Name at least one trouble, or leave “about” out for all.";
        wrong.push(FieldError::new(format!("{field}.about"), "invalid_value", detail));
    }
    subjects.sort_unstable();
    subjects
}
