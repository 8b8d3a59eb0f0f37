//! Our requests against Twilio's own OpenAPI document (an excerpt of it; see
//! `tests/data/twilio-openapi/README.md`).

use std::collections::BTreeMap;

use carillon_domain::segments::Encoding;
use carillon_domain::{MessageId, PhoneNumber};
use jiff::Timestamp;
use serde_json::Value;

use super::answer::MessageDocument;
use super::*;
use crate::contract::{Content, Method};

const SPEC: &str = include_str!("../../tests/data/twilio-openapi/messages-and-balance.json");
const HEX: &str = "0123456789abcdef0123456789abcdef";

fn spec() -> Value {
    serde_json::from_str(SPEC).expect("the specification is JSON")
}

fn account(sender: (&str, &str)) -> Account {
    let map = |pairs: &[(&str, String)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect::<BTreeMap<_, _>>()
    };
    let credentials = Credentials::from_iter([
        ("account_sid", format!("AC{HEX}")),
        ("auth_token", "s3cret".to_owned()),
    ]);
    let settings = IntegrationSettings {
        provider: map(&[(sender.0, sender.1.to_owned())]),
        ..Default::default()
    };
    assert_eq!(Twilio.check(&credentials, &settings), Ok(()));
    Account { base_url: Twilio.default_base_url().to_owned(), credentials, settings }
}

fn to() -> PhoneNumber {
    PhoneNumber::parse("+14155552671", None).expect("a number")
}

fn outgoing() -> Outgoing {
    Outgoing {
        message: MessageId::from_bytes([7; 26]),
        attempt: 1,
        to: to(),
        content: Content::Text("Hello! 👍 & more".to_owned()),
        encoding: Encoding::Ucs2,
        flash: false,
        media: vec![
            "https://files.example.org/a.png".into(),
            "https://files.example.org/b.png".into(),
        ],
        status_callback: Some("https://hooks.example.org/webhooks/twilio/status?m=x&a=1".into()),
        valid_for: Some(99_999),
    }
}

fn probe() -> Probe {
    Probe { to: to(), body: "Hello".to_owned(), since: Timestamp::UNIX_EPOCH }
}

fn resolve<'a>(spec: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => spec.pointer(&name[1..]).expect("the schema exists"),
        None => schema,
    }
}

/// A value of a form or a query, as its schema says; `patterns` are those of
/// SIDs (`^AC[0-9a-fA-F]{32}$`).
fn conforms(schema: &Value, text: &str) {
    let number = |key: &str| schema[key].as_i64();
    match schema["type"].as_str().expect("a type") {
        "integer" => {
            let value: i64 = text.parse().expect("an integer");
            assert!(number("minimum").is_none_or(|min| value >= min), "{text}");
            assert!(number("maximum").is_none_or(|max| value <= max), "{text}");
        }
        "string" => {
            let length = i64::try_from(text.chars().count()).expect("a short text");
            assert!(number("minLength").is_none_or(|min| length >= min), "{text}");
            assert!(number("maxLength").is_none_or(|max| length <= max), "{text}");
            if let Some(pattern) = schema["pattern"].as_str() {
                let prefix = &pattern[1..3];
                assert_eq!(pattern, format!("^{prefix}[0-9a-fA-F]{{32}}$"));
                let hex = text.strip_prefix(prefix).expect(prefix);
                assert!(hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{text}");
            }
            if schema["format"] == "uri" {
                assert!(url::Url::parse(text).is_ok(), "{text}");
            }
        }
        other => panic!("no value of type {other} is sent"),
    }
}

/// The operation of a request, after its path, method and authorization were
/// found as the document says. Answers the decoded query too.
fn operation<'a>(spec: &'a Value, request: &HttpRequest) -> (&'a Value, Vec<(String, String)>) {
    let server = spec["servers"][0]["url"].as_str().expect("a server");
    let rest = request.url.strip_prefix(server).expect("the documented server");
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let sid = path.split('/').nth(3).expect("the account in the path");
    let template = path.replace(sid, "{AccountSid}");
    let method = match request.method {
        Method::Get => "get",
        Method::Post => "post",
    };
    let operation = &spec["paths"][&template][method];
    assert!(operation.is_object(), "{method} {template}");
    let parameters = operation["parameters"].as_array().expect("parameters");
    let in_path = parameters.iter().find(|p| p["in"] == "path").expect("a path parameter");
    conforms(&in_path["schema"], sid);

    let scheme = operation["security"][0].as_object().and_then(|s| s.keys().next());
    let scheme = &spec["components"]["securitySchemes"][scheme.expect("a scheme")];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&"http".into(), &"basic".into()));
    let authorization = request.headers.iter().find(|(name, _)| *name == "authorization");
    assert!(authorization.is_some_and(|(_, value)| value.reveal().starts_with("Basic ")));
    (operation, form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

#[test]
fn a_send_is_what_the_specification_describes() {
    let spec = spec();
    let number = ("from", "+15017122661");
    let service = ("messaging_service_sid", "MG0123456789abcdef0123456789abcdef");
    for (sender, fields) in [
        (number, ["Body", "From", "MediaUrl", "StatusCallback", "To", "ValidityPeriod"]),
        (
            service,
            ["Body", "MediaUrl", "MessagingServiceSid", "StatusCallback", "To", "ValidityPeriod"],
        ),
    ] {
        let request = Twilio.send_request(&account(sender), &outgoing()).expect("a request");
        let (operation, query) = operation(&spec, &request);
        assert_eq!(operation["operationId"], "CreateMessage");
        assert!(query.is_empty());

        let body = request.body.expect("a body");
        let schema = &operation["requestBody"]["content"][body.content_type]["schema"];
        let mut form: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body.text.as_bytes()).into_owned() {
            form.entry(name).or_default().push(value);
        }
        for (name, values) in &form {
            let field = resolve(&spec, &schema["properties"][name]);
            assert!(field.is_object(), "the specification has no field {name}");
            let one = if field["type"] == "array" { &field["items"] } else { field };
            assert!(values.len() == 1 || field["type"] == "array", "{name} is repeated");
            values.iter().for_each(|value| conforms(one, value));
        }
        for required in schema["required"].as_array().expect("required fields") {
            assert!(form.contains_key(required.as_str().expect("a name")));
        }
        assert!(form.keys().eq(fields), "{:?}", form.keys());
        assert_eq!(form["To"], [to().as_str()]);
        assert_eq!(form["Body"], ["Hello! 👍 & more"]);
        assert_eq!(form["MediaUrl"].len(), 2);
        assert_eq!(form["ValidityPeriod"], ["36000"]);
    }
}

