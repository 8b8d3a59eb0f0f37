//! Requests to Fast2SMS.

use carillon_domain::segments::Encoding;
use carillon_domain::{Failure, FailureReason, PhoneNumber};
use serde_json::{Map, Value};

use super::account;
use crate::contract::{Account, Body, Content, HttpRequest, Method, Outgoing};

/// Joins the values of a template's variables, so no value may contain it.
const SEPARATOR: char = '|';

/// `POST /dev/bulkV2`, JSON, one number.
pub fn send(account: &Account, message: &Outgoing) -> Result<HttpRequest, Failure> {
    let key = account
        .credentials
        .get("api_key")
        .ok_or_else(|| misconfigured("credentials_missing", "the account has no api_key"))?;
    let number = national(&message.to).ok_or_else(|| {
        let detail = "Fast2SMS reaches Indian mobile numbers only";
        Failure::new("not_served", FailureReason::InvalidAddress, true, detail)
    })?;
    if !message.media.is_empty() {
        return Err(rejected("media_not_supported", "Fast2SMS sends texts only"));
    }
    if message.valid_for == Some(0) {
        return Err(Failure::new("expired", FailureReason::Expired, true, "its time is over"));
    }

    let route = account::route(&account.settings, &message.content);
    let mut fields = content(account, route, message)?;
    fields.insert("route".into(), route.into());
    fields.insert("numbers".into(), number.into());
    fields.insert("udf1".into(), message.message.to_string().into());
    fields.insert("udf2".into(), message.attempt.to_string().into());
    if message.flash {
        fields.insert("flash".into(), "1".into());
    }
    let body = Body { content_type: "application/json", text: Value::Object(fields).to_string() };
    Ok(post(account, "/dev/bulkV2", key, Some(body)))
}

/// `POST /dev/wallet`. The documented `GET` carries the key in its URL, which
/// ends up in logs; the header serves too.
pub fn wallet(account: &Account) -> HttpRequest {
    let key = account.credentials.get("api_key").unwrap_or_default();
    post(account, "/dev/wallet", key, None)
}

/// Ten digits, as Fast2SMS wants them; `None` for all but Indian mobiles.
pub fn national(to: &PhoneNumber) -> Option<&str> {
    let digits = to.as_str().strip_prefix("+91")?;
    (digits.len() == 10 && digits.starts_with(['6', '7', '8', '9'])).then_some(digits)
}

/// The fields that carry the text, by route.
fn content(
    account: &Account,
    route: &str,
    message: &Outgoing,
) -> Result<Map<String, Value>, Failure> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    let own_sender = account.settings.get("sender_id");
    match (route, &message.content) {
        // Only digits, in a text that is Fast2SMS's own.
        ("otp", Content::Text(code)) => put("variables_values", otp(code)?.into()),
        ("otp", Content::Registered { values, .. }) => {
            put("variables_values", otp(&values.join("|"))?.into());
        }
        ("dlt", Content::Text(_)) => {
            return Err(mismatch(
                "template_needed",
                "the route dlt sends registered templates only",
            ));
        }
        ("q" | "dlt_manual", Content::Registered { .. }) => {
            return Err(mismatch(
                "text_needed",
                "this route sends texts, not registered templates",
            ));
        }
        (_, Content::Registered { template_id, sender_id, values }) => {
            let sender = sender_id.as_deref().or(own_sender).ok_or_else(no_sender)?;
            put("sender_id", sender.into());
            put("message", template_id.as_str().into());
            if !values.is_empty() {
                put("variables_values", joined(values)?.into());
            }
        }
        (_, Content::Text(text)) if text.is_empty() => {
            return Err(rejected("body_missing", "there is no text"));
        }
        ("dlt_manual", Content::Text(text)) => {
            put("sender_id", own_sender.ok_or_else(no_sender)?.into());
            put("message", text.as_str().into());
            if let Some(entity) = account.settings.get("entity_id") {
                put("entity_id", entity.into());
            }
        }
        (_, Content::Text(text)) => {
            if let Some(sender) = own_sender.filter(|_| route != "q") {
                put("sender_id", sender.into());
            }
            put("message", text.as_str().into());
            put("language", language(message.encoding).into());
        }
    }
    Ok(fields)
}

fn language(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Gsm7 => "english",
        Encoding::Ucs2 => "unicode",
    }
}

fn joined(values: &[String]) -> Result<String, Failure> {
    if values.iter().any(|v| v.contains(SEPARATOR)) {
        return Err(mismatch("separator_in_value", "a value contains |, which separates values"));
    }
    Ok(values.join(&SEPARATOR.to_string()))
}

fn otp(code: &str) -> Result<&str, Failure> {
    if crate::fields::all_digits(code) {
        Ok(code)
    } else {
        Err(mismatch("digits_needed", "the route otp sends digits only"))
    }
}

fn no_sender() -> Failure {
    misconfigured("sender_missing", "neither the template nor the account has a sender_id")
}

fn misconfigured(code: &str, detail: &str) -> Failure {
    Failure::new(code, FailureReason::Misconfigured, true, detail)
}

fn mismatch(code: &str, detail: &str) -> Failure {
    Failure::new(code, FailureReason::TemplateMismatch, true, detail)
}

fn rejected(code: &str, detail: &str) -> Failure {
    Failure::new(code, FailureReason::ContentRejected, true, detail)
}

