//! Each route and what each role gets from it. The rows are written out here, by hand: a route
//! that is added without one fails, and so does one whose role changes without anybody noticing.

use carillon_admin_api::routes;
use carillon_domain::access::allows;
use carillon_domain::{Action, Role};
use carillon_tests::{ADMIN_KEY, Answer, World, callers, with_json};
use reqwest::Method;
use serde_json::json;

const V: Role = Role::Viewer;
const M: Role = Role::Manager;
const A: Role = Role::Admin;
const S: Role = Role::SuperAdmin;

/// Route, and the lowest role that is let in.
const ROWS: &[(&str, &str, Role)] = &[
    ("GET", "/v1/messages", V),
    ("POST", "/v1/messages", M),
    ("POST", "/v1/messages/preview", V),
    ("POST", "/v1/messages/bulk", M),
    ("GET", "/v1/messages/{id}", V),
    ("POST", "/v1/messages/{id}/cancel", M),
    ("POST", "/v1/messages/{id}/reschedule", M),
    ("POST", "/v1/messages/{id}/retry", M),
    ("GET", "/v1/imports/{id}", V),
    ("GET", "/v1/imports/{id}/rejected", V),
    ("GET", "/v1/contacts", V),
    ("POST", "/v1/contacts", M),
    ("POST", "/v1/contacts/import", M),
    ("POST", "/v1/contacts/export", V),
    ("GET", "/v1/exports/{id}", V),
    ("GET", "/v1/contacts/{id}", V),
    ("PATCH", "/v1/contacts/{id}", M),
    ("DELETE", "/v1/contacts/{id}", M),
    ("GET", "/v1/contacts/{id}/timeline", V),
    ("GET", "/v1/contacts/{id}/data", A),
    ("DELETE", "/v1/contacts/{id}/data", A),
    ("POST", "/v1/contacts/{id}/merge", M),
    ("POST", "/v1/contacts/{id}/labels", M),
    ("DELETE", "/v1/contacts/{id}/labels", M),
    ("GET", "/v1/lists", V),
    ("POST", "/v1/lists", M),
    ("GET", "/v1/lists/{id}", V),
    ("PATCH", "/v1/lists/{id}", M),
    ("DELETE", "/v1/lists/{id}", M),
    ("GET", "/v1/lists/{id}/members", V),
    ("POST", "/v1/lists/{id}/members", M),
    ("DELETE", "/v1/lists/{id}/members", M),
    ("GET", "/v1/segments", V),
    ("POST", "/v1/segments", M),
    ("GET", "/v1/segments/{id}", V),
    ("PATCH", "/v1/segments/{id}", M),
    ("DELETE", "/v1/segments/{id}", M),
    ("GET", "/v1/segments/{id}/count", V),
    ("GET", "/v1/segments/{id}/preview", V),
    ("POST", "/v1/uploads", M),
    ("GET", "/v1/templates", V),
    ("POST", "/v1/templates", M),
    ("GET", "/v1/templates/{id}", V),
    ("PATCH", "/v1/templates/{id}", M),
    ("GET", "/v1/bookings", V),
    ("POST", "/v1/bookings", M),
    ("GET", "/v1/bookings/{id}", V),
    ("PATCH", "/v1/bookings/{id}", M),
    ("DELETE", "/v1/bookings/{id}", M),
    ("POST", "/v1/bookings/{id}/move", M),
    ("POST", "/v1/bookings/{id}/cancel", M),
    ("POST", "/v1/bookings/{id}/complete", M),
    ("DELETE", "/v1/templates/{id}", M),
    ("GET", "/v1/templates/{id}/versions", V),
    ("POST", "/v1/templates/{id}/preview", V),
    ("GET", "/v1/templates/library", V),
    ("GET", "/v1/sequences", V),
    ("POST", "/v1/sequences", M),
    ("GET", "/v1/sequences/{id}", V),
    ("PATCH", "/v1/sequences/{id}", M),
    ("DELETE", "/v1/sequences/{id}", M),
    ("GET", "/v1/tags", V),
    ("POST", "/v1/tags", M),
    ("GET", "/v1/tags/{id}", V),
    ("PATCH", "/v1/tags/{id}", M),
    ("DELETE", "/v1/tags/{id}", M),
    ("GET", "/v1/workshops", V),
    ("POST", "/v1/workshops", M),
    ("GET", "/v1/workshops/{id}", V),
    ("PATCH", "/v1/workshops/{id}", M),
    ("DELETE", "/v1/workshops/{id}", M),
    ("GET", "/v1/workshops/{id}/registrations", V),
    ("POST", "/v1/workshops/{id}/registrations", M),
    ("DELETE", "/v1/workshops/{id}/registrations", M),
    ("GET", "/v1/workshops/{id}/recipients", V),
    ("GET", "/v1/workshops/{id}/checkpoints", V),
    ("GET", "/v1/workshops/{id}/broadcasts", V),
    ("POST", "/v1/workshops/{id}/run-sequence", M),
    ("POST", "/v1/workshops/{id}/send-now", M),
    ("GET", "/v1/campaigns", V),
    ("GET", "/v1/campaigns/{id}", V),
    ("GET", "/v1/campaigns/{id}/messages", V),
    ("GET", "/v1/campaigns/{id}/stats", V),
    ("POST", "/v1/campaigns/{id}/pause", M),
    ("POST", "/v1/campaigns/{id}/resume", M),
    ("POST", "/v1/campaigns/{id}/cancel", M),
    ("GET", "/v1/integrations/{provider}", V),
    ("PUT", "/v1/integrations/{provider}", A),
    ("POST", "/v1/integrations/{provider}/test", A),
    ("GET", "/v1/settings", V),
    ("PATCH", "/v1/settings", A),
    ("GET", "/v1/consents", V),
    ("POST", "/v1/consents", M),
    ("GET", "/v1/suppressions", V),
    ("POST", "/v1/suppressions", M),
    ("DELETE", "/v1/suppressions", A),
    ("GET", "/v1/dead-letters", V),
    ("POST", "/v1/dead-letters/{id}/redrive", M),
    ("POST", "/v1/dead-letters/{id}/drop", M),
    ("GET", "/v1/stats", V),
    ("GET", "/v1/audit-log", A),
    ("GET", "/v1/audit-log/export", A),
    ("POST", "/v1/people/export", A),
    ("POST", "/v1/people/erase", A),
    ("GET", "/v1/people/erasure", A),
    ("GET", "/v1/api-keys", A),
    ("POST", "/v1/api-keys", A),
    ("GET", "/v1/api-keys/{id}", A),
    ("DELETE", "/v1/api-keys/{id}", A),
    ("GET", "/v1/members", A),
    ("POST", "/v1/members", A),
    ("GET", "/v1/members/{id}", A),
    ("PATCH", "/v1/members/{id}", A),
    ("DELETE", "/v1/members/{id}", A),
    ("GET", "/v1/organizations", S),
    ("POST", "/v1/organizations", S),
    ("GET", "/v1/organizations/{id}", S),
    ("PATCH", "/v1/organizations/{id}", S),
    ("GET", "/v1/installation", S),
    ("POST", "/v1/installation/resume", S),
];

