//! Schemas in words.

use std::fmt::Write as _;

use serde_json::Value;

use super::escape;

/// A table of an object's fields; the kind of anything else.
pub fn fields(schema: &Value) -> String {
    let Some(properties) = schema["properties"].as_object() else {
        return format!("<p>{}</p>\n", kind(schema));
    };
    let mut html = String::from("<table>\n");
    for (name, field) in properties {
        let needed = schema["required"].as_array();
        let needed = needed.is_some_and(|names| names.iter().any(|n| n == name));
        let description = escape(field["description"].as_str().unwrap_or_default());
        let _ = writeln!(
            html,
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{description}</td></tr>",
            escape(name),
            kind(field),
            if needed { "needed" } else { "" },
        );
    }
    html.push_str("</table>\n");
    html
}

/// What a value is, with links to what has a name.
pub fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(schemas) = schema[choice].as_array() {
            let empty = |s: &&Value| s["const"] != "";
            return schemas.iter().filter(empty).map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(value) = schema.get("const") {
        return format!("<code>{}</code>", escape(&value.to_string()));
    }
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().map(|w| format!("<code>{}</code>", escape(&w.to_string())));
        return words.collect::<Vec<_>>().join(" or ");
    }
    let mut words = match &schema["type"] {
        Value::String(name) => one(name, schema),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str).map(|name| one(name, schema));
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => "anything".to_owned(),
    };
    for (name, before, after) in [
        ("format", "", ""),
        ("minimum", "from ", ""),
        ("maximum", "to ", ""),
        ("minLength", "at least ", " characters"),
        ("maxLength", "at most ", " characters"),
        ("maxItems", "at most ", " entries"),
        ("pattern", "like ", ""),
        ("default", "default ", ""),
    ] {
        let told = match &schema[name] {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let _ = write!(words, ", {before}{}{after}", escape(&told));
    }
    words
}

fn one(name: &str, schema: &Value) -> String {
    match name {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", kind(&schema["additionalProperties"]))
        }
        _ => escape(name),
    }
}
