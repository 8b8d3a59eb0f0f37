//! One suite over all providers. What a provider declares it can do is tested
//! with wire bodies of its own (`tests/data/<provider>.json`); what it does not
//! declare must be absent in the agreed way.

mod callbacks;
mod sample;

use carillon_domain::receipt::ReceiptKind;
use carillon_domain::{Failure, FailureReason};
use carillon_providers::{Content, Credentials, LookUp, Outcome, TestResult};
use sample::{Answer, Sample, samples};
use serde_json::{Value, json};

/// Each provider's data has at least one case that begins so.
const SEND_CASES: &[&str] = &[
    "accepted",
    "refused permanently",
    "refused for now",
    "wrong credentials",
    "an unknown code",
    "throttled",
    "a server error of its own",
    "a gateway's page",
    "a garbage success",
    "a success without an id",
    "half a success",
    "a redirect",
    "a number in the text",
    "a key in the text",
];
const LOOK_UP_CASES: &[&str] =
    &["found", "not found", "more pages", "unreadable", "wrong credentials", "throttled"];
const TEST_CASES: &[&str] = &["works", "wrong credentials", "a gateway's page", "unreadable"];

fn has_all<'a>(sample: &Sample, required: &[&str], cases: impl Iterator<Item = &'a str> + Clone) {
    for name in required {
        assert!(cases.clone().any(|c| c.starts_with(name)), "{:?} lacks {name}", sample.provider);
    }
}

fn named<'a>(sample: &Sample, cases: &'a [Answer]) -> impl Iterator<Item = (String, &'a Answer)> {
    let provider = sample.provider.as_str();
    cases.iter().map(move |case| (format!("{provider}: {}", case.case), case))
}

fn failure_json(failure: &Failure) -> Value {
    json!({ "code": failure.code, "reason": failure.reason, "permanent": failure.permanent })
}

#[test]
fn answers_to_a_send_mean_what_the_provider_says() {
    for sample in samples() {
        has_all(&sample, SEND_CASES, sample.send.iter().map(|c| c.case.as_str()));
        for (name, case) in named(&sample, &sample.send) {
            let answer = case.http();
            let reply = sample.provider().read_send(&answer);
            let meant = match &reply.outcome {
                Outcome::Accepted { provider_message_id } => {
                    assert_eq!(reply.note.id.as_ref(), Some(provider_message_id), "{name}");
                    json!({ "outcome": "accepted", "id": provider_message_id })
                }
                Outcome::Refused { failure, retry_after } => {
                    assert_eq!(reply.note.code.as_ref(), Some(&failure.code), "{name}");
                    let mut meant = failure_json(failure);
                    meant["outcome"] = "refused".into();
                    meant["retry_after"] = json!(retry_after);
                    meant
                }
                Outcome::Unclear { detail } => {
                    assert!(!detail.is_empty(), "{name}");
                    json!({ "outcome": "unclear" })
                }
            };
            assert_eq!(meant, case.expect, "{name}");
            assert_eq!(reply.note.http_status, Some(answer.status), "{name}");
        }
    }
}

#[test]
fn kept_texts_hold_no_number_and_no_secret_and_are_short() {
    for sample in samples() {
        let digits = &sample.number[sample.number.len() - 10..];
        let clean = |name: &str, text: &str| {
            assert!(text.chars().count() <= 120, "{name}: {text}");
            let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            assert!(!plain.contains(digits), "{name}: {text}");
            assert!(sample.secrets().all(|s| !plain.contains(s)), "{name}: {text}");
        };
        for (name, case) in named(&sample, &sample.send) {
            let reply = sample.provider().read_send(&case.http());
            clean(&name, reply.note.text.as_deref().unwrap_or_default());
            match reply.outcome {
                Outcome::Refused { failure, .. } => clean(&name, &failure.detail),
                Outcome::Unclear { detail } => clean(&name, &detail),
                Outcome::Accepted { .. } => {}
            }
        }
    }
}

#[test]
fn secrets_are_in_no_debug_output_and_in_no_address() {
    for sample in samples() {
        let account = sample.account();
        let request = sample.provider().send_request(&account, &sample.outgoing());
        let request = request.expect("a request");
        let mut texts = vec![
            format!("{account:?}"),
            format!("{:?}", account.credentials),
            format!("{request:?}"),
            request.url.clone(),
        ];
        let test = sample.provider().test_request(&account);
        texts.extend([format!("{test:?}"), test.url]);
        if let Some(look_ups) = &sample.look_up {
            let probe = look_ups.probe(sample.to());
            let look_up = sample.provider().look_up_request(&account, &probe).expect("a request");
            texts.extend([format!("{look_up:?}"), look_up.url]);
        }
        for text in texts {
            assert!(sample.secrets().all(|secret| !text.contains(secret)), "{text}");
        }
    }
}

#[test]
fn a_send_carries_the_number_the_text_and_our_ids() {
    for sample in samples() {
        let account = sample.account();
        assert!(sample.provider().serves(&sample.to()));
        let request = sample.provider().send_request(&account, &sample.outgoing());
        let request = request.expect("a request");
        assert!(request.url.starts_with(&account.base_url));
        assert!(request.headers.iter().any(|(name, _)| *name == "authorization"));
        let body = request.body.expect("a body").text;
        let message = sample.message().to_string();
        assert!(body.contains(&message) && body.contains(&sample.number[3..]), "{body}");
        assert!(body.replace('+', " ").contains("Doors open at 9."), "{body}");
    }
}

