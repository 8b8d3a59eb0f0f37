//! The first page: what needs somebody, what went out today, what is on today.

use askama::Template;
use axum::response::Response;
use carillon_domain::ProviderName;
use carillon_domain::integration::Money;
use carillon_domain::settings::Settings;
use jiff::SignedDuration;

use crate::api::{self, Listed, Problem};
use crate::bookings::Booking;
use crate::chart::{self, Svg};
use crate::dead_letters::DeadLetter;
use crate::desk::Desk;
use crate::figures;
use crate::frame::Frame;
use crate::integrations::Integration;
use crate::message::Message;
use crate::page::{self, Refusal};
use crate::statistics::Statistics;
use crate::workshops::Workshop;

/// From this part of a limit on, somebody is told.
const NEAR: u64 = 80;

/// Something that a person should look at.
pub struct Trouble {
    pub class: &'static str,
    pub icon: &'static str,
    pub title: String,
    pub text: String,
    pub link: String,
}

pub struct Figure {
    pub class: &'static str,
    pub icon: &'static str,
    pub name: &'static str,
    pub value: String,
    pub more: String,
    pub link: String,
}

#[derive(Template)]
#[template(path = "today.html")]
pub struct TodayPage {
    pub frame: Frame,
    pub problems: Vec<Trouble>,
    pub figures: Vec<Figure>,
    pub bar: Svg,
    pub workshops: Vec<Workshop>,
    pub bookings: Vec<Booking>,
    pub messages: Vec<Message>,
}

/// `GET /console`
pub async fn page(desk: Desk) -> Result<Response, Refusal> {
    let api = &desk.api;
    let day = |back: i64| {
        (desk.now - SignedDuration::from_hours(24 * back)).strftime("%Y-%m-%d").to_string()
    };
    let stats = |from: &str| api::path("/v1/stats", &[("from", from), ("to", &day(0))]);
    let (of_today, of_year) = (stats(&day(0)), stats(&day(365)));
    let month = format!("{}-01", desk.now.strftime("%Y-%m"));
    let of_month = stats(&month);
    let (settings, today, year, month, dead, latest, accounts, events) = futures::join!(
        api.get::<Settings>("/v1/settings"),
        api.get::<Statistics>(&of_today),
        api.get::<Statistics>(&of_year),
        api.get::<Statistics>(&of_month),
        api.get::<Listed<DeadLetter>>("/v1/dead-letters?limit=5"),
        api.get::<Listed<Message>>("/v1/messages?limit=8"),
        accounts(&desk),
        events(&desk),
    );
    let (settings, today, year, accounts) = (settings?, today?, year?, accounts?);
    let frame = desk.frame_of("Today", &settings);
    let mut problems = Vec::new();
    unknown(&year, &mut problems);
    given_up(&dead?, &mut problems);
    failing(&accounts, &mut problems);
    spend("today", &today, settings.spend_limit_per_day.as_ref(), &mut problems);
    spend("this month", &month?, settings.spend_limit_per_month.as_ref(), &mut problems);
    let (workshops, bookings) = events;
    let page = TodayPage {
        frame,
        problems,
        figures: figures_of(&today, &day(0)),
        bar: chart::bar(&[
            ("good", "Delivered", today.total_delivered),
            ("sent", "On its way", today.total_sent - today.total_delivered),
            ("bad", "Failed", today.total_failed),
            ("doubt", "Unknown", today.total_unknown),
            ("wait", "Waiting", today.total_pending),
        ]),
        workshops,
        bookings,
        messages: latest?.data,
    };
    Ok(page::ok(&page))
}

pub async fn accounts(desk: &Desk) -> Result<Vec<Integration>, Problem> {
    let paths = ProviderName::ALL.map(|name| format!("/v1/integrations/{}", name.as_str()));
    futures::future::try_join_all(paths.iter().map(|path| desk.api.get(path))).await
}

/// Of this day; nothing where the API has none.
async fn events(desk: &Desk) -> (Vec<Workshop>, Vec<Booking>) {
    let until = desk.now + SignedDuration::from_hours(24);
    let from = desk.now - SignedDuration::from_hours(6);
    let (from, until) = (from.to_string(), until.to_string());
    let query = [("from", &*from), ("to", &*until), ("limit", "10")];
    let (workshops, bookings) =
        (api::path("/v1/workshops", &query), api::path("/v1/bookings", &query));
    let (workshops, bookings) = futures::join!(
        desk.api.get::<Listed<Workshop>>(&workshops),
        desk.api.get::<Listed<Booking>>(&bookings),
    );
    let bookings = Booking::named(desk, bookings.map(|l| l.data).unwrap_or_default()).await;
    (workshops.map(|l| l.data).unwrap_or_default(), bookings)
}

