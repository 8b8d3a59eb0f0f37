//! What was sent, and what became of it: pictures, each with its table.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use carillon_domain::integration::Money;
use jiff::SignedDuration;
use jiff::civil::Date;
use serde::Deserialize;

use crate::api;
use crate::chart::{self, Svg};
use crate::desk::Desk;
use crate::figures;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::status::words;

/// Days that are shown when nobody says otherwise.
const DAYS: i64 = 29;
/// A chart of more days has only those on which anything was.
const MOST_DAYS: i32 = 93;

#[derive(Debug, Deserialize)]
pub struct Statistics {
    pub total_sent: i64,
    pub total_delivered: i64,
    pub total_failed: i64,
    pub total_suppressed: i64,
    pub total_unknown: i64,
    pub total_pending: i64,
    pub total_replied: i64,
    pub total_opted_out: i64,
    pub delivery_rate: Option<f64>,
    pub reply_rate: Option<f64>,
    pub opt_out_rate: Option<f64>,
    pub cost: Money,
    pub costs: Vec<Money>,
    pub by_day: Vec<Day>,
    pub by_month: BTreeMap<String, Sums>,
    pub by_error: Vec<ErrorCount>,
}

#[derive(Debug, Deserialize)]
pub struct Day {
    pub date: String,
    #[serde(flatten)]
    pub sums: Sums,
}

#[derive(Debug, Deserialize)]
pub struct Sums {
    pub sent: i64,
    pub delivered: i64,
    pub failed: i64,
    pub cost: Money,
}

#[derive(Debug, Deserialize)]
pub struct ErrorCount {
    pub code: String,
    pub reason: String,
    pub count: i64,
}

impl Sums {
    pub fn money(&self) -> String {
        figures::money(&self.cost)
    }

    fn amount(&self) -> f64 {
        self.cost.amount.parse().unwrap_or(0.0)
    }
}

impl ErrorCount {
    pub fn why(&self) -> String {
        words(&self.reason)
    }
}

/// A rate, and whether it is where it should be.
pub struct Rate {
    pub name: &'static str,
    pub value: String,
    pub goal: &'static str,
    pub class: &'static str,
    pub icon: &'static str,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    pub from: String,
    pub to: String,
    pub channel: String,
}

#[derive(Template)]
#[template(path = "statistics.html")]
pub struct StatisticsPage {
    pub frame: Frame,
    pub filter: Filter,
    pub problem: Option<String>,
    pub stats: Statistics,
    pub rates: Vec<Rate>,
    pub delivery: Svg,
    pub cost: Svg,
    pub errors: Vec<(String, Svg)>,
}

/// `GET /console/statistics`
pub async fn page(desk: Desk, Query(mut filter): Query<Filter>) -> Result<Response, Refusal> {
    let day = |back: i64| {
        (desk.now - SignedDuration::from_hours(24 * back)).strftime("%Y-%m-%d").to_string()
    };
    let mut problem = None;
    let ask = |filter: &Filter| {
        let query = [("from", &*filter.from), ("to", &filter.to), ("channel", &filter.channel)];
        api::path("/v1/stats", &query)
    };
    if filter.from.is_empty() {
        filter.from = day(DAYS);
    }
    if filter.to.is_empty() {
        filter.to = day(0);
    }
    let path = ask(&filter);
    let (frame, found) = futures::join!(desk.frame("Statistics"), desk.api.get(&path));
    let stats: Statistics = match found {
        Ok(stats) => stats,
        Err(refused) if matches!(refused.status, 400 | 422) => {
            problem = Some(refused.detail);
            filter = Filter { from: day(DAYS), to: day(0), channel: String::new() };
            desk.api.get(&ask(&filter)).await?
        }
        Err(refused) => return Err(refused.into()),
    };
    Ok(page::ok(&StatisticsPage::of(frame?, filter, problem, stats)))
}

