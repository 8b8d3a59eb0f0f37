use serde_json::{Value, json};

use super::*;
use crate::{ContactId, OrgId, PhoneNumber};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn ada() -> Contact {
    let org = OrgId::from_bytes([1; 10]);
    let mut c = Contact::new(ContactId::from_bytes([2; 10]), org, "", at("2026-11-10T00:00:00Z"));
    c.name = Some("Zoë Lovelace".to_owned());
    c.phone = PhoneNumber::parse("+61491570006", None).ok();
    c.email = Some("ada@example.com".to_owned());
    c.status = Some("Lead".to_owned());
    c.score = Some(7);
    c.labels = vec!["VIP".to_owned()];
    for (name, value) in [
        ("city", Attribute::Text("São Paulo".to_owned())),
        ("seats", Attribute::Text("12".to_owned())),
        ("paid", Attribute::Flag(true)),
        ("since", Attribute::Text("2026-10-01".to_owned())),
    ] {
        c.attributes.insert(name.to_owned(), value);
    }
    c
}

fn facts() -> Facts {
    Facts {
        received: vec![
            (Some(("reminder".to_owned(), "tpl_1".to_owned())), at("2026-11-12T00:00:00Z")),
            (None, at("2026-11-20T00:00:00Z")),
        ],
        replied: vec![at("2026-11-13T00:00:00Z")],
        registered: BTreeSet::from([WorkshopId::from_bytes([9; 10])]),
    }
}

#[test]
fn rules_hold_for_what_is_known() {
    let workshop = WorkshopId::from_bytes([9; 10]);
    let other = WorkshopId::from_bytes([8; 10]);
    for (rules, holds) in [
        (json!({"field": "status", "is": "lead"}), true),
        (json!({"field": "status", "is": "client"}), false),
        (json!({"field": "name", "contains": "zoe lov"}), true),
        (json!({"field": "first_name", "is": "ZOE"}), true),
        (json!({"field": "email", "contains": "@example.com"}), true),
        (json!({"field": "phone", "contains": "+6149"}), true),
        (json!({"field": "score", "is": 7}), true),
        (json!({"field": "score", "above": 7}), false),
        (json!({"field": "score", "below": 7.5}), true),
        (json!({"field": "time_zone", "exists": true}), false),
        (json!({"field": "time_zone", "is": "UTC"}), false),
        (json!({"not": {"field": "time_zone", "is": "UTC"}}), true),
        (json!({"field": "attributes.city", "is": "sao paulo"}), true),
        (json!({"field": "attributes.seats", "above": 10}), true),
        (json!({"field": "attributes.seats", "is": 12}), true),
        (json!({"field": "attributes.paid", "is": true}), true),
        (json!({"field": "attributes.gone", "exists": false}), true),
        (json!({"field": "attributes.since", "before": "2026-10-02T00:00:00Z"}), true),
        (json!({"field": "attributes.city", "after": "2020-01-01T00:00:00Z"}), false),
        (json!({"field": "created_at", "after": "2026-11-10T00:00:00Z"}), true),
        (json!({"field": "created_at", "before": "2026-11-10T00:00:00Z"}), false),
        (
            json!({"field": "created_at", "after": "2026-11-09T00:00:00Z",
                "before": "2026-11-11T00:00:00Z"}),
            true,
        ),
        (json!({"label": "vip"}), true),
        (json!({"received": {}}), true),
        (json!({"received": {"template": "reminder"}}), true),
        (json!({"received": {"template": "tpl_1"}}), true),
        (json!({"received": {"template": "reminder", "after": "2026-11-15T00:00:00Z"}}), false),
        (json!({"received": {"after": "2026-11-15T00:00:00Z"}}), true),
        (json!({"replied": {"before": "2026-11-13T00:00:00Z"}}), false),
        (json!({"replied": {}}), true),
        (json!({"registered": {}}), true),
        (json!({"registered": {"workshop_id": workshop}}), true),
        (json!({"registered": {"workshop_id": other}}), false),
        (json!({"and": [{"label": "vip"}, {"field": "score", "above": 10}]}), false),
        (json!({"or": [{"label": "nope"}, {"field": "score", "above": 5}]}), true),
    ] {
        let rule = read(&rules).unwrap_or_else(|e| panic!("{rules}: {e:?}"));
        assert_eq!(rule.holds(&ada(), &facts()), holds, "{rules}");
    }
}

#[test]
fn what_is_wrong_with_rules_has_its_place() {
    let mut deep = json!({"label": "a"});
    for _ in 0..7 {
        deep = json!({"not": deep});
    }
    let many =
        json!({"or": (0..60).map(|n| json!({"label": format!("l{n}")})).collect::<Vec<_>>()});
    for (rules, place) in [
        (json!([]), "rules"),
        (json!({}), "rules"),
        (json!({"and": []}), "rules.and"),
        (json!({"and": [{"label": "a"}, 1]}), "rules.and[1]"),
        (json!({"label": "a", "or": []}), "rules"),
        (json!({"colour": "red"}), "rules.colour"),
        (json!({"label": "-"}), "rules.label"),
        (json!({"label": 1}), "rules.label"),
        (json!({"field": "colour", "is": "red"}), "rules.field"),
        (json!({"field": "attributes.first name", "is": "red"}), "rules.field"),
        (json!({"field": "name"}), "rules"),
        (json!({"field": "name", "is": "a", "contains": "b"}), "rules"),
        (json!({"field": "name", "like": "a"}), "rules.like"),
        (json!({"field": "name", "is": ["a"]}), "rules.is"),
        (json!({"field": "name", "contains": ""}), "rules.contains"),
        (json!({"field": "score", "above": "7"}), "rules.above"),
        (json!({"field": "created_at", "after": "yesterday"}), "rules.after"),
        (json!({"not": {"received": {"since": "x"}}}), "rules.not.received.since"),
        (json!({"replied": true}), "rules.replied"),
        (json!({"registered": {"workshop_id": "x"}}), "rules.registered.workshop_id"),
        (deep, "rules.not.not.not.not.not.not"),
        (many, "rules.or[49]"),
    ] {
        let found = read(&rules).expect_err("refused");
        assert_eq!(found.place, place, "{rules}");
        assert!(found.detail.ends_with('.'), "{found:?}");
    }
}

#[test]
fn only_what_rules_need_is_looked_up() {
    let needs = |rules: Value| read(&rules).expect("rules").needs();
    assert_eq!(needs(json!({"label": "a"})), Needs::default());
    let both = json!({"and": [{"not": {"replied": {}}}, {"registered": {}}]});
    assert_eq!(needs(both), Needs { messages: true, registrations: true });
    let narrow = read(&json!({"and": [{"replied": {}}, {"label": "a"}]})).expect("rules");
    assert_eq!(narrow.label(), Some("a"));
    let wide = read(&json!({"or": [{"replied": {}}, {"label": "a"}]})).expect("rules");
    assert_eq!(wide.label(), None);
}
