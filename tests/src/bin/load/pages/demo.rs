//! The organization whose pages are measured: that of `CARILLON_SEED=demo`, with its sequence run, a file sent and a
//! segment; and the addresses of all of its pages.

use anyhow::{Context as _, Result};
use carillon_console::routes;
use carillon_local::demo;
use carillon_runtime::config::Tuning;
use carillon_tests::browser::Browser;
use carillon_tests::{ADMIN_KEY, Setup, World, people};
use reqwest::Method;
use serde_json::json;

const ROWS: u32 = 1_000;
/// Who has a page open that is not signed in, or fetches a file.
const NO_PAGES: [&str; 6] = ["sign-in", "callback", "assets", "/export", "/rejected", "/download"];
/// Lists as they are looked at besides.
const MORE: [&str; 4] = [
    "/console/messages?status=failed",
    "/console/messages?q=welcome",
    "/console/contacts?q=ada",
    "/console/opt-outs?to=%2B61491570006",
];

pub struct Demo {
    pub world: World,
    import: String,
}

impl Demo {
    pub async fn furnished() -> Result<Self> {
        let world = World::with(Setup { tuning: Tuning::default(), ..Setup::default() }).await;
        demo::seed(world.stack.router(), ADMIN_KEY.to_owned(), world.now()).await?;
        world.settle().await;
        let workshops = world.get("/v1/workshops").await.ok(200);
        let id = workshops["data"][0]["id"].as_str().context("the demo has a workshop")?;
        let run = format!("/v1/workshops/{id}/run-sequence");
        let _ = world.post(&run, &json!({"channel": "sms"})).await.ok(202);
        let rows: String = (0..ROWS).map(|n| format!("{},Ada {n}\n", people::mobile(n))).collect();
        let file = format!("to,name\n{rows}nobody,Bob\n");
        let import = world.import(file.as_bytes(), "Hi {{ name }}", &[]).await;
        let segment = json!({"name": "Leads", "rules": {"label": "lead"}});
        let _ = world.post("/v1/segments", &segment).await.ok(201);
        world.advance(4).await;
        Ok(Self { world, import })
    }

    /// Of every page in the console's table of routes; of those of one thing the first in its list.
    pub async fn addresses(&self, browser: &Browser) -> Result<Vec<String>> {
        let mut all: Vec<String> = MORE.map(str::to_owned).into();
        for (method, path) in routes::table() {
            if method != Method::GET || NO_PAGES.iter().any(|word| path.contains(word)) {
                continue;
            }
            all.push(match path.split_once("{id}") {
                None => path.to_owned(),
                Some((list, rest)) => format!("{}{rest}", self.first(browser, list).await?),
            });
        }
        all.sort();
        Ok(all)
    }

    /// The address of the first thing that a list leads to.
    async fn first(&self, browser: &Browser, list: &str) -> Result<String> {
        if list == "/console/imports/" {
            return Ok(format!("{list}{}", self.import));
        }
        let page = browser.open(list.trim_end_matches('/')).await.text;
        let link = format!("href=\"{list}");
        let mut links = page.split(&link).skip(1);
        let is_one = |id: &&str| id.contains('_') && !id.contains(['?', '/']);
        let id = links.find_map(|rest| rest.split('"').next().filter(is_one));
        let id = id.with_context(|| format!("{list} leads to nothing: the demo needs one"))?;
        Ok(format!("{list}{id}"))
    }
}
