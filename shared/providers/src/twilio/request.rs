//! Requests to Twilio.

use carillon_domain::{Failure, FailureReason, Secret};
use form_urlencoded::Serializer;

use super::account;
use crate::contract::{Account, Body, Content, HttpRequest, Method, Outgoing, Probe};

/// Characters of a body; a longer one is refused (21617).
const MAX_BODY_CHARS: usize = 1_600;
/// Media of one message; more are refused (21623).
const MAX_MEDIA: usize = 10;
/// Seconds: what `ValidityPeriod` may be at most, and is when not given.
const MAX_VALIDITY: u32 = 36_000;
/// Messages of one page of the list, at most.
const PAGE_SIZE: &str = "1000";

/// `POST …/Messages.json`, a form.
pub fn send(account: &Account, message: &Outgoing) -> Result<HttpRequest, Failure> {
    let refuse = |code: &str, reason, detail: &str| Failure::new(code, reason, true, detail);
    let misconfigured = |code, detail| refuse(code, FailureReason::Misconfigured, detail);
    let rejected = |code, detail| refuse(code, FailureReason::ContentRejected, detail);

    let Content::Text(text) = &message.content else {
        return Err(refuse(
            "text_needed",
            FailureReason::TemplateMismatch,
            "Twilio is sent texts, not registered templates",
        ));
    };
    if text.is_empty() && message.media.is_empty() {
        return Err(rejected("body_missing", "there is neither text nor media"));
    }
    if text.chars().count() > MAX_BODY_CHARS {
        return Err(rejected("body_too_long", "the text has more than 1,600 characters"));
    }
    if message.media.len() > MAX_MEDIA {
        return Err(rejected("too_many_media", "there are more than 10 media"));
    }
    if message.valid_for == Some(0) {
        return Err(refuse("expired", FailureReason::Expired, "its time is over"));
    }
    let authorization = account::authorization(&account.credentials)
        .ok_or_else(|| misconfigured("credentials_missing", "the account has no credentials"))?;
    let url = resource(account, "Messages.json")
        .ok_or_else(|| misconfigured("credentials_missing", "the account has no account_sid"))?;

    let mut form = Serializer::new(String::new());
    form.append_pair("To", message.to.as_str());
    // A service brings its own senders; naming one outside its pool is an error.
    if let Some(service) = account.settings.get("messaging_service_sid") {
        form.append_pair("MessagingServiceSid", service);
    } else if let Some(from) = account.settings.get("from") {
        form.append_pair("From", from);
    } else {
        return Err(misconfigured(
            "sender_missing",
            "neither from nor messaging_service_sid is set",
        ));
    }
    if !text.is_empty() {
        form.append_pair("Body", text);
    }
    for media in &message.media {
        form.append_pair("MediaUrl", media);
    }
    if let Some(callback) = &message.status_callback {
        form.append_pair("StatusCallback", callback);
    }
    if let Some(seconds) = message.valid_for {
        form.append_pair("ValidityPeriod", &seconds.min(MAX_VALIDITY).to_string());
    }
    Ok(HttpRequest {
        method: Method::Post,
        url,
        headers: headers(authorization),
        body: Some(Body { content_type: "application/x-www-form-urlencoded", text: form.finish() }),
    })
}

/// `GET …/Messages.json?To=`: everything kept that went to this number.
///
/// Not narrowed by date: Twilio filters by the date *sent*, and a message that
/// waits in its queue has none. It would be missed, and the message sent
/// twice. The number alone is narrow enough for one page.
pub fn look_up(account: &Account, probe: &Probe) -> HttpRequest {
    let query = Serializer::new(String::new())
        .append_pair("To", probe.to.as_str())
        .append_pair("PageSize", PAGE_SIZE)
        .finish();
    get(account, "Messages.json", &query)
}

/// `GET …/Balance.json`: proves the credentials and tells the balance.
pub fn balance(account: &Account) -> HttpRequest {
    get(account, "Balance.json", "")
}

/// Without credentials the request is made all the same; Twilio's 401 says it.
fn get(account: &Account, name: &str, query: &str) -> HttpRequest {
    let mut url = resource(account, name).unwrap_or_else(|| account.base_url.clone());
    if !query.is_empty() {
        url.push('?');
        url.push_str(query);
    }
    let authorization = account::authorization(&account.credentials).unwrap_or_default();
    HttpRequest { method: Method::Get, url, headers: headers(authorization), body: None }
}

fn resource(account: &Account, name: &str) -> Option<String> {
    let sid = account.credentials.get("account_sid")?;
    Some(format!("{}/2010-04-01/Accounts/{sid}/{name}", account.base_url))
}

fn headers(authorization: Secret) -> Vec<(&'static str, Secret)> {
    vec![("accept", "application/json".into()), ("authorization", authorization)]
}

#[cfg(test)]
mod tests {
    use carillon_domain::integration::IntegrationSettings;
    use carillon_domain::segments::Encoding;
    use carillon_domain::{MessageId, PhoneNumber};

    use super::*;
    use crate::contract::Credentials;

    fn sent(
        settings: &[(&str, &str)],
        change: impl FnOnce(&mut Outgoing),
    ) -> Result<Vec<(String, String)>, String> {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let account = Account {
            base_url: "https://api.twilio.com".to_owned(),
            credentials: Credentials::from_iter([("account_sid", "AC1"), ("auth_token", "t")]),
            settings: IntegrationSettings { provider: map(settings), ..Default::default() },
        };
        let mut message = Outgoing {
            message: MessageId::from_bytes([0; 26]),
            attempt: 1,
            to: PhoneNumber::parse("+14155552671", None).expect("a number"),
            content: Content::Text("Hi".to_owned()),
            encoding: Encoding::Gsm7,
            flash: false,
            media: Vec::new(),
            status_callback: None,
            valid_for: None,
        };
        change(&mut message);
        let request = send(&account, &message).map_err(|f| f.code)?;
        assert_eq!(request.url, "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
        let body = request.body.expect("a body").text;
        Ok(form_urlencoded::parse(body.as_bytes()).into_owned().collect())
    }

    const FROM: &[(&str, &str)] = &[("from", "+15017122661")];

    #[test]
    fn a_service_goes_before_a_number() {
        let names = |settings: &[(&str, &str)]| -> Vec<String> {
            sent(settings, |_| {}).expect("a request").into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(FROM), ["To", "From", "Body"]);
        let both = [FROM[0], ("messaging_service_sid", "MG1")];
        assert_eq!(names(&both), ["To", "MessagingServiceSid", "Body"]);
    }

    #[test]
    fn what_twilio_would_refuse_is_not_sent() {
        assert_eq!(sent(&[], |_| {}), Err("sender_missing".to_owned()));
        let long = |n: usize| move |m: &mut Outgoing| m.content = Content::Text("é".repeat(n));
        assert!(sent(FROM, long(1_600)).is_ok());
        assert_eq!(sent(FROM, long(1_601)), Err("body_too_long".to_owned()));
        assert_eq!(sent(FROM, long(0)), Err("body_missing".to_owned()));
        let media = |n: usize| move |m: &mut Outgoing| m.media = vec!["https://x.org".into(); n];
        assert!(sent(FROM, media(10)).is_ok());
        assert_eq!(sent(FROM, media(11)), Err("too_many_media".to_owned()));
    }

    #[test]
    fn a_message_of_media_alone_has_no_body() {
        let form = sent(FROM, |m| {
            m.content = Content::Text(String::new());
            m.media = vec!["https://x.org/a.png".to_owned()];
        });
        assert!(form.expect("a request").iter().all(|(name, _)| name != "Body"));
    }
}
