//! Stories of files of people: one makes contacts, and one registers them for a
//! workshop whose sequence is running.
//!
//! Pages of five rows. In the first file somebody stands twice on one page and
//! somebody on two, each time with something new the second time; one row is of
//! a contact that is there, one says nothing new, one is refused.

use carillon_domain::{Contact, ContactId, PhoneNumber};
use carillon_tests::people::mobile;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::person::{Known, Promise, RowCounts};
use crate::stage::Stage;
use crate::workshop::{LATE, texts, workshop_id};

fn known(name: &str, phone: Option<u32>, email: Option<&str>, city: Option<&str>) -> Known {
    let own = |text: Option<&str>| text.map(str::to_owned);
    Known {
        name: Some(name.to_owned()),
        phone: phone.map(mobile),
        email: own(email),
        city: own(city),
    }
}

impl Stage {
    /// Outside of any step.
    async fn is_there(&self, n: u32, name: &str) {
        let (org, now) = (self.stack.org, self.stack.ctx.clock.now());
        let id = ContactId::from_hash(&[b"there", &n.to_be_bytes()]);
        let mut contact = Contact::new(id, org, "crash", now);
        contact.name = Some(name.to_owned());
        contact.phone = PhoneNumber::parse(&mobile(n), None).ok();
        let secret = self.stack.ctx.address_secret().await.expect("a secret");
        let saved =
            self.stack.ctx.store.save_contact(&secret, None, &mut contact, &n.to_string()).await;
        saved.expect("the table answers");
    }
}

pub fn imported(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.is_there(3, "Old").await;
        s.is_there(6, "Fay").await;
        let csv = [
            "name,phone,email,city".to_owned(),
            format!("Ada,{},ada@example.com,Sydney", mobile(1)),
            format!("Bob,{},,Sydney", mobile(2)),
            format!("Cyd,{},,Perth", mobile(3)),
            "Dan,12,,".to_owned(),
            format!("Bob,{},,Perth", mobile(2)),
            // The second page.
            format!("Ada,{},,Hobart", mobile(1)),
            "Eve,,eve@example.com,".to_owned(),
            format!("Fay,{},,", mobile(6)),
            "Gus,,,Cairns".to_owned(),
            format!("Hal,{},,", mobile(8)),
            // The third.
            format!("Ida,{},,", mobile(9)),
        ];
        if let Some(id) = s.people(&(csv.join("\n") + "\n"), &[]).await {
            let contacts = vec![
                known("Ada", Some(1), Some("ada@example.com"), Some("Hobart")),
                known("Bob", Some(2), None, Some("Perth")),
                known("Cyd", Some(3), None, Some("Perth")),
                known("Eve", None, Some("eve@example.com"), None),
                known("Fay", Some(6), None, None),
                known("Gus", None, None, Some("Cairns")),
                known("Hal", Some(8), None, None),
                known("Ida", Some(9), None, None),
            ];
            let counts =
                RowCounts { created: 6, updated: 1, unchanged: 1, duplicates: 2, rejected: 1 };
            s.promise(Promise::People { id, contacts, counts });
        }
        s.minutes(1).await;
    }
    .boxed()
}

/// One of them is a contact already, one stands in the file twice, one has no
/// number.
pub fn registered(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        let starts_at = s.workshop().await;
        let is_run = s.run().await.is_some();
        s.fire().await;
        let csv = [
            "name,phone,city".to_owned(),
            format!("Ann,{},", mobile(LATE)),
            format!("Bob,{},", mobile(6)),
            "Cyd,,".to_owned(),
            format!("Bob,{},Perth", mobile(6)),
            format!("Dan,{},", mobile(7)),
            format!("Eve,{},", mobile(8)),
        ];
        let workshop = workshop_id().to_string();
        let id = s.people(&(csv.join("\n") + "\n"), &[("workshop_id", &workshop)]).await;
        if let Some(id) = id {
            let mut contacts: Vec<Known> =
                [1, 2, 3, LATE].map(|n| known("Ann", Some(n), None, None)).into();
            contacts.extend([
                known("Ann", None, None, None),
                known("Bob", Some(6), None, Some("Perth")),
                known("Cyd", None, None, None),
                known("Dan", Some(7), None, None),
                known("Eve", Some(8), None, None),
            ]);
            let counts =
                RowCounts { created: 4, unchanged: 1, duplicates: 1, ..RowCounts::default() };
            s.promise(Promise::People { id, contacts, counts });
            if is_run {
                s.gets(&[1, 2, 3, LATE, 6, 7, 8], &texts(starts_at));
            }
        }
        s.minutes(2).await;
    }
    .boxed()
}