/// The route with ids that nobody has.
fn sample(path: &str) -> String {
    path.replace("{provider}", "twilio").replace("{id}", "msg_x")
}

#[test]
fn every_route_has_its_row_and_every_row_its_route() {
    let routes: Vec<_> =
        routes::table().into_iter().map(|r| (r.method.to_string(), r.path)).collect();
    for (method, path) in &routes {
        let rows = ROWS.iter().filter(|row| (row.0, row.1) == (method.as_str(), *path));
        assert_eq!(rows.count(), 1, "{method} {path} must have one row here");
    }
    for (method, path, _) in ROWS {
        assert!(routes.contains(&((*method).to_owned(), path)), "{method} {path} is no route");
    }
}

#[tokio::test]
async fn each_role_is_let_in_where_its_row_says_so() {
    let world = World::start().await;
    for role in Role::ALL {
        let secret = format!("crl_{}", role.as_str());
        callers::add(&world.stack.ctx, world.stack.org, &secret, role).await;
    }
    for (method, path, least) in ROWS {
        let method: Method = method.parse().expect("a method");
        for role in Role::ALL {
            let key = format!("crl_{}", role.as_str());
            let request = world.request_by(&key, method.clone(), &sample(path));
            let answer = Answer::to(with_json(request, &json!({"unknown_to_all": 1}))).await;
            let what = format!("{} {method} {path}: {}", role.as_str(), answer.text);
            if role >= *least {
                assert!(![401, 403].contains(&answer.status) && answer.status < 500, "{what}");
            } else {
                assert_eq!(answer.refusal(), (403, "role_too_low".to_owned()), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn every_route_needs_a_key_that_is_known() {
    let world = World::start().await;
    for (method, path, _) in ROWS {
        let method: Method = method.parse().expect("a method");
        let plain =
            || world.http().request(method.clone(), format!("{}{}", world.url, sample(path)));
        for (what, request, code) in [
            ("no key", plain(), "missing_key"),
            ("another's key", plain().bearer_auth("crl_other"), "invalid_key"),
            ("a part of the key", plain().bearer_auth(&ADMIN_KEY[..6]), "invalid_key"),
            ("no key behind the word", plain().bearer_auth(""), "invalid_key"),
            ("basic", plain().basic_auth("admin", Some(ADMIN_KEY)), "invalid_key"),
            ("the key alone", plain().header("authorization", ADMIN_KEY), "invalid_key"),
        ] {
            let answer = Answer::to(request).await;
            assert_eq!(answer.refusal(), (401, code.to_owned()), "{method} {path}: {what}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert!(!answer.text.contains("crl_"), "keys are not repeated");
        }
    }
}

/// The table that people read says what the code does.
#[test]
fn the_guide_shows_what_each_role_may_do() {
    let guide = include_str!("../../../docs/guides/access.md");
    for action in Action::ALL {
        let begin = format!("| `{}`: ", action.as_str());
        let line = guide.lines().find(|line| line.starts_with(&begin));
        let cells: Vec<_> =
            line.expect("each action has a line").split('|').map(str::trim).collect();
        let shown: Vec<_> = cells[2..6].iter().map(|cell| *cell == "yes").collect();
        assert_eq!(shown, Role::ALL.map(|role| allows(role, action)), "{}", action.as_str());
    }
}