fn post(account: &Account, path: &str, key: &str, body: Option<Body>) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        url: format!("{}{path}", account.base_url),
        headers: vec![("accept", "application/json".into()), ("authorization", key.into())],
        body,
    }
}

#[cfg(test)]
mod tests {
    use carillon_domain::MessageId;
    use carillon_domain::integration::IntegrationSettings;
    use serde_json::json;

    use super::*;
    use crate::contract::Credentials;

    fn account(settings: &[(&str, &str)]) -> Account {
        let provider = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Account {
            base_url: "https://www.fast2sms.com".to_owned(),
            credentials: Credentials::from_iter([("api_key", "k3y")]),
            settings: IntegrationSettings { provider, ..Default::default() },
        }
    }

    fn outgoing(content: Content) -> Outgoing {
        Outgoing {
            message: MessageId::from_bytes([0; 26]),
            attempt: 3,
            to: PhoneNumber::parse("+919812345678", None).expect("a number"),
            content,
            encoding: Encoding::Gsm7,
            flash: false,
            media: Vec::new(),
            status_callback: None,
            valid_for: None,
        }
    }

    fn text(body: &str) -> Content {
        Content::Text(body.to_owned())
    }

    fn template(sender: Option<&str>, values: &[&str]) -> Content {
        Content::Registered {
            template_id: "112233".to_owned(),
            sender_id: sender.map(str::to_owned),
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        }
    }

    fn sent(settings: &[(&str, &str)], content: Content) -> Result<Value, String> {
        let request = send(&account(settings), &outgoing(content)).map_err(|f| f.code)?;
        assert_eq!(request.url, "https://www.fast2sms.com/dev/bulkV2");
        assert!(request.headers.contains(&("authorization", "k3y".into())));
        let mut body: Value =
            serde_json::from_str(&request.body.expect("a body").text).expect("JSON");
        let fields = body.as_object_mut().expect("an object");
        assert_eq!(fields.remove("numbers"), Some("9812345678".into()));
        assert_eq!(fields.remove("udf1"), Some(MessageId::from_bytes([0; 26]).to_string().into()));
        assert_eq!(fields.remove("udf2"), Some("3".into()));
        Ok(body)
    }

    #[test]
    fn each_route_has_its_fields() {
        let sender = ("sender_id", "ABCDEF");
        let manual = [("route", "dlt_manual"), sender, ("entity_id", "1234567890123456789")];
        for (settings, content, expected) in [
            (&[][..], text("Hi"), json!({"route":"q","message":"Hi","language":"english"})),
            (
                &[sender],
                template(None, &["Asha", "21 Nov"]),
                json!({"route":"dlt","sender_id":"ABCDEF","message":"112233","variables_values":"Asha|21 Nov"}),
            ),
            (
                &[sender],
                template(Some("XYZABC"), &[]),
                json!({"route":"dlt","sender_id":"XYZABC","message":"112233"}),
            ),
            (
                &manual,
                text("Hi"),
                json!({"route":"dlt_manual","sender_id":"ABCDEF","message":"Hi","entity_id":"1234567890123456789"}),
            ),
            (&[("route", "otp")], text("4711"), json!({"route":"otp","variables_values":"4711"})),
            (
                &[("route", "otp")],
                template(None, &["4711"]),
                json!({"route":"otp","variables_values":"4711"}),
            ),
            (
                &[("route", "v3"), sender],
                text("Hi"),
                json!({"route":"v3","sender_id":"ABCDEF","message":"Hi","language":"english"}),
            ),
        ] {
            assert_eq!(sent(settings, content), Ok(expected), "{settings:?}");
        }
    }

    #[test]
    fn what_a_route_cannot_carry_is_not_sent() {
        let sender = ("sender_id", "ABCDEF");
        for (settings, content, code) in [
            (&[sender][..], text("Hi"), "template_needed"),
            (&[("route", "dlt"), sender], template(None, &["a|b"]), "separator_in_value"),
            (&[], template(None, &["a"]), "sender_missing"),
            (&[("route", "q")], template(Some("ABCDEF"), &["a"]), "text_needed"),
            (&[("route", "dlt_manual")], text("Hi"), "sender_missing"),
            (&[("route", "otp")], text("code 4711"), "digits_needed"),
            (&[("route", "otp")], template(None, &["47", "11"]), "digits_needed"),
            (&[], text(""), "body_missing"),
        ] {
            assert_eq!(sent(settings, content), Err(code.to_owned()), "{settings:?}");
        }
    }

    #[test]
    fn the_quick_route_says_its_language_and_flash() {
        let mut message = outgoing(text("नमस्ते"));
        message.encoding = Encoding::Ucs2;
        message.flash = true;
        let body = send(&account(&[]), &message).expect("a request").body.expect("a body");
        let body: Value = serde_json::from_str(&body.text).expect("JSON");
        assert_eq!((&body["language"], &body["flash"]), (&"unicode".into(), &"1".into()));
        assert_eq!(body["message"], "नमस्ते");
    }

    #[test]
    fn only_indian_mobiles_are_served() {
        for (number, expected) in
            [("+919812345678", Some("9812345678")), ("+14155552671", None), ("+912225882588", None)]
        {
            let number = PhoneNumber::parse(number, None).expect("a number");
            assert_eq!(national(&number), expected);
        }
    }
}
