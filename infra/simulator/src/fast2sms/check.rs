//! What Fast2SMS says at once about a send. Pure: fields and settings in, numbers or refusal out.

use serde_json::{Map, Value};

use super::Refusal;
use crate::settings::Settings;

/// One send, whatever way it came. Absent fields are empty.
#[derive(Clone, Default)]
pub(super) struct Fields {
    /// As they came, without the key.
    pub request: Map<String, Value>,
}

impl Fields {
    pub fn get(&self, name: &str) -> String {
        match self.request.get(name) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Array(items)) => {
                let items: Vec<_> = items.iter().map(plain).collect();
                items.join(",")
            }
            _ => String::new(),
        }
    }

    pub fn from_pairs(text: &[u8]) -> Self {
        let request = form_urlencoded::parse(text)
            .filter(|(name, _)| name != "authorization")
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect();
        Self { request }
    }

    /// A JSON body; `requests` are several sends that share the rest.
    pub fn from_json(body: &[u8]) -> Vec<Self> {
        let Ok(Value::Object(mut whole)) = serde_json::from_slice(body) else {
            return vec![Self::default()];
        };
        match whole.remove("requests") {
            Some(Value::Array(several)) => several
                .into_iter()
                .map(|one| {
                    let mut request = whole.clone();
                    if let Value::Object(own) = one {
                        request.extend(own);
                    }
                    Self { request }
                })
                .collect(),
            _ => vec![Self { request: whole }],
        }
    }

    /// All that were asked for, good or not.
    pub fn numbers(&self) -> Vec<String> {
        let list = self.get("numbers");
        list.split(',')
            .map(str::trim)
            .filter(|number| !number.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// What the recipient reads, as far as the simulator can know.
    pub fn text(&self, settings: &Settings) -> String {
        let message = self.get("message");
        let values = self.get("variables_values");
        match self.get("route").as_str() {
            "dlt" => match settings.fast2sms_templates.get(&message) {
                Some(template) => render(template, &values),
                None => format!("{message}|{values}"),
            },
            "otp" => format!("Your OTP: {values}"),
            _ => message,
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

const VARIABLE: &str = "{#var#}";

fn render(template: &str, values: &str) -> String {
    values.split('|').fold(template.to_owned(), |text, value| text.replacen(VARIABLE, value, 1))
}

/// The good numbers. Bad ones are dropped in silence as long as one is good.
pub(super) fn check(fields: &Fields, settings: &Settings) -> Result<Vec<String>, Refusal> {
    let route = fields.get("route");
    let message = fields.get("message");
    let refuse = |code| Err(Refusal::of(code));
    match route.as_str() {
        "" => return refuse(403),
        "dlt" => dlt(fields, &message, settings)?,
        "dlt_manual" => {
            sender(fields)?;
            text(&message)?;
        }
        "q" => {
            text(&message)?;
            let language = fields.get("language");
            if !matches!(language.as_str(), "" | "english" | "unicode") {
                return refuse(417);
            }
        }
        "otp" => {
            let code = fields.get("variables_values");
            if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_digit()) {
                return refuse(997);
            }
        }
        _ => return refuse(408),
    }
    if !fields.get("schedule_time").is_empty() {
        // Sent at once it would be a lie.
        return Err(Refusal::new(400, "The simulator does not schedule messages"));
    }
    let numbers = fields.numbers();
    if numbers.is_empty() {
        return refuse(405);
    }
    let good: Vec<_> = numbers.into_iter().filter(|number| is_mobile(number)).collect();
    if good.is_empty() {
        return refuse(411);
    }
    let wallet: f64 = settings.fast2sms_wallet.parse().unwrap_or(0.0);
    if wallet <= 0.0 {
        return refuse(416);
    }
    Ok(good)
}

fn dlt(fields: &Fields, message: &str, settings: &Settings) -> Result<(), Refusal> {
    sender(fields)?;
    text(message)?;
    if !message.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::of(424));
    }
    let values = fields.get("variables_values");
    if ["http://", "https://", "www."].iter().any(|start| values.contains(start)) {
        return Err(Refusal::of(426));
    }
    match settings.fast2sms_templates.get(message) {
        None if settings.fast2sms_templates.is_empty() => Ok(()),
        None => Err(Refusal::of(424)),
        Some(template) => {
            let given = if values.is_empty() { 0 } else { values.split('|').count() };
            if template.matches(VARIABLE).count() == given { Ok(()) } else { Err(Refusal::of(425)) }
        }
    }
}

fn text(message: &str) -> Result<(), Refusal> {
    if message.is_empty() {
        return Err(Refusal::of(402));
    }
    Ok(())
}

fn sender(fields: &Fields) -> Result<(), Refusal> {
    let header = fields.get("sender_id");
    if header.is_empty() {
        return Err(Refusal::of(401));
    }
    let good =
        (3..=6).contains(&header.len()) && header.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if good { Ok(()) } else { Err(Refusal::of(406)) }
}

/// Ten digits of an Indian mobile, without +91 or 0.
fn is_mobile(number: &str) -> bool {
    number.len() == 10
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && number.as_bytes()[0] >= b'6'
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_refusal_has_its_code() {
        let settings = Settings {
            fast2sms_templates: [("112233".to_owned(), "Hi {#var#}, {#var#}".to_owned())].into(),
            ..Settings::default()
        };
        let dlt = |change: Value| {
            let mut whole = json!({"route": "dlt", "sender_id": "ABCDEF", "message": "112233",
                "variables_values": "Asha|21 Nov", "numbers": "9800000001"});
            for (name, value) in change.as_object().into_iter().flatten() {
                whole[name] = value.clone();
            }
            whole
        };
        for (body, expected) in [
            (dlt(json!({})), Ok(vec!["9800000001".to_owned()])),
            (dlt(json!({"message": 112233})), Ok(vec!["9800000001".to_owned()])),
            (
                dlt(json!({"numbers": "12,9800000001, 9800000002"})),
                Ok(vec!["9800000001".to_owned(), "9800000002".to_owned()]),
            ),
            (dlt(json!({"route": ""})), Err(403)),
            (dlt(json!({"route": "zz"})), Err(408)),
            (dlt(json!({"sender_id": ""})), Err(401)),
            (dlt(json!({"sender_id": "TOOLONG"})), Err(406)),
            (dlt(json!({"message": ""})), Err(402)),
            (dlt(json!({"message": "Hello"})), Err(424)),
            (dlt(json!({"message": "999"})), Err(424)),
            (dlt(json!({"variables_values": "Asha"})), Err(425)),
            (dlt(json!({"variables_values": "Asha|https://e.org"})), Err(426)),
            (dlt(json!({"numbers": ""})), Err(405)),
            (dlt(json!({"numbers": "+919800000001"})), Err(411)),
            (dlt(json!({"numbers": "5800000001"})), Err(411)),
            (dlt(json!({"schedule_time": "21-11-2026-10-00"})), Err(400)),
            (json!({"route": "q", "numbers": "9800000001"}), Err(402)),
            (
                json!({"route": "q", "message": "Hi", "language": "hindi", "numbers": "9800000001"}),
                Err(417),
            ),
            (
                json!({"route": "otp", "variables_values": "12a4", "numbers": "9800000001"}),
                Err(997),
            ),
            (
                json!({"route": "otp", "variables_values": "1234", "numbers": 9800000001_u64}),
                Ok(vec!["9800000001".to_owned()]),
            ),
        ] {
            let fields = &Fields::from_json(body.to_string().as_bytes())[0];
            let found = check(fields, &settings).map_err(|refusal| refusal.code);
            assert_eq!(found, expected, "{body}");
        }
    }

    #[test]
    fn templates_are_rendered() {
        let settings = Settings {
            fast2sms_templates: [("1".to_owned(), "Hi {#var#}, see you {#var#}.".to_owned())]
                .into(),
            ..Settings::default()
        };
        let fields = Fields::from_pairs(b"route=dlt&message=1&variables_values=Asha%7C21%20Nov");
        assert_eq!(fields.text(&settings), "Hi Asha, see you 21 Nov.");
        assert_eq!(fields.text(&Settings::default()), "1|Asha|21 Nov");
    }

    #[test]
    fn several_requests_share_the_route() {
        let several = Fields::from_json(
            br#"{"route":"dlt","requests":[{"numbers":"1"},{"numbers":"2","route":"q"}]}"#,
        );
        let read: Vec<_> =
            several.iter().map(|fields| (fields.get("route"), fields.get("numbers"))).collect();
        assert_eq!(read, [("dlt".to_owned(), "1".to_owned()), ("q".to_owned(), "2".to_owned())]);
    }
}
