//! The document for people: one page, written here, without a script. It shows
//! what the document says and knows nothing besides.

mod schema;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use self::schema::{fields, kind};

/// Text as it stands between tags and in attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            _ => safe.push(c),
        }
    }
    safe
}

pub fn html(document: &Value) -> String {
    let info = &document["info"];
    let (title, version) = (text(info, "title"), text(info, "version"));
    let mut nouns: BTreeMap<&str, Vec<(&str, &str, &Value)>> = BTreeMap::new();
    for (path, item) in object(&document["paths"]) {
        for (method, operation) in object(item) {
            let noun = operation["tags"][0].as_str().unwrap_or_default();
            nouns.entry(noun).or_default().push((path, method, operation));
        }
    }
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title} API</title>\n\
         <link rel=\"stylesheet\" href=\"docs/style.css\">\n</head>\n<body>\n<nav>\n<ul>\n"
    );
    for noun in nouns.keys() {
        let _ = writeln!(page, "<li><a href=\"#{noun}\">{noun}</a></li>");
    }
    let about = prose(&text(info, "description"));
    let _ = write!(
        page,
        "<li><a href=\"#schemas\">schemas</a></li>\n</ul>\n</nav>\n<main>\n<h1>{title} API \
         <small>{version}</small></h1>\n{about}<p>The same for programs: <a \
         href=\"openapi.json\">openapi.json</a>.</p>\n"
    );
    for (noun, operations) in nouns {
        let _ = writeln!(page, "<section id=\"{noun}\">\n<h2>{noun}</h2>");
        for (path, method, operation) in operations {
            page.push_str(&shown(document, path, method, operation));
        }
        page.push_str("</section>\n");
    }
    page.push_str("<section id=\"schemas\">\n<h2>schemas</h2>\n");
    for (name, schema) in object(&document["components"]["schemas"]) {
        let about = prose(&text(schema, "description"));
        let fields = fields(schema);
        let _ = writeln!(page, "<h3 id=\"schema-{name}\">{name}</h3>\n{about}{fields}");
    }
    page.push_str("</section>\n</main>\n</body>\n</html>\n");
    page
}

fn shown(document: &Value, path: &str, method: &str, operation: &Value) -> String {
    let summary = text(operation, "summary");
    let method = method.to_uppercase();
    let mut html = format!(
        "<details>\n<summary><b>{method}</b> <code>{}</code> {summary}</summary>\n{}",
        escape(path),
        prose(&text(operation, "description")),
    );
    let parameters = operation["parameters"].as_array();
    if let Some(parameters) = parameters {
        html.push_str("<h4>Parameters</h4>\n<table>\n");
        for parameter in parameters {
            let needed = if parameter["required"] == true { "needed" } else { "" };
            let _ = writeln!(
                html,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{needed}</td><td>{}</td></tr>",
                text(parameter, "name"),
                text(parameter, "in"),
                kind(&parameter["schema"]),
                text(parameter, "description"),
            );
        }
        html.push_str("</table>\n");
    }
    for (media, content) in object(&operation["requestBody"]["content"]) {
        let _ = writeln!(html, "<h4>Body <small>{media}</small></h4>");
        html.push_str(&fields(&content["schema"]));
        for (_, example) in object(&content["examples"]) {
            let value = serde_json::to_string_pretty(&example["value"]).unwrap_or_default();
            let _ = writeln!(html, "<pre>{}</pre>", escape(&value));
        }
    }
    html.push_str("<h4>Answers</h4>\n<table>\n");
    for (status, answer) in object(&operation["responses"]) {
        let answer = resolved(document, answer);
        let bodies = object(&answer["content"])
            .map(|(media, content)| format!("{} <small>{media}</small>", kind(&content["schema"])));
        let bodies: Vec<String> = bodies.collect();
        let _ = writeln!(
            html,
            "<tr><td>{status}</td><td>{}</td><td>{}</td></tr>",
            text(answer, "description"),
            bodies.join(", "),
        );
    }
    html.push_str("</table>\n</details>\n");
    html
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn object(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value, name: &str) -> String {
    escape(value[name].as_str().unwrap_or_default())
}

/// Paragraphs, with what stands between backticks as code.
fn prose(text: &str) -> String {
    let paragraph = |text: &str| {
        let parts = text.split('`').enumerate();
        let parts = parts.map(|(place, part)| match place % 2 {
            0 => part.to_owned(),
            _ => format!("<code>{part}</code>"),
        });
        format!("<p>{}</p>\n", parts.collect::<String>())
    };
    text.split("\n\n").filter(|p| !p.is_empty()).map(paragraph).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_document_says_is_shown_and_never_run() {
        let evil = "<script>alert(\"x\")</script> & `code`";
        let page = html(&json!({
            "info": {"title": "T", "version": "1", "description": evil},
            "paths": {"/v1/things/{id}": {"get": {
                "tags": ["things"], "summary": evil,
                "parameters": [{"name": "id", "in": "path", "required": true,
                    "schema": {"$ref": "#/components/schemas/Thing"}}],
                "responses": {"200": {"description": "Done"}},
            }}},
            "components": {"schemas": {"Thing": {"type": "object", "properties": {
                "name": {"type": "string", "maxLength": 3, "description": evil},
            }}}},
        }));
        assert!(!page.contains("<script"), "{page}");
        for part in [
            "<code>/v1/things/{id}</code>",
            "&lt;script&gt;",
            "<code>code</code>",
            "href=\"#schema-Thing\"",
            "id=\"schema-Thing\"",
            "at most 3 characters",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
