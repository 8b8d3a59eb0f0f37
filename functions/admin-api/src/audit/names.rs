//! What an action and its resource are called, by rule: `POST /v1/templates` is
//! `template.create`, `POST /v1/dead-letters/{id}/redrive` is
//! `dead_letter.redrive`. A new route has its name when it is in the table.

use axum::http::Method;

use crate::routes::Route;

/// Words that have no singular of their own.
const UNCOUNTED: [&str; 2] = ["settings", "stats"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// `template.update`
    pub action: String,
    /// `template`
    pub resource_type: String,
}

pub fn of(route: &Route) -> Name {
    let mut parts = route.path.trim_start_matches("/v1/").split('/');
    let resource_type = singular(parts.next().unwrap_or_default());
    let is_place = |part: &&str| part.starts_with('{');
    let rest: Vec<&str> = parts.collect();
    let is_one = rest.iter().any(is_place) || UNCOUNTED.contains(&resource_type.as_str());
    let last = rest.iter().rev().find(|part| !is_place(part));
    let verb = match (last, &route.method) {
        (Some(word), &Method::GET | &Method::POST) => word.replace('-', "_"),
        (_, &Method::POST) => "create".to_owned(),
        (_, &Method::PUT | &Method::PATCH) => "update".to_owned(),
        (Some(word), &Method::DELETE) => format!("delete_{}", word.replace('-', "_")),
        (_, &Method::DELETE) => "delete".to_owned(),
        _ if is_one => "read".to_owned(),
        _ => "list".to_owned(),
    };
    Name { action: format!("{resource_type}.{verb}"), resource_type }
}

fn singular(collection: &str) -> String {
    let word = collection.replace('-', "_");
    if UNCOUNTED.contains(&word.as_str()) {
        return word;
    }
    word.strip_suffix('s').map_or(word.clone(), str::to_owned)
}

/// The id in a path, if it looks like one of ours; else it may be anything that
/// somebody typed, such as a number.
pub fn resource_id(route: &Route, path: &str) -> Option<String> {
    let place = route.path.split('/').position(|part| part.starts_with('{'))?;
    let text = path.split('/').nth(place)?;
    let is_word = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let is_id = text.split_once('_').is_some_and(|(prefix, rest)| {
        prefix.len() == 3
            && is_word(prefix)
            && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    });
    (text.len() <= 64 && (is_id || is_word(text))).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use carillon_domain::Action;

    use super::*;

    fn route(method: Method, path: &'static str) -> Route {
        Route { method, path, action: Action::Read }
    }

    #[test]
    fn names_follow_from_the_route() {
        for (method, path, action, resource_type) in [
            (Method::POST, "/v1/messages", "message.create", "message"),
            (Method::POST, "/v1/messages/bulk", "message.bulk", "message"),
            (Method::POST, "/v1/messages/{id}/cancel", "message.cancel", "message"),
            (Method::GET, "/v1/messages/{id}", "message.read", "message"),
            (Method::GET, "/v1/messages", "message.list", "message"),
            (Method::GET, "/v1/imports/{id}/rejected", "import.rejected", "import"),
            (Method::PATCH, "/v1/templates/{id}", "template.update", "template"),
            (Method::PUT, "/v1/integrations/{provider}", "integration.update", "integration"),
            (Method::POST, "/v1/integrations/{provider}/test", "integration.test", "integration"),
            (Method::PATCH, "/v1/settings", "settings.update", "settings"),
            (Method::GET, "/v1/settings", "settings.read", "settings"),
            (Method::DELETE, "/v1/suppressions", "suppression.delete", "suppression"),
            (Method::DELETE, "/v1/api-keys/{id}", "api_key.delete", "api_key"),
            (Method::DELETE, "/v1/contacts/{id}/labels", "contact.delete_labels", "contact"),
            (Method::POST, "/v1/dead-letters/{id}/redrive", "dead_letter.redrive", "dead_letter"),
            (Method::POST, "/v1/installation/resume", "installation.resume", "installation"),
        ] {
            let expected =
                Name { action: action.to_owned(), resource_type: resource_type.to_owned() };
            assert_eq!(of(&route(method, path)), expected, "{path}");
        }
    }

    #[test]
    fn no_two_changes_share_a_name() {
        let mut names = std::collections::BTreeMap::new();
        for route in crate::routes::table() {
            if route.method != Method::GET {
                let name = of(&route).action;
                let other = names.insert(name.clone(), route.path);
                assert_eq!(other, None, "{name} is {} too", route.path);
            }
        }
    }

    #[test]
    fn only_what_looks_like_an_id_is_noted() {
        let message = route(Method::GET, "/v1/messages/{id}");
        for (path, expected) in [
            ("/v1/messages/msg_0abc", Some("msg_0abc")),
            ("/v1/messages/+61491570006", None),
            ("/v1/messages/%2B61491570006", None),
            ("/v1/messages/msg_%00", None),
            ("/v1/messages/", None),
        ] {
            assert_eq!(resource_id(&message, path).as_deref(), expected, "{path}");
        }
        let integration = route(Method::PUT, "/v1/integrations/{provider}");
        let found = resource_id(&integration, "/v1/integrations/twilio");
        assert_eq!(found.as_deref(), Some("twilio"));
        assert_eq!(resource_id(&route(Method::PATCH, "/v1/settings"), "/v1/settings"), None);
    }
}
