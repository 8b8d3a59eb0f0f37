//! How pages are made, and the plain one that says what went wrong.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use carillon_runtime::context::InstallationError;
use carillon_store::StoreError;

use crate::api::Problem;
use crate::routes;

/// A page as an answer.
pub fn show(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a page cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that could be made.
pub fn ok(page: &impl Template) -> Response {
    show(StatusCode::OK, page)
}

/// A form that comes back with what is wrong.
pub fn again(problem: &Problem, page: &impl Template) -> Response {
    show(status(problem), page)
}

fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY)
}

/// Somebody is told what went wrong, and what to do.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    text: String,
    back: (&'static str, &'static str),
}

#[derive(Template)]
#[template(path = "refusal.html")]
pub struct RefusalPage<'a> {
    pub title: &'a str,
    pub text: &'a str,
    pub back: &'a str,
    pub place: &'a str,
}

impl Refusal {
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        let back = (routes::SIGN_IN, "To the sign-in page");
        Self { status, text: text.into(), back }
    }

    fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a page could not be served");
        let text = "Storage does not answer. Nothing was changed by half; try again shortly.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let title = match self.status {
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::TOO_MANY_REQUESTS => "Not now",
            StatusCode::NOT_FOUND => "Not found",
            _ => "That did not work",
        };
        let (back, place) = self.back;
        show(self.status, &RefusalPage { title, text: &self.text, back, place })
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<InstallationError> for Refusal {
    fn from(error: InstallationError) -> Self {
        Self::unavailable(&error)
    }
}

