//! What of a resource stands in the audit log: the fields that say what changed,
//! by name. A field that is not named here does not get in, so a new one is left
//! out until somebody has thought about it.

use serde_json::{Map, Value};

/// Fields by name; none where there is nothing to tell of.
pub type Side = Option<Map<String, Value>>;

/// Characters of a text that are kept.
const LONGEST: usize = 200;
/// Bytes of all fields of one side; a row of the table has room for both.
const MOST: usize = 8 * 1024;

/// Fields of a resource as the API shows it; `None`: all of them (it holds
/// nothing of people, and no secret).
fn fields(resource_type: &str) -> Option<&'static [&'static str]> {
    Some(match resource_type {
        "settings" => return None,
        "template" => &[
            "key",
            "name",
            "channel",
            "kind",
            "body",
            "language",
            "translations",
            "dlt_template_id",
            "provider_template_id",
            "entity_id",
            "route",
            "sender_id",
            "category",
            "strategy",
            "campaign_name",
            "audio_url",
            "keys",
            "variables",
            "version",
            "is_active",
        ],
        "sequence" => &["name", "description", "channel", "steps"],
        "tag" => &["name", "color", "description", "sequences"],
        // Credentials are masked where they are shown.
        "integration" => &["provider", "enabled", "settings", "credentials", "ok", "balance"],
        "api_key" => &["name", "role", "prefix", "expires_at", "revoked_at"],
        "member" => &["email", "role", "status"],
        "organization" => &["name", "status", "time_zone"],
        "message" => &["status", "scheduled_for"],
        "import" => &["status", "rows", "channel", "scheduled_for", "expires_at"],
        "suppression" => &["address", "channel", "reason"],
        "consent" => &["to", "address", "channel", "purpose", "status", "at", "source"],
        // Nothing that says who it is.
        "contact" => &["id", "status", "score", "time_zone", "language", "labels", "merged"],
        "list" => &["id", "name", "count", "added", "removed"],
        "segment" => &["id", "name", "rules"],
        "workshop" => {
            &["id", "title", "tag_id", "starts_at", "time_zone", "scheduled", "registered"]
        }
        "campaign" => &["id", "name", "status", "workshop_id"],
        "dead_letter" => &["status", "messages", "cancelled", "not_found"],
        _ => &["id", "name", "status", "version"],
    })
}

/// What is kept of a resource as the API shows it.
#[must_use]
pub fn kept(resource_type: &str, shown: &Value) -> Side {
    let shown = shown.as_object()?;
    let names = fields(resource_type);
    let wanted = shown.iter().filter(|(name, _)| names.is_none_or(|n| n.contains(&name.as_str())));
    let kept: Map<String, Value> =
        wanted.map(|(name, value)| (name.clone(), masked(value))).collect();
    let size = serde_json::to_string(&kept).map_or(MOST, |text| text.len());
    if size < MOST {
        return Some(kept);
    }
    let names = kept.keys().cloned().map(Value::String).collect();
    Some(Map::from_iter([("too_long".to_owned(), Value::Array(names))]))
}

/// Of two sides the fields in which they differ; one alone stays whole.
#[must_use]
pub fn changes(before: Side, after: Side) -> (Side, Side) {
    let (Some(mut before), Some(mut after)) = (before.clone(), after.clone()) else {
        return (before, after);
    };
    let same: Vec<String> = before
        .iter()
        .filter(|(name, value)| after.get(*name) == Some(*value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in same {
        before.remove(&name);
        after.remove(&name);
    }
    (Some(before), Some(after))
}

/// Numbers and mail addresses without their middle, long texts cut.
#[must_use]
fn masked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(masked_text(text)),
        Value::Array(list) => Value::Array(list.iter().map(masked).collect()),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(k, v)| (masked_text(k), masked(v))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn masked_text(text: &str) -> String {
    let is_number = text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    });
    if is_number {
        return format!("{}…{}", &text[..3], &text[text.len() - 3..]);
    }
    if let Some((person, host)) = text.split_once('@')
        && !person.contains(char::is_whitespace)
        && host.contains('.')
        && !host.contains(char::is_whitespace)
    {
        return format!("{}…@{host}", person.chars().take(1).collect::<String>());
    }
    if text.chars().count() > LONGEST {
        return format!("{}…", text.chars().take(LONGEST).collect::<String>());
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_named_is_kept_and_people_are_masked() {
        let long = "x".repeat(500);
        for (kind, shown, expected) in [
            (
                "api_key",
                json!({"id": "key_1", "name": "CRM", "role": "viewer", "secret": "crl_abc"}),
                json!({"name": "CRM", "role": "viewer"}),
            ),
            ("organization", json!({"name": "A", "admin_key": "crl_abc"}), json!({"name": "A"})),
            (
                "suppression",
                json!({"address": "+61491570006", "channel": "sms", "words": "please stop"}),
                json!({"address": "+61…006", "channel": "sms"}),
            ),
            ("member", json!({"email": "ada@example.com"}), json!({"email": "a…@example.com"})),
            (
                "message",
                json!({"status": "cancelled", "to": "+61491570006", "body": "Hi Ada"}),
                json!({"status": "cancelled"}),
            ),
            (
                "settings",
                json!({"notify": ["ada@example.com"], "max": 5}),
                json!({"notify": ["a…@example.com"], "max": 5}),
            ),
            (
                "integration",
                json!({"settings": {"price_table": {"+61": 1}, "from": "+15005550006"}}),
                json!({"settings": {"price_table": {"+61": 1}, "from": "+15…006"}}),
            ),
            (
                "template",
                json!({"body": long}),
                json!({"body": format!("{}…", "x".repeat(LONGEST))}),
            ),
            ("something_new", json!({"id": "x_1", "phone": "+61491570006"}), json!({"id": "x_1"})),
        ] {
            assert_eq!(kept(kind, &shown).map(Value::Object), Some(expected), "{kind}");
        }
        assert_eq!(kept("template", &json!([1])), None);
    }

    #[test]
    fn what_is_too_long_in_all_is_named_only() {
        let settings: Map<String, Value> =
            (0..100).map(|n| (format!("field_{n}"), json!("x".repeat(150)))).collect();
        let kept = kept("settings", &Value::Object(settings)).expect("an object");
        assert_eq!(kept["too_long"].as_array().map(Vec::len), Some(100));
    }

    #[test]
    fn what_did_not_change_is_left_out() {
        let map = |value: Value| value.as_object().cloned();
        let (before, after) = changes(
            map(json!({"a": 1, "b": 2, "c": null})),
            map(json!({"a": 1, "b": 3, "d": null})),
        );
        assert_eq!(before, map(json!({"b": 2, "c": null})));
        assert_eq!(after, map(json!({"b": 3, "d": null})));
        let new = map(json!({"a": 1}));
        assert_eq!(changes(None, new.clone()), (None, new));
    }
}
