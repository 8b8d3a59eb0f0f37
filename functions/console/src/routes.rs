//! The console's addresses. Each that takes a form takes it by POST, and the door has looked at its token.

use axum::Router;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};

use crate::desk::Console;
use crate::{
    assets, audit_log, bookings, bulk, callback, contact_file, contacts, dead_letters, exports,
    home, imports, integrations, lists, looks, members, message, messages, opt_outs, segments,
    send, sequences, settings, sign_in, sign_out, statistics, tags, templates, today, workshop,
    workshops,
};

pub const HOME: &str = "/console";
pub const SIGN_IN: &str = "/console/sign-in";
/// The issuer sends people back here; it has the address in its client's settings.
pub const CALLBACK: &str = "/console/callback";
/// Links that a stack prints; whoever serves them lets people in.
pub const FIRST_VISIT: &str = "/console/first-visit";

struct Entry(Method, &'static str, MethodRouter<Console>);

/// Methods and addresses, for tests that try all of them.
#[must_use]
pub fn table() -> Vec<(Method, &'static str)> {
    entries().into_iter().map(|Entry(method, path, _)| (method, path)).collect()
}

pub fn router() -> Router<Console> {
    entries()
        .into_iter()
        .fold(Router::new(), |router, Entry(_, path, handler)| router.route(path, handler))
}

/// An address of ours, if it is one: nobody is sent anywhere else.
pub fn inside(address: &str) -> Option<&str> {
    let rest = address.strip_prefix(HOME)?;
    let is_plain = !address.contains(['\\', '\r', '\n']);
    (is_plain && (rest.is_empty() || rest.starts_with(['/', '?']))).then_some(address)
}

#[rustfmt::skip]
fn entries() -> Vec<Entry> {
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    vec![
        Entry(GET, SIGN_IN, get(sign_in::page)),
        Entry(GET, "/console/sign-in/person", get(sign_in::with_issuer)),
        Entry(POST, "/console/sign-in/key", post(sign_in::with_key)),
        Entry(GET, CALLBACK, get(callback::arrive)),
        Entry(POST, "/console/sign-out", post(sign_out::here)),
        Entry(POST, "/console/sign-out/everywhere", post(sign_out::everywhere)),
        Entry(GET, "/console/you", get(home::page)),
        Entry(POST, "/console/organization", post(home::choose_organization)),
        Entry(POST, "/console/looks", post(looks::choose)),
        Entry(GET, "/console/assets/{file}", get(assets::file)),

        Entry(GET, HOME, get(today::page)),
        Entry(GET, "/console/messages", get(messages::page)),
        Entry(GET, "/console/messages/export", get(messages::export)),
        Entry(GET, "/console/messages/{id}", get(message::page)),
        Entry(POST, "/console/messages/{id}/cancel", post(message::cancel)),
        Entry(POST, "/console/messages/{id}/reschedule", post(message::reschedule)),
        Entry(POST, "/console/messages/{id}/retry", post(message::retry)),
        Entry(GET, "/console/send", get(send::page)),
        Entry(POST, "/console/send", post(send::send)),
        Entry(POST, "/console/send/edit", post(send::edit)),
        Entry(POST, "/console/send/count", post(send::count)),
        Entry(POST, "/console/send/preview", post(send::preview)),
        Entry(GET, "/console/bulk", get(bulk::page)),
        Entry(POST, "/console/bulk", post(bulk::send)),
        Entry(POST, "/console/bulk/look", post(bulk::look)),
        Entry(GET, "/console/imports/{id}", get(imports::page)),
        Entry(GET, "/console/imports/{id}/rejected", get(imports::rejected)),
        Entry(GET, "/console/templates", get(templates::list)),
        Entry(POST, "/console/templates", post(templates::create)),
        Entry(GET, "/console/templates/new", get(templates::blank)),
        Entry(POST, "/console/templates/preview", post(templates::preview)),
        Entry(GET, "/console/templates/{id}", get(templates::page)),
        Entry(POST, "/console/templates/{id}", post(templates::update)),
        Entry(GET, "/console/sequences", get(sequences::list)),
        Entry(POST, "/console/sequences", post(sequences::create)),
        Entry(GET, "/console/sequences/{id}", get(sequences::page)),
        Entry(POST, "/console/sequences/{id}", post(sequences::update)),
        Entry(POST, "/console/sequences/{id}/remove", post(sequences::remove)),
        Entry(GET, "/console/tags", get(tags::page)),
        Entry(POST, "/console/tags", post(tags::create)),
        Entry(POST, "/console/tags/{id}", post(tags::update)),
        Entry(POST, "/console/tags/{id}/remove", post(tags::remove)),
        Entry(GET, "/console/contacts", get(contacts::list)),
        Entry(POST, "/console/contacts", post(contacts::create)),
        Entry(GET, "/console/contacts/import", get(contact_file::page)),
        Entry(POST, "/console/contacts/import", post(contact_file::import)),
        Entry(POST, "/console/contacts/import/look", post(contact_file::look)),
        Entry(POST, "/console/contacts/export", post(exports::create)),
        Entry(GET, "/console/exports/{id}", get(exports::page)),
        Entry(GET, "/console/exports/{id}/file", get(exports::file)),
        Entry(GET, "/console/contacts/{id}", get(contacts::page)),
        Entry(POST, "/console/contacts/{id}", post(contacts::update)),
        Entry(POST, "/console/contacts/{id}/labels", post(contacts::label)),
        Entry(POST, "/console/contacts/{id}/remove", post(contacts::remove)),
        Entry(GET, "/console/lists", get(lists::page)),
        Entry(POST, "/console/lists", post(lists::create)),
        Entry(GET, "/console/lists/{id}", get(lists::list)),
        Entry(POST, "/console/lists/{id}/add", post(lists::add)),
        Entry(POST, "/console/lists/{id}/remove", post(lists::remove)),
        Entry(GET, "/console/segments", get(segments::list)),
        Entry(POST, "/console/segments", post(segments::create)),
        Entry(GET, "/console/segments/new", get(segments::blank)),
        Entry(POST, "/console/segments/edit", post(segments::edit)),
        Entry(GET, "/console/segments/{id}", get(segments::page)),
        Entry(POST, "/console/segments/{id}", post(segments::update)),
        Entry(POST, "/console/segments/{id}/remove", post(segments::remove)),
        Entry(GET, "/console/workshops", get(workshops::list)),
        Entry(POST, "/console/workshops", post(workshops::create)),
        Entry(GET, "/console/workshops/{id}", get(workshop::page)),
        Entry(POST, "/console/workshops/{id}/run-sequence", post(workshop::run)),
        Entry(POST, "/console/workshops/{id}/send-now", post(workshop::send)),
        Entry(POST, "/console/workshops/{id}/registrations", post(workshop::register)),
        Entry(POST, "/console/campaigns/{id}/{act}", post(workshop::steer)),
        Entry(GET, "/console/bookings", get(bookings::list)),
        Entry(POST, "/console/bookings", post(bookings::create)),
        Entry(GET, "/console/bookings/{id}", get(bookings::page)),
        Entry(POST, "/console/bookings/{id}/move", post(bookings::move_to)),
        Entry(POST, "/console/bookings/{id}/cancel", post(bookings::cancel)),
        Entry(POST, "/console/bookings/{id}/complete", post(bookings::complete)),
        Entry(GET, "/console/opt-outs", get(opt_outs::page)),
        Entry(POST, "/console/opt-outs", post(opt_outs::add)),
        Entry(POST, "/console/opt-outs/lift", post(opt_outs::lift)),
        Entry(GET, "/console/dead-letters", get(dead_letters::page)),
        Entry(POST, "/console/dead-letters/{id}/redrive", post(dead_letters::redrive)),
        Entry(POST, "/console/dead-letters/{id}/drop", post(dead_letters::drop)),
        Entry(GET, "/console/statistics", get(statistics::page)),
        Entry(GET, "/console/audit-log", get(audit_log::page)),
        Entry(GET, "/console/audit-log/export", get(audit_log::export)),
        Entry(GET, "/console/settings", get(settings::page)),
        Entry(POST, "/console/settings", post(settings::update)),
        Entry(GET, "/console/integrations", get(integrations::page)),
        Entry(POST, "/console/integrations/{provider}", post(integrations::put)),
        Entry(POST, "/console/integrations/{provider}/test", post(integrations::test)),
        Entry(GET, "/console/members", get(members::page)),
        Entry(POST, "/console/members", post(members::invite)),
        Entry(POST, "/console/members/{id}", post(members::update)),
        Entry(POST, "/console/members/{id}/remove", post(members::remove)),
        Entry(POST, "/console/keys", post(members::make_key)),
        Entry(POST, "/console/keys/{id}/revoke", post(members::revoke_key)),
    ]
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for (address, is_inside) in [
            ("/console", true),
            ("/console/messages?status=failed", true),
            ("/console?done=saved", true),
            ("//evil.example/console", false),
            ("https://evil.example/console", false),
            ("/consoleevil", false),
            ("/console\\@evil.example", false),
            ("/console\r\nSet-Cookie: x", false),
        ] {
            assert_eq!(inside(address).is_some(), is_inside, "{address}");
        }
    }
}
