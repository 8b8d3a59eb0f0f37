//! What stands around every page: where one can go, who one is, what one may do.

use carillon_admin_api::routes as api;
use carillon_domain::{Action, Role, access};

use crate::desk::Desk;
use crate::looks::Theme;
use crate::notice;
use crate::when::Times;

pub struct Frame {
    pub title: String,
    pub csrf: String,
    pub name: String,
    pub organization: String,
    pub role: &'static str,
    pub can: Can,
    pub groups: Vec<Group>,
    pub theme: &'static str,
    /// No message reaches a phone.
    pub simulated: bool,
    /// Sending is switched off.
    pub paused: bool,
    pub times: Times,
    /// What was just done.
    pub notice: Option<&'static str>,
    /// For the one form of a page that sends or makes something.
    pub once: String,
}

/// Part of the navigation.
pub struct Group {
    pub name: &'static str,
    pub places: Vec<Place>,
}

pub struct Place {
    pub name: &'static str,
    pub path: &'static str,
    pub icon: &'static str,
    pub is_here: bool,
}

/// What this reader's role allows: a button that would be refused is not there.
#[derive(Debug, Clone, Copy)]
pub struct Can {
    pub send: bool,
    pub edit_content: bool,
    pub edit_contacts: bool,
    pub edit_events: bool,
    pub suppress: bool,
    pub lift: bool,
    pub integrate: bool,
    pub set: bool,
    pub make_keys: bool,
}

impl Can {
    pub fn of(role: Role) -> Self {
        let may = |action| access::allows(role, action);
        Self {
            send: may(Action::Send),
            edit_content: may(Action::EditContent),
            edit_contacts: may(Action::EditContacts),
            edit_events: may(Action::EditEvents),
            suppress: may(Action::ManageConsent),
            lift: may(Action::LiftSuppression),
            integrate: may(Action::ManageIntegrations),
            set: may(Action::ChangeSettings),
            make_keys: may(Action::ManageKeys),
        }
    }
}

/// Name, address, icon, and the route of the API that the page is about.
type Row = (&'static str, &'static str, &'static str, &'static str);

const GROUPS: [(&str, &[Row]); 5] = [
    (
        "Sending",
        &[
            ("Today", "/console", "layout-dashboard", "/v1/stats"),
            ("Messages", "/console/messages", "message-square", "/v1/messages"),
            ("Send", "/console/send", "send", "/v1/messages/preview"),
            ("Send a file", "/console/bulk", "upload", "/v1/messages/bulk"),
            ("Workshops", "/console/workshops", "calendar-days", "/v1/workshops"),
            ("Bookings", "/console/bookings", "calendar-check", "/v1/bookings"),
        ],
    ),
    (
        "People",
        &[
            ("Contacts", "/console/contacts", "users", "/v1/contacts"),
            ("Lists", "/console/lists", "list-checks", "/v1/lists"),
            ("Segments", "/console/segments", "filter", "/v1/segments"),
            ("Opt-outs", "/console/opt-outs", "bell-off", "/v1/suppressions"),
        ],
    ),
    (
        "Content",
        &[
            ("Templates", "/console/templates", "file-text", "/v1/templates"),
            ("Sequences", "/console/sequences", "list-ordered", "/v1/sequences"),
            ("Tags", "/console/tags", "tag", "/v1/tags"),
        ],
    ),
    (
        "Insight",
        &[
            ("Statistics", "/console/statistics", "chart-column", "/v1/stats"),
            ("Dead letters", "/console/dead-letters", "inbox", "/v1/dead-letters"),
            ("Audit log", "/console/audit-log", "scroll-text", "/v1/audit-log"),
        ],
    ),
    (
        "Set-up",
        &[
            ("Settings", "/console/settings", "settings", "/v1/settings"),
            ("Integrations", "/console/integrations", "plug", "/v1/integrations/{provider}"),
            ("Members and keys", "/console/members", "key-round", "/v1/members"),
        ],
    ),
];

impl Frame {
    pub fn new(desk: &Desk, title: &str, times: Times, paused: bool, simulated: bool) -> Self {
        let path = desk.here.split('?').next().unwrap_or_default();
        Self {
            title: title.to_owned(),
            csrf: desk.me.csrf.clone(),
            name: desk.me.name.clone(),
            organization: desk.me.organization.name.clone(),
            role: desk.me.role.as_str(),
            can: Can::of(desk.me.role),
            groups: groups(desk.me.role, path),
            theme: desk.looks.theme.as_str(),
            simulated,
            paused,
            times,
            notice: notice::of(&desk.here),
            once: desk.once(),
        }
    }

    pub fn themes(&self) -> Vec<(&'static str, &'static str, bool)> {
        let all = Theme::ALL.into_iter();
        all.map(|t| (t.as_str(), t.word(), t.as_str() == self.theme)).collect()
    }

    #[cfg(test)]
    pub fn sample() -> Self {
        use jiff::tz::TimeZone;

        let text = crate::page::tests::HOSTILE;
        let now = "2026-11-21T09:00:00Z".parse().expect("a time");
        Self {
            title: text.to_owned(),
            csrf: "token".to_owned(),
            name: text.to_owned(),
            organization: text.to_owned(),
            role: "super_admin",
            can: Can::of(Role::SuperAdmin),
            groups: groups(Role::SuperAdmin, "/console/messages"),
            theme: "dark",
            simulated: true,
            paused: true,
            times: Times::new(now, TimeZone::get("Australia/Sydney").expect("a zone"), None),
            notice: notice::of("/console?done=sent"),
            once: "once".to_owned(),
        }
    }
}

/// Where this reader can go: what the API has, and lets him look at.
fn groups(role: Role, path: &str) -> Vec<Group> {
    let table = api::table();
    let opens = |row: &&Row| {
        let mut routes = table.iter().filter(|route| route.path == row.3);
        routes.any(|route| access::allows(role, route.action))
            && (row.1 != "/console/send" && row.1 != "/console/bulk"
                || access::allows(role, Action::Send))
    };
    let is_here = |place: &str| {
        place == path || (place != "/console" && path.starts_with(&format!("{place}/")))
    };
    let places = |rows: &'static [Row]| {
        let open = rows.iter().filter(opens);
        open.map(|(name, path, icon, _)| Place { name, path, icon, is_here: is_here(path) })
            .collect()
    };
    let groups = GROUPS.into_iter().map(|(name, rows)| Group { name, places: places(rows) });
    groups.filter(|group: &Group| !group.places.is_empty()).collect()
}
