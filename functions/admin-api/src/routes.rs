//! The routes: one table of method, path and action. What a route needs besides
//! its handler (a key, a role) follows from its line; there is no other way in.

use std::any::type_name;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware;
use axum::routing::{MethodFilter, MethodRouter, get, on};
use carillon_domain::Action;
use carillon_runtime::Context;

use crate::door::{self, Door};
use crate::hall::Hall;
use crate::openapi::{self, Documented, Operation, Schemas};
use crate::{
    api_keys, audit, bookings, bulk, campaigns, consents, contact_lists, contacts, dead_letters,
    health, imports, installation, integrations, members, messages, organizations, people,
    segments, sequences, settings, stats, suppressions, tags, templates, uploads, workshops,
};

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    /// As axum has it: `/v1/messages/{id}`.
    pub path: &'static str,
    /// What its caller must be allowed to do.
    pub action: Action,
}

/// What a handler says of itself.
#[derive(Clone, Copy)]
pub struct Said {
    /// Its path in this crate, `carillon_admin_api::messages::read`.
    pub name: &'static str,
    pub describe: fn(&mut Operation, &mut Schemas),
}

struct Entry {
    route: Route,
    handler: MethodRouter<Arc<Context>>,
    said: Said,
}

/// A route that needs no key.
struct Open {
    path: &'static str,
    handler: MethodRouter<Arc<Context>>,
    said: Said,
}

/// Every route that needs a key.
#[must_use]
pub fn table() -> Vec<Route> {
    entries().into_iter().map(|entry| entry.route).collect()
}

/// Each route with what its handler says: method, path, action (none: open).
pub fn said() -> impl Iterator<Item = (Method, &'static str, Option<Action>, Said)> {
    let open = open().into_iter().map(|o| (Method::GET, o.path, None, o.said));
    let keyed = entries().into_iter();
    keyed.map(|e| (e.route.method, e.route.path, Some(e.route.action), e.said)).chain(open)
}

/// All of them behind their doors, and the few that are open to everybody.
pub fn router(ctx: &Arc<Context>) -> Router<Arc<Context>> {
    let open = open().into_iter().fold(Router::new(), |r, o| r.route(o.path, o.handler));
    let hall = Arc::new(Hall::default());
    entries().into_iter().fold(open, |router, Entry { route, handler, .. }| {
        let path = route.path;
        let door = Door { ctx: Arc::clone(ctx), route, hall: Arc::clone(&hall) };
        router.route(path, handler.route_layer(middleware::from_fn_with_state(door, door::pass)))
    })
}