fn figures_of(today: &Statistics, day: &str) -> Vec<Figure> {
    let list = |status: &str| api::path("/console/messages", &[("status", status), ("from", day)]);
    let share =
        today.delivery_rate.map(|share| format!("{} of what was sent", figures::percent(share)));
    let figure = |class, icon, name, n: i64, more: String, status: &str| Figure {
        class,
        icon,
        name,
        value: figures::count(n),
        more,
        link: list(status),
    };
    let cost = if today.cost.micros().unwrap_or(0) > 0 {
        figures::money(&today.cost)
    } else {
        String::new()
    };
    vec![
        figure("sent", "send", "Sent", today.total_sent, cost, ""),
        figure(
            "good",
            "check-check",
            "Delivered",
            today.total_delivered,
            share.unwrap_or_default(),
            "delivered",
        ),
        figure("bad", "circle-x", "Failed", today.total_failed, String::new(), "failed"),
        figure(
            "wait",
            "clock",
            "Waiting",
            today.total_pending,
            "due today or later".to_owned(),
            "pending",
        ),
    ]
}

fn unknown(year: &Statistics, problems: &mut Vec<Trouble>) {
    if year.total_unknown > 0 {
        problems.push(Trouble {
            class: "doubt",
            icon: "circle-help",
            title: format!("{} nobody can tell about", figures::of(year.total_unknown, "message")),
            text: "The provider did not answer. They are not sent again unless you say so."
                .to_owned(),
            link: "/console/messages?status=unknown".to_owned(),
        });
    }
}

fn given_up(dead: &Listed<DeadLetter>, problems: &mut Vec<Trouble>) {
    let n = dead.data.len();
    if n > 0 {
        let more = if dead.next_cursor.is_some() { "More than " } else { "" };
        problems.push(Trouble {
            class: "bad",
            icon: "inbox",
            title: format!(
                "{more}{} given up",
                figures::of(i64::try_from(n).unwrap_or(0), "thing")
            ),
            text: "Look at the reason, then let it be tried again, or drop it.".to_owned(),
            link: "/console/dead-letters".to_owned(),
        });
    }
}

fn failing(accounts: &[Integration], problems: &mut Vec<Trouble>) {
    for account in accounts.iter().filter(|account| account.status.0 == "failing") {
        problems.push(Trouble {
            class: "bad",
            icon: "plug",
            title: format!("{} does not work", crate::status::words(&account.provider)),
            text: account.last_error.clone().unwrap_or_default(),
            link: "/console/integrations".to_owned(),
        });
    }
    if accounts.iter().all(|account| !account.configured) {
        problems.push(Trouble {
            class: "doubt",
            icon: "plug",
            title: "No provider is set up".to_owned(),
            text: "Messages wait until there is an account to send them with.".to_owned(),
            link: "/console/integrations".to_owned(),
        });
    }
}

fn spend(when: &str, spent: &Statistics, limit: Option<&Money>, problems: &mut Vec<Trouble>) {
    let Some(limit) = limit else { return };
    let of_currency = spent.costs.iter().find(|cost| cost.currency == limit.currency);
    let micros = of_currency.and_then(Money::micros).unwrap_or(0);
    let whole = limit.micros().unwrap_or(0).max(1);
    if micros * 100 >= whole * NEAR {
        let spent = figures::money(&Money::from_micros(micros, &limit.currency));
        problems.push(Trouble {
            class: if micros >= whole { "bad" } else { "doubt" },
            icon: "wallet",
            title: format!("{spent} of {} spent {when}", figures::money(limit)),
            text: "What comes after the limit waits.".to_owned(),
            link: "/console/settings#limits".to_owned(),
        });
    }
}

#[cfg(test)]
impl TodayPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        Self {
            frame: Frame::sample(),
            problems: vec![Trouble {
                class: "bad",
                icon: "plug",
                title: text(),
                text: text(),
                link: text(),
            }],
            figures: figures_of(&Statistics::sample(), "2026-11-21"),
            bar: chart::bar(&[("good", "Delivered", 1)]),
            workshops: vec![Workshop::sample()],
            bookings: vec![Booking::sample()],
            messages: vec![Message::sample()],
        }
    }
}