#[test]
fn nothing_is_sent_without_credentials_or_after_its_time() {
    for sample in samples() {
        let mut account = sample.account();
        let mut late = sample.outgoing();
        late.valid_for = Some(0);
        let failure = sample.provider().send_request(&account, &late).expect_err("too late");
        assert_eq!((failure.reason, failure.permanent), (FailureReason::Expired, true));
        account.credentials = Credentials::default();
        let failure = sample.provider().send_request(&account, &sample.outgoing());
        assert_eq!(failure.expect_err("no credentials").reason, FailureReason::Misconfigured);
    }
}

#[test]
fn registered_templates_and_media_go_where_they_are_declared() {
    for sample in samples() {
        let declared = sample.provider().capabilities();
        let mut account = sample.account();
        // As configured for texts the sample would refuse a template.
        account.settings.provider.remove("route");
        let mut message = sample.outgoing();
        message.content = Content::Registered {
            template_id: "112233".to_owned(),
            sender_id: Some("ABCDEF".to_owned()),
            values: vec!["Asha".to_owned(), "21 Nov".to_owned()],
        };
        let result = sample.provider().send_request(&account, &message);
        if declared.registered_templates {
            let body = result.expect("a request").body.expect("a body").text;
            assert!(["112233", "ABCDEF", "Asha", "21 Nov"].iter().all(|v| body.contains(v)));
        } else {
            let failure = result.expect_err("no such templates");
            assert_eq!(failure.reason, FailureReason::TemplateMismatch);
        }

        let mut message = sample.outgoing();
        message.media = vec!["https://files.example.org/a.png".to_owned()];
        let result = sample.provider().send_request(&sample.account(), &message);
        assert_eq!(result.is_ok(), declared.media, "{:?}", sample.provider);
    }
}

#[test]
fn the_samples_account_passes_its_check_and_stray_fields_do_not() {
    for sample in samples() {
        let (provider, account) = (sample.provider(), sample.account());
        assert_eq!(provider.check(&account.credentials, &account.settings), Ok(()));
        for field in sample.credentials.keys() {
            assert!(provider.credential_fields().contains(&field.as_str()), "{field}");
        }
        let mut stray = account.clone();
        stray.credentials.0.insert("pass_word".to_owned(), "x".into());
        stray.settings.provider.insert("colour".to_owned(), "red".to_owned());
        let wrong = provider.check(&stray.credentials, &stray.settings).expect_err("stray fields");
        let wrong: Vec<_> = wrong.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(wrong, ["credentials.pass_word", "settings.colour"]);
        let none = provider.check(&Credentials::default(), &account.settings);
        assert!(
            none.expect_err("nothing given").iter().all(|f| f.field.starts_with("credentials."))
        );
    }
}

#[test]
fn a_lost_message_is_found_and_not_found_is_said_only_when_certain() {
    for sample in samples() {
        let provider = sample.provider();
        assert_eq!(provider.capabilities().look_up, sample.look_up.is_some());
        let Some(look_ups) = &sample.look_up else {
            let probe = carillon_providers::Probe {
                to: sample.to(),
                body: String::new(),
                since: jiff::Timestamp::UNIX_EPOCH,
            };
            assert!(provider.look_up_request(&sample.account(), &probe).is_none());
            continue;
        };
        has_all(&sample, LOOK_UP_CASES, look_ups.cases.iter().map(|c| c.case.as_str()));
        let probe = look_ups.probe(sample.to());
        for (name, case) in named(&sample, &look_ups.cases) {
            let meant = match provider.read_look_up(&case.http(), &probe) {
                LookUp::Failed(failure) => json!({ "failed": failure.code }),
                LookUp::Read(found) => {
                    let ids: Vec<_> = found.iter().map(|c| &c.provider_message_id).collect();
                    let mut meant = json!({ "found": ids });
                    if let Some(first) = found.first() {
                        meant["kind"] = kind(&first.kind).into();
                    }
                    meant
                }
            };
            assert_eq!(meant, case.expect, "{name}");
        }
    }
}

#[test]
fn a_test_tells_the_balance_or_what_is_wrong() {
    for sample in samples() {
        has_all(&sample, TEST_CASES, sample.test.iter().map(|c| c.case.as_str()));
        for (name, case) in named(&sample, &sample.test) {
            let meant = match sample.provider().read_test(&case.http()) {
                TestResult::Works { balance } => json!(balance),
                TestResult::Fails(f) => json!({ "failed": f.code, "reason": f.reason }),
            };
            assert_eq!(meant, case.expect, "{name}");
        }
    }
}

pub fn kind(kind: &ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::InProgress => "in_progress",
        ReceiptKind::Sent => "sent",
        ReceiptKind::Delivered => "delivered",
        ReceiptKind::Read => "read",
        ReceiptKind::Failed(_) => "failed",
    }
}
