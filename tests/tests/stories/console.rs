//! The console as people use it: what they see of what the API has, what they may do, and that nothing is done twice.

mod doors;
mod events;
mod forms;
mod landing;
mod people;
mod segments;
mod sending;
mod settings;

use carillon_domain::{OrgId, Role};
use carillon_tests::browser::Browser;
use carillon_tests::{Answer, World, callers};

/// Pages that need no id.
const PAGES: [&str; 24] = [
    "/console",
    "/console/you",
    "/console/messages",
    "/console/send",
    "/console/bulk",
    "/console/templates",
    "/console/templates/new",
    "/console/opt-outs",
    "/console/dead-letters",
    "/console/statistics",
    "/console/contacts",
    "/console/contacts/import",
    "/console/lists",
    "/console/segments",
    "/console/segments/new",
    "/console/sequences",
    "/console/tags",
    "/console/workshops",
    "/console/bookings",
    "/console/settings",
    "/console/integrations",
    "/console/messages?status=failed&q=hello",
    "/console/statistics?from=2026-11-01&to=2026-11-21",
    "/console/opt-outs?to=%2B61491570006",
];
/// Those of whoever looks after the organization.
const ADMINS: [&str; 2] = ["/console/audit-log", "/console/members"];

/// A browser of somebody with this role.
async fn reader(world: &World, role: Role) -> Browser {
    of(world, world.stack.org, role).await
}

async fn of(world: &World, org: OrgId, role: Role) -> Browser {
    let secret = format!("crl_console_{org}_{}", role.as_str());
    callers::add(&world.stack.ctx, org, &secret, role).await;
    let browser = Browser::new(world);
    assert_eq!(browser.sign_in_with_key(&secret).await.status, 303);
    browser
}

/// A hidden field of a page's form.
fn hidden(page: &Answer, name: &str) -> String {
    let (_, rest) = page
        .text
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no {name}: {} {}", page.status, page.text));
    rest.split('"').next().expect("a value").to_owned()
}

#[track_caller]
fn shows(page: &Answer, status: u16, texts: &[&str]) {
    assert_eq!(page.status, status, "{}", page.text);
    for text in texts {
        assert!(page.text.contains(text), "“{text}” is not in {}", page.text);
    }
}