#[test]
fn a_look_up_is_what_the_specification_describes() {
    let spec = spec();
    let request = Twilio.look_up_request(&account(("from", "+15017122661")), &probe());
    let (operation, query) = operation(&spec, &request.expect("a request"));
    assert_eq!(operation["operationId"], "ListMessage");
    let parameters = operation["parameters"].as_array().expect("parameters");
    for (name, value) in &query {
        let parameter = parameters.iter().find(|p| p["in"] == "query" && p["name"] == **name);
        conforms(&parameter.expect(name)["schema"], value);
    }
    let expected = [("To", to().as_str().to_owned()), ("PageSize", "1000".to_owned())];
    assert_eq!(query, expected.map(|(k, v)| (k.to_owned(), v)));
}

#[test]
fn a_test_is_what_the_specification_describes() {
    let spec = spec();
    let request = Twilio.test_request(&account(("from", "+15017122661")));
    let (operation, query) = operation(&spec, &request);
    assert_eq!(operation["operationId"], "FetchBalance");
    assert!(query.is_empty() && request.body.is_none());
}

/// Whole answers of the specification's examples.
fn examples(spec: &Value, path: &str, method: &str, status: u16) -> Vec<HttpAnswer> {
    let response = &spec["paths"][path][method]["responses"][status.to_string()];
    let examples = response["content"]["application/json"]["examples"].as_object();
    examples
        .expect("examples")
        .values()
        .map(|e| HttpAnswer { status, retry_after: None, body: e["value"].to_string() })
        .collect()
}

#[test]
fn the_examples_of_the_specification_are_read() {
    let spec = spec();
    let messages = "/2010-04-01/Accounts/{AccountSid}/Messages.json";
    let created = examples(&spec, messages, "post", 201);
    assert_eq!(created.len(), 2);
    for answer in created {
        let expected = "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned();
        let outcome = crate::contract::Outcome::Accepted { provider_message_id: expected };
        assert_eq!(Twilio.read_send(&answer).outcome, outcome);
    }
    let mut probe = probe();
    probe.to = PhoneNumber::parse("+18182008801", None).expect("a number");
    probe.body = "testing".to_owned();
    let lists = examples(&spec, messages, "get", 200);
    let found = |answer: &HttpAnswer| match Twilio.read_look_up(answer, &probe) {
        LookUp::Read(found) => found.into_iter().map(|c| c.provider_message_id).collect::<Vec<_>>(),
        LookUp::Failed(failure) => panic!("{failure:?}"),
    };
    let both: Vec<_> = lists.iter().flat_map(found).collect();
    assert_eq!(both, ["SMded05904ccb347238880ca9264e8fe1c"]);

    let balance = "/2010-04-01/Accounts/{AccountSid}/Balance.json";
    for answer in examples(&spec, balance, "get", 200) {
        let TestResult::Works { balance: Some(money) } = Twilio.read_test(&answer) else {
            panic!("the balance is read");
        };
        assert_eq!((money.amount.as_str(), money.currency.as_str()), ("0.05", "USD"));
    }
}

#[test]
fn every_status_of_the_specification_is_known() {
    let spec = spec();
    let statuses = spec["components"]["schemas"]["message_enum_status"]["enum"].as_array();
    for status in statuses.expect("statuses") {
        let status = status.as_str().expect("a text");
        let inbound = matches!(status, "receiving" | "received");
        let document: MessageDocument =
            serde_json::from_value(serde_json::json!({ "status": status })).expect("a message");
        assert_eq!(document.kind().is_none(), inbound, "{status}");
    }
}