/// What the API refused, where a page has no field to show it at.
impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let status = status(&problem);
        Self { status, text: problem.detail, back: (routes::HOME, "To the first page") }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::audit_log::AuditLogPage;
    use crate::bookings::{BookingPage, BookingsPage};
    use crate::bulk::{BulkPage, LookPart};
    use crate::contact_file::{ContactFilePage, PeoplePart};
    use crate::contact_import::ContactImportPage;
    use crate::contacts::{ContactPage, ContactsPage};
    use crate::dead_letters::DeadLettersPage;
    use crate::exports::ExportPage;
    use crate::home::HomePage;
    use crate::imports::ImportPage;
    use crate::integrations::IntegrationsPage;
    use crate::lists::{ListPage, ListsPage};
    use crate::members::MembersPage;
    use crate::message::MessagePage;
    use crate::messages::MessagesPage;
    use crate::opt_outs::OptOutsPage;
    use crate::segments::{SegmentPage, SegmentsPage};
    use crate::send::{PreviewPage, SendPage};
    use crate::sequences::{SequencePage, SequencesPage};
    use crate::settings::SettingsPage;
    use crate::sign_in::SignInPage;
    use crate::statistics::StatisticsPage;
    use crate::tags::TagsPage;
    use crate::templates::{TemplatePage, TemplatesPage};
    use crate::today::TodayPage;
    use crate::wanted::Wanted;
    use crate::workshop::{ConfirmPage, WorkshopPage};
    use crate::workshops::WorkshopsPage;

    /// The worst that something can be called.
    pub const HOSTILE: &str = "\"><script>alert(1)</script><a href='";

    /// Every page, with people, organizations, texts and providers that are called so.
    fn pages() -> Vec<(&'static str, String)> {
        let sign_in = SignInPage {
            csrf: "token".to_owned(),
            issuer: Some(HOSTILE.to_owned()),
            problem: Some(HOSTILE),
            wanted: Wanted::read("/console/messages"),
        };
        let refusal =
            RefusalPage { title: HOSTILE, text: HOSTILE, back: "/console", place: HOSTILE };
        let page = |page: &dyn askama::DynTemplate| page.dyn_render().expect("a page");
        vec![
            ("sign-in", page(&sign_in)),
            ("refusal", page(&refusal)),
            ("home", page(&HomePage::sample())),
            ("today", page(&TodayPage::sample())),
            ("messages", page(&MessagesPage::sample())),
            ("message", page(&MessagePage::sample())),
            ("send", page(&SendPage::sample())),
            ("send-preview", page(&PreviewPage::sample())),
            ("bulk", page(&BulkPage::sample())),
            ("bulk-look", page(&LookPart::sample())),
            ("import", page(&ImportPage::sample())),
            ("templates", page(&TemplatesPage::sample())),
            ("template", page(&TemplatePage::sample())),
            ("opt-outs", page(&OptOutsPage::sample())),
            ("dead-letters", page(&DeadLettersPage::sample())),
            ("statistics", page(&StatisticsPage::sample())),
            ("audit-log", page(&AuditLogPage::sample())),
            ("settings", page(&SettingsPage::sample())),
            ("integrations", page(&IntegrationsPage::sample())),
            ("members", page(&MembersPage::sample())),
            ("contacts", page(&ContactsPage::sample())),
            ("contact-file", page(&ContactFilePage::sample())),
            ("contact-file-look", page(&PeoplePart::sample())),
            ("contact-import", page(&ContactImportPage::sample())),
            ("export", page(&ExportPage::sample())),
            ("contact", page(&ContactPage::sample())),
            ("lists", page(&ListsPage::sample())),
            ("list", page(&ListPage::sample())),
            ("segments", page(&SegmentsPage::sample())),
            ("segment", page(&SegmentPage::sample(false))),
            ("segment-json", page(&SegmentPage::sample(true))),
            ("tags", page(&TagsPage::sample())),
            ("sequences", page(&SequencesPage::sample())),
            ("sequence", page(&SequencePage::sample())),
            ("workshops", page(&WorkshopsPage::sample())),
            ("workshop", page(&WorkshopPage::sample())),
            ("workshop-confirm", page(&ConfirmPage::sample())),
            ("bookings", page(&BookingsPage::sample())),
            ("booking", page(&BookingPage::sample())),
        ]
    }

    #[test]
    fn what_something_is_called_is_never_markup() {
        for (name, html) in pages() {
            assert!(html.contains("alert(1)"), "{name} shows it");
            for script in html.split("<script").skip(1) {
                assert!(script.starts_with(" src=\"/console/assets/"), "{name}: {script:.80}");
            }
            assert!(
                !html.contains("href='") && !html.contains("alert(1)</script>"),
                "{name}: {html}"
            );
        }
    }

    #[test]
    fn every_form_has_its_token_and_no_page_has_a_script_or_a_style_of_its_own() {
        for (name, html) in pages() {
            for form in html.split("<form").skip(1) {
                let form = form.split("</form>").next().unwrap_or_default();
                let tag = form.split('>').next().unwrap_or_default();
                if tag.contains("method=\"get\"") {
                    // An address with a token in it would be shared.
                    assert!(!form.contains("csrf"), "{name}: {form}");
                    continue;
                }
                assert!(tag.contains("method=\"post\""), "{name}: {tag}");
                let first = form.split("<input").nth(1).unwrap_or_default();
                assert!(first.contains("name=\"csrf\" value=\"token\""), "{name}: {form}");
            }
            for word in ["<style", " style=", " onclick=", "javascript:", "http://", "https://"] {
                assert!(!html.contains(word), "{name}: {word}");
            }
        }
    }

    #[test]
    fn every_page_says_what_it_is_and_names_its_fields() {
        for (name, html) in pages() {
            if html.contains("<!doctype html>") {
                assert_eq!(html.matches("<h1").count(), 1, "{name} has one heading");
                assert_eq!(html.matches("<main").count(), 1, "{name}");
            }
            let fields = html.split("<input").skip(1).chain(html.split("<textarea").skip(1));
            for rest in fields {
                let tag = rest.split('>').next().unwrap_or_default();
                let wrapped = ["hidden", "radio", "checkbox"]
                    .iter()
                    .any(|k| tag.contains(&format!("type=\"{k}\"")));
                let id = tag.split("id=\"").nth(1).and_then(|rest| rest.split('"').next());
                let labelled = id.is_some_and(|id| html.contains(&format!("for=\"{id}\"")));
                assert!(wrapped || labelled || tag.contains("aria-label"), "{name}: {tag}");
            }
        }
    }
}