impl StatisticsPage {
    fn of(frame: Frame, filter: Filter, problem: Option<String>, stats: Statistics) -> Self {
        let days = days(&filter, &stats.by_day);
        let counts: Vec<_> = days
            .iter()
            .map(|(label, sums)| {
                let (good, bad) = sums.map_or((0, 0), |sums| (sums.delivered, sums.failed));
                (label.clone(), good as f64, bad as f64)
            })
            .collect();
        let costs: Vec<_> = days
            .iter()
            .map(|(label, sums)| (label.clone(), sums.map_or(0.0, Sums::amount), 0.0))
            .collect();
        let most = stats.by_error.iter().map(|e| e.count).max().unwrap_or(0);
        let error = |e: &ErrorCount| {
            (
                e.code.clone(),
                chart::bar(&[("bad", "failed", e.count), ("empty-bar", "", most - e.count)]),
            )
        };
        Self {
            rates: rates(&stats),
            delivery: chart::columns("Delivered and failed by day", &counts, ["good", "bad"]),
            cost: chart::columns("Cost by day", &costs, ["sent", "sent"]),
            errors: stats.by_error.iter().map(error).collect(),
            frame,
            filter,
            problem,
            stats,
        }
    }

    pub fn has_any(&self) -> bool {
        self.stats.total_sent + self.stats.total_failed + self.stats.total_pending > 0
    }
}

/// Each day asked for, in words, with its sums; in a long time only those that have any.
fn days<'a>(filter: &Filter, by_day: &'a [Day]) -> Vec<(String, Option<&'a Sums>)> {
    let date = |text: &str| text.parse::<Date>().ok();
    let words = |day: Date| day.strftime("%-d %b").to_string();
    let of_day = |day: Date| {
        let sums = by_day.iter().find(|d| date(&d.date) == Some(day)).map(|d| &d.sums);
        (words(day), sums)
    };
    match (date(&filter.from), date(&filter.to)) {
        (Some(from), Some(to)) if (to - from).get_days() < MOST_DAYS => from
            .series(jiff::Span::new().days(1))
            .take_while(|day| *day <= to)
            .map(of_day)
            .collect(),
        _ => by_day
            .iter()
            .map(|d| (date(&d.date).map_or_else(|| d.date.clone(), words), Some(&d.sums)))
            .collect(),
    }
}

fn rates(stats: &Statistics) -> Vec<Rate> {
    let rate = |name, share: Option<f64>, goal, is_good: fn(f64) -> bool| {
        let (class, icon) = match share {
            Some(share) if is_good(share) => ("good", "circle-check"),
            Some(_) => ("doubt", "triangle-alert"),
            None => ("off", "info"),
        };
        let value = share.map_or_else(|| "–".to_owned(), figures::percent);
        Rate { name, value, goal, class, icon }
    };
    vec![
        rate("Delivered", stats.delivery_rate, "above 95 % is good", |share| share > 0.95),
        rate("Answered", stats.reply_rate, "10 to 30 % is usual", |share| share >= 0.10),
        rate("Opted out", stats.opt_out_rate, "below 2 % is good", |share| share < 0.02),
    ]
}

#[cfg(test)]
impl Statistics {
    pub fn sample() -> Self {
        let text = crate::page::tests::HOSTILE;
        let money = || Money { amount: "1.50".to_owned(), currency: text.to_owned() };
        let sums = || Sums { sent: 5, delivered: 3, failed: 2, cost: money() };
        Self {
            total_sent: 5,
            total_delivered: 3,
            total_failed: 2,
            total_suppressed: 1,
            total_unknown: 1,
            total_pending: 1,
            total_replied: 1,
            total_opted_out: 1,
            delivery_rate: Some(0.6),
            reply_rate: None,
            opt_out_rate: Some(0.01),
            cost: money(),
            costs: vec![money()],
            by_day: vec![Day { date: text.to_owned(), sums: sums() }],
            by_month: BTreeMap::from([(text.to_owned(), sums())]),
            by_error: vec![ErrorCount { code: text.to_owned(), reason: text.to_owned(), count: 2 }],
        }
    }
}

#[cfg(test)]
impl StatisticsPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let filter = Filter { from: text(), to: text(), channel: text() };
        Self::of(Frame::sample(), filter, Some(text()), Statistics::sample())
    }
}
