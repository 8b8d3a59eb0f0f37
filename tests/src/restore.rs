//! A backup of the table, and a stack that is started on it.

use std::future::IntoFuture;

use carillon_local::options::People;
use carillon_local::{Options, Stack};
use carillon_store::schema;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{ADMIN_KEY, World};

impl World {
    /// Copies the table as it is now to one of another name, as a restore does.
    ///
    /// # Panics
    /// When an engine does not answer.
    pub async fn copy_table(&self, name: &str) {
        let client = self.stack.engines.dynamodb();
        schema::create_table(&client, name).await.expect("a table");
        let mut start = None;
        loop {
            let from = self.stack.ctx.store.table_name();
            let page = client.scan().table_name(from).set_exclusive_start_key(start);
            let page = page.send().await.expect("the table is read");
            for item in page.items() {
                let put = client.put_item().table_name(name).set_item(Some(item.clone()));
                put.send().await.expect("the copy is written");
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return;
            }
        }
    }

    /// The installation ends, and one on another table takes its place: with the
    /// same queues, key and address.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn move_to(&mut self, table: &str) {
        self.server.abort();
        while !self.server.is_finished() {
            tokio::task::yield_now().await;
        }
        let config = &self.stack.ctx.config;
        let options = Options {
            folder: None,
            clock: self.stack.ctx.clock.clone(),
            admin_key: ADMIN_KEY.to_owned(),
            public_url: self.url.clone(),
            console_url: self.url.clone(),
            people: People::Keys,
            provider_urls: config.provider_urls.clone(),
            mail_url: None,
            cors_origins: config.cors_origins.clone(),
            installation_account: config.installation_account.clone(),
            tuning: config.tuning,
        };
        let engines = self.stack.engines.clone();
        self.stack = Stack::on_table(engines, options, table).await.expect("the stack opens");
        let address = self.url.trim_start_matches("http://");
        let listener = TcpListener::bind(address).await.expect("the port is free again");
        let router = self.stack.router();
        self.server = tokio::spawn(async move {
            axum::serve(listener, router).into_future().await.expect("the server serves");
        });
    }

    /// What the installation says of its table.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn installation(&self) -> Value {
        self.get("/v1/installation").await.ok(200)
    }
}