#[rustfmt::skip]
fn entries() -> Vec<Entry> {
    use Action::{
        ChangeSettings, EditContacts, EditContent, EditEvents, LiftSuppression, ManageConsent,
        ManageInstallation,
        ManageIntegrations, ManageKeys, ManageMembers, ManageOrganizations, ManagePersonalData,
        Read, ReadAuditLog, Send,
    };
    vec![
        GET.at("/v1/messages", Read, messages::list::list),
        POST.at("/v1/messages", Send, messages::create::send),
        POST.at("/v1/messages/preview", Read, messages::preview::preview),
        POST.at("/v1/messages/bulk", Send, bulk::upload).taking(bulk::BODY_LIMIT),
        GET.at("/v1/messages/{id}", Read, messages::read),
        POST.at("/v1/messages/{id}/cancel", Send, messages::actions::cancel),
        POST.at("/v1/messages/{id}/reschedule", Send, messages::actions::reschedule),
        POST.at("/v1/messages/{id}/retry", Send, messages::actions::retry),
        GET.at("/v1/imports/{id}", Read, imports::read),
        GET.at("/v1/imports/{id}/rejected", Read, imports::rejected),
        GET.at("/v1/contacts", Read, contacts::list::list),
        POST.at("/v1/contacts", EditContacts, contacts::create),
        POST.at("/v1/contacts/import", EditContacts, contacts::import::upload)
            .taking(contacts::import::BODY_LIMIT),
        POST.at("/v1/contacts/export", Read, contacts::export::create),
        GET.at("/v1/exports/{id}", Read, contacts::export::read),
        GET.at("/v1/contacts/{id}", Read, contacts::read),
        PATCH.at("/v1/contacts/{id}", EditContacts, contacts::update),
        GET.at("/v1/contacts/{id}/timeline", Read, contacts::timeline::read),
        POST.at("/v1/contacts/{id}/merge", EditContacts, contacts::merge::merge),
        POST.at("/v1/contacts/{id}/labels", EditContacts, contacts::labels::add),
        DELETE.at("/v1/contacts/{id}/labels", EditContacts, contacts::labels::take),
        GET.at("/v1/contacts/{id}/data", ManagePersonalData, contacts::data::export),
        DELETE.at("/v1/contacts/{id}/data", ManagePersonalData, contacts::data::erase),
        DELETE.at("/v1/contacts/{id}", EditContacts, contacts::remove),
        GET.at("/v1/lists", Read, contact_lists::list),
        POST.at("/v1/lists", EditContacts, contact_lists::create),
        GET.at("/v1/lists/{id}", Read, contact_lists::read),
        PATCH.at("/v1/lists/{id}", EditContacts, contact_lists::update),
        GET.at("/v1/lists/{id}/members", Read, contact_lists::members),
        POST.at("/v1/lists/{id}/members", EditContacts, contact_lists::add),
        DELETE.at("/v1/lists/{id}/members", EditContacts, contact_lists::take),
        DELETE.at("/v1/lists/{id}", EditContacts, contact_lists::remove),
        GET.at("/v1/segments", Read, segments::list),
        POST.at("/v1/segments", EditContacts, segments::create),
        GET.at("/v1/segments/{id}", Read, segments::read),
        PATCH.at("/v1/segments/{id}", EditContacts, segments::update),
        GET.at("/v1/segments/{id}/count", Read, segments::count),
        GET.at("/v1/segments/{id}/preview", Read, segments::preview),
        DELETE.at("/v1/segments/{id}", EditContacts, segments::remove),
        POST.at("/v1/uploads", EditContacts, uploads::create),
        GET.at("/v1/templates", Read, templates::list::list),
        POST.at("/v1/templates", EditContent, templates::create),
        GET.at("/v1/templates/{id}", Read, templates::read),
        PATCH.at("/v1/templates/{id}", EditContent, templates::update),
        DELETE.at("/v1/templates/{id}", EditContent, templates::delete),
        GET.at("/v1/templates/{id}/versions", Read, templates::versions),
        POST.at("/v1/templates/{id}/preview", Read, templates::preview::preview),
        GET.at("/v1/templates/library", Read, templates::library::list),
        GET.at("/v1/sequences", Read, sequences::list),
        POST.at("/v1/sequences", EditContent, sequences::create),
        GET.at("/v1/sequences/{id}", Read, sequences::read),
        PATCH.at("/v1/sequences/{id}", EditContent, sequences::update),
        DELETE.at("/v1/sequences/{id}", EditContent, sequences::delete),
        GET.at("/v1/tags", Read, tags::list),
        POST.at("/v1/tags", EditContent, tags::create),
        GET.at("/v1/tags/{id}", Read, tags::read),
        PATCH.at("/v1/tags/{id}", EditContent, tags::update),
        DELETE.at("/v1/tags/{id}", EditContent, tags::delete),
        GET.at("/v1/bookings", Read, bookings::list),
        POST.at("/v1/bookings", EditEvents, bookings::create),
        GET.at("/v1/bookings/{id}", Read, bookings::read),
        PATCH.at("/v1/bookings/{id}", EditEvents, bookings::actions::update),
        DELETE.at("/v1/bookings/{id}", EditEvents, bookings::actions::delete),
        POST.at("/v1/bookings/{id}/move", EditEvents, bookings::actions::move_to),
        POST.at("/v1/bookings/{id}/cancel", EditEvents, bookings::actions::cancel),
        POST.at("/v1/bookings/{id}/complete", EditEvents, bookings::actions::complete),
        GET.at("/v1/workshops", Read, workshops::list),
        POST.at("/v1/workshops", EditEvents, workshops::create),
        GET.at("/v1/workshops/{id}", Read, workshops::read),
        PATCH.at("/v1/workshops/{id}", EditEvents, workshops::update),
        DELETE.at("/v1/workshops/{id}", EditEvents, workshops::remove),
        GET.at("/v1/workshops/{id}/registrations", Read, workshops::registrations::list),
        POST.at("/v1/workshops/{id}/registrations", EditEvents, workshops::registrations::add),
        DELETE.at("/v1/workshops/{id}/registrations", EditEvents, workshops::registrations::remove),
        GET.at("/v1/workshops/{id}/recipients", Read, workshops::recipients::read),
        GET.at("/v1/workshops/{id}/checkpoints", Read, workshops::checkpoints::read),
        GET.at("/v1/workshops/{id}/broadcasts", Read, campaigns::broadcasts),
        POST.at("/v1/workshops/{id}/run-sequence", Send, workshops::run_sequence::run),
        POST.at("/v1/workshops/{id}/send-now", Send, workshops::send_now::send),
        GET.at("/v1/campaigns", Read, campaigns::list),
        GET.at("/v1/campaigns/{id}", Read, campaigns::read),
        GET.at("/v1/campaigns/{id}/messages", Read, campaigns::messages::list),
        GET.at("/v1/campaigns/{id}/stats", Read, campaigns::stats::read),
        POST.at("/v1/campaigns/{id}/pause", Send, campaigns::pause),
        POST.at("/v1/campaigns/{id}/resume", Send, campaigns::resume),
        POST.at("/v1/campaigns/{id}/cancel", Send, campaigns::cancel),
        GET.at("/v1/integrations/{provider}", Read, integrations::read),
        PUT.at("/v1/integrations/{provider}", ManageIntegrations, integrations::put),
        POST.at("/v1/integrations/{provider}/test", ManageIntegrations, integrations::test),
        GET.at("/v1/settings", Read, settings::read),
        PATCH.at("/v1/settings", ChangeSettings, settings::update),
        GET.at("/v1/consents", Read, consents::list),
        POST.at("/v1/consents", ManageConsent, consents::put),
        GET.at("/v1/suppressions", Read, suppressions::list),
        POST.at("/v1/suppressions", ManageConsent, suppressions::put),
        DELETE.at("/v1/suppressions", LiftSuppression, suppressions::lift),
        GET.at("/v1/dead-letters", Read, dead_letters::list),
        POST.at("/v1/dead-letters/{id}/redrive", Send, dead_letters::redrive),
        POST.at("/v1/dead-letters/{id}/drop", Send, dead_letters::drop),
        GET.at("/v1/stats", Read, stats::read),
        GET.at("/v1/audit-log", ReadAuditLog, audit::list::list),
        GET.at("/v1/audit-log/export", ReadAuditLog, audit::export::export),
        POST.at("/v1/people/export", ManagePersonalData, people::export),
        POST.at("/v1/people/erase", ManagePersonalData, people::erase),
        GET.at("/v1/people/erasure", ManagePersonalData, people::erasure),
        GET.at("/v1/api-keys", ManageKeys, api_keys::list),
        POST.at("/v1/api-keys", ManageKeys, api_keys::create),
        GET.at("/v1/api-keys/{id}", ManageKeys, api_keys::read),
        DELETE.at("/v1/api-keys/{id}", ManageKeys, api_keys::revoke),
        GET.at("/v1/members", ManageMembers, members::list),
        POST.at("/v1/members", ManageMembers, members::invite),
        GET.at("/v1/members/{id}", ManageMembers, members::read),
        PATCH.at("/v1/members/{id}", ManageMembers, members::update),
        DELETE.at("/v1/members/{id}", ManageMembers, members::remove),
        GET.at("/v1/organizations", ManageOrganizations, organizations::list),
        POST.at("/v1/organizations", ManageOrganizations, organizations::create),
        GET.at("/v1/organizations/{id}", ManageOrganizations, organizations::read),
        PATCH.at("/v1/organizations/{id}", ManageOrganizations, organizations::update),
        GET.at("/v1/installation", ManageInstallation, installation::read),
        POST.at("/v1/installation/resume", ManageInstallation, installation::resume),
    ]
}

