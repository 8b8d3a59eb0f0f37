//! Callbacks: what they mean, and that forged ones are refused.

use carillon_providers::{CallbackEvent, CallbackTrust, Credentials};
use serde_json::{Value, json};

use crate::sample::{CallbackCase, Sample, samples};
use crate::{failure_json, has_all, kind};

const RECEIPT_CASES: &[&str] = &[
    "delivered",
    "sent",
    "in progress",
    "failed",
    "an unknown status",
    "without our ids",
    "malformed: no status",
    "malformed: no id",
];

fn meant(sample: &Sample, event: &CallbackEvent) -> Value {
    match event {
        CallbackEvent::Ignored => json!({ "event": "ignored" }),
        CallbackEvent::Receipt(receipt) => {
            assert_eq!(receipt.provider, sample.provider);
            let mut meant = json!({});
            if let carillon_domain::receipt::ReceiptKind::Failed(failure) = &receipt.kind {
                meant = failure_json(failure);
                let digits = &sample.number[sample.number.len() - 10..];
                assert!(!failure.detail.contains(digits), "{}", failure.detail);
            }
            meant["event"] = "receipt".into();
            meant["kind"] = kind(&receipt.kind).into();
            meant["message"] = (receipt.message == Some(sample.message())).into();
            meant["attempt"] = json!(receipt.attempt);
            meant["id"] = json!(receipt.provider_message_id);
            meant
        }
        CallbackEvent::Inbound(inbound) => {
            assert_eq!(inbound.provider, sample.provider);
            json!({
                "event": "inbound", "id": inbound.provider_message_id, "from": inbound.from,
                "to": inbound.to, "body": inbound.body, "media": inbound.media,
                "keyword": inbound.keyword,
            })
        }
    }
}

#[test]
fn callbacks_mean_what_the_provider_says() {
    for sample in samples() {
        let cases = sample.callbacks.iter().map(|c| c.case.as_str());
        has_all(&sample, RECEIPT_CASES, cases.clone());
        let inbound = cases.clone().any(|c| c.starts_with("inbound"));
        assert_eq!(inbound, sample.provider().capabilities().inbound, "{:?}", sample.provider);
        for case in &sample.callbacks {
            let events = case.as_it_came(|callback| sample.provider().read_callback(callback));
            let events = events.ok().map(|e| e.iter().map(|e| meant(&sample, e)).collect());
            assert_eq!(events, case.expect, "{:?}: {}", sample.provider, case.case);
        }
    }
}

#[test]
fn a_genuine_callback_verifies() {
    for sample in samples() {
        let credentials = sample.account().credentials;
        for case in &sample.callbacks {
            let verdict = case.as_it_came(|c| sample.provider().verify(&credentials, c));
            assert_eq!(verdict, Ok(()), "{:?}: {}", sample.provider, case.case);
        }
    }
}

/// The ways a callback is forged: (url, body, signature).
fn forgeries(case: &CallbackCase) -> Vec<(String, String, Option<String>)> {
    let (url, body, signature) = (case.url.clone(), case.body(), case.signature.clone());
    let genuine = signature.clone().unwrap_or_default();
    vec![
        (url.clone(), body.clone(), None),
        (url.clone(), body.clone(), Some(String::new())),
        (url.clone(), body.clone(), Some(genuine.to_lowercase())),
        (url.clone(), body.clone(), Some(format!("{genuine}="))),
        (url.clone(), format!("{body}&Extra=1"), signature.clone()),
        (url.clone(), body.replace("AC0123", "AC9123"), signature.clone()),
        (url.replace("https://", "http://"), body.clone(), signature.clone()),
        (url.replace("hooks.example.org", "hooks.example.com"), body.clone(), signature.clone()),
        (format!("{url}/"), body, signature),
    ]
}

#[test]
fn a_forged_callback_is_refused_where_callbacks_are_signed() {
    for sample in samples() {
        let provider = sample.provider();
        let credentials = sample.account().credentials;
        match provider.capabilities().callback_trust {
            CallbackTrust::Signature => {
                for case in &sample.callbacks {
                    for (n, (url, body, signature)) in forgeries(case).iter().enumerate() {
                        let verdict = case.with(url, body, signature.as_deref(), |callback| {
                            provider.verify(&credentials, callback)
                        });
                        assert!(verdict.is_err(), "{}: forgery {n}", case.case);
                    }
                    let mut others = credentials.clone();
                    others.0.insert("auth_token".to_owned(), "another".into());
                    for wrong in [others, Credentials::default()] {
                        let verdict = case.as_it_came(|c| provider.verify(&wrong, c));
                        assert!(verdict.is_err(), "{}", case.case);
                    }
                }
            }
            // The token in the path is the receiver's to compare.
            CallbackTrust::PathToken => {
                assert!(sample.callbacks.iter().all(|c| c.signature.is_none()));
            }
        }
    }
}

#[test]
fn a_signed_callback_names_its_account_and_our_address() {
    for sample in samples() {
        for case in &sample.callbacks {
            let named = case.as_it_came(|c| sample.provider().callback_account(c));
            let signed =
                sample.provider().capabilities().callback_trust == CallbackTrust::Signature;
            let Some(named) = named else {
                assert!(!signed || case.case.starts_with("malformed"), "{}", case.case);
                continue;
            };
            assert!(signed, "{}", case.case);
            assert_eq!(Some(&named.account), sample.credentials.get("account_sid"));
            let ours = &sample.settings["from"];
            let plain = named.addresses.first().map(|a| a.trim_start_matches("whatsapp:"));
            assert!(plain.is_none_or(|a| a == ours), "{}", case.case);
        }
    }
}
