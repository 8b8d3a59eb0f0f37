//! What happens to a stage from outside of all steps: what no function does, and
//! so no fault can strike.

use aws_sdk_dynamodb::types::AttributeValue;
use carillon_domain::PackId;
use carillon_local::stack::TABLE;
use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM};
use carillon_store::keys;
use carillon_tests::people::mobile;

use crate::invariants::text;
use crate::quiet;
use crate::stage::Stage;

impl Stage {
    /// From now on the table is not the one that its rows were written for.
    pub async fn restore(&self) {
        let id = self.stack.ctx.table_id.as_deref().expect("the local stack knows it");
        let key = keys::table_mark();
        let mut rows = quiet::rows(self).await.into_iter();
        let mut mark = rows
            .find(|row| text(row, "pk") == key.pk && text(row, "sk") == key.sk)
            .expect("the first start marks the table");
        let mut found = false;
        for value in mark.values_mut() {
            if value.as_s().is_ok_and(|text| text == id) {
                *value = AttributeValue::S("the-original".to_owned());
                found = true;
            }
        }
        assert!(found, "the mark has the table's id");
        let put = self.reader().put_item().table_name(TABLE).set_item(Some(mark));
        put.send().await.expect("the engine answers");
    }

    /// The table that this one is a copy of has sent this message.
    pub async fn original_sent(&self, id: &str, person: u32) {
        let (to, account) = (mobile(person), DEFAULT_ACCOUNT_SID);
        let callback = format!("{}/webhooks/twilio/status?m={id}&a=1", self.theatre.url);
        let fields = [
            ("To", to.as_str()),
            ("From", DEFAULT_FROM),
            ("Body", "Hi"),
            ("StatusCallback", callback.as_str()),
        ];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let url = self.theatre.simulator.url();
        let url = format!("{url}/2010-04-01/Accounts/{account}/Messages.json");
        let request = self.theatre.http.post(url).basic_auth(account, Some(DEFAULT_AUTH_TOKEN));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(body).send().await.expect("the simulator answers");
        assert_eq!(answer.status().as_u16(), 201);
    }

    /// Whatever packs wait have had all their runs.
    pub async fn give_up(&self) {
        let (store, org) = (&self.stack.ctx.store, self.stack.org);
        for row in quiet::rows(self).await.iter().filter(|row| text(row, "sk") == "k") {
            let id = text(row, "pk").rsplit('/').next().unwrap_or_default();
            let id = PackId::from_key(id).expect("a pack's id");
            let pack = store.pack(org, id).await.expect("the table answers").expect("a pack");
            let now = self.stack.ctx.clock.now();
            store.give_up_pack(&pack, "a story", now, "token").await.expect("the table answers");
        }
    }
}