fn open() -> Vec<Open> {
    vec![
        Open::at("/healthz", health::read),
        Open::at("/openapi.json", openapi::json),
        Open::at("/docs", openapi::docs),
        Open::at("/docs/style.css", openapi::style),
    ]
}

/// A method, as axum filters by it and as people write it.
struct Verb(MethodFilter, Method);

const GET: Verb = Verb(MethodFilter::GET, Method::GET);
const POST: Verb = Verb(MethodFilter::POST, Method::POST);
const PUT: Verb = Verb(MethodFilter::PUT, Method::PUT);
const PATCH: Verb = Verb(MethodFilter::PATCH, Method::PATCH);
const DELETE: Verb = Verb(MethodFilter::DELETE, Method::DELETE);

impl Verb {
    fn at<H, T, D>(self, path: &'static str, action: Action, handler: H) -> Entry
    where
        H: Handler<T, Arc<Context>> + Documented<D>,
        T: 'static,
    {
        let said = Said { name: type_name::<H>(), describe: H::describe };
        let route = Route { method: self.1, path, action };
        Entry { route, handler: on(self.0, handler), said }
    }
}

impl Open {
    fn at<H, T, D>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Context>> + Documented<D>,
        T: 'static,
    {
        let said = Said { name: type_name::<H>(), describe: H::describe };
        Self { path, handler: get(handler), said }
    }
}

impl Entry {
    /// A larger body than JSON ever has, in bytes.
    fn taking(self, limit: usize) -> Self {
        Self { handler: self.handler.layer(DefaultBodyLimit::max(limit)), ..self }
    }
}
