//! What people call a CSV file.

use carillon_tests::people::mobile;
use carillon_tests::{World, shows};
use serde_json::json;

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

#[tokio::test]
async fn a_file_is_read_in_whatever_a_spreadsheet_saves() {
    let world = World::start().await;
    let number = mobile(1);
    let plain = format!("phone,name\n{number},Zoë\n");
    let marked = format!("\u{feff}{plain}");
    let files: Vec<(&str, Vec<u8>, &str)> = vec![
        ("UTF-8", plain.clone().into_bytes(), "Zoë"),
        ("with a byte order mark", marked.clone().into_bytes(), "Zoë"),
        ("UTF-16, little end first", utf16(&marked, u16::to_le_bytes), "Zoë"),
        ("UTF-16, big end first", utf16(&marked, u16::to_be_bytes), "Zoë"),
        ("UTF-16 without a mark", utf16(&plain, u16::to_le_bytes), "Zoë"),
        ("Windows-1252", [b"phone,name\n", number.as_bytes(), b",Zo\xeb\n"].concat(), "Zoë"),
        ("semicolons", plain.replace(',', ";").into_bytes(), "Zoë"),
        ("tabs", plain.replace(',', "\t").into_bytes(), "Zoë"),
        ("lines of Windows", plain.replace('\n', "\r\n").into_bytes(), "Zoë"),
        ("lines of an old Mac", plain.replace('\n', "\r").into_bytes(), "Zoë"),
        ("no last line end", plain.trim_end().as_bytes().to_vec(), "Zoë"),
        (
            "quotation marks and separators in cells",
            format!("phone,name\n{number},\"Zoë \"\"Z\"\", of; Perth\"\n").into_bytes(),
            "Zoë \"Z\", of; Perth",
        ),
        (
            "a line end in a cell",
            format!("\"phone\",\"name\"\n\"{number}\",\"Zoë\nof Perth\"\n").into_bytes(),
            "Zoë\nof Perth",
        ),
        (
            "an apostrophe before the number, and empty columns",
            format!("phone,name,,\n'{number},Zoë,,\n\n,,,\n").into_bytes(),
            "Zoë",
        ),
        ("Excel's first line", format!("sep=;\r\nphone;name\r\n{number};Zoë\r\n").into(), "Zoë"),
    ];
    for (what, file, name) in files {
        let import = world.import(&file, "Hi {{ name }}", &[]).await;
        world.tick().await;
        let counts = json!({"status": "completed", "rows": 1, "accepted": 1, "rejected": 0});
        shows(&world.import_of(&import).await, &counts);
        let received = world.received().await.pop().expect("it was sent");
        assert_eq!((received.body, received.to), (format!("Hi {name}"), mobile(1)), "{what}");
        world.advance(1).await;
    }
}

#[tokio::test]
async fn lines_are_counted_as_an_editor_shows_them() {
    let world = World::start().await;
    let file = format!(
        "\nphone,note\n{},\"two\nlines\"\n\nbad,x\n,\n{},y\nworse,z\n",
        mobile(1),
        mobile(2)
    );
    let import = world.import(file.as_bytes(), "{{ note }}", &[]).await;
    world.tick().await;
    shows(&world.import_of(&import).await, &json!({"rows": 4, "accepted": 2, "rejected": 2}));
    let report = world.get(&format!("/v1/imports/{import}/rejected")).await.text;
    let lines: Vec<_> = report.lines().skip(1).filter_map(|l| l.split(',').next()).collect();
    assert_eq!(lines, ["6", "9"], "{report}");
}

#[tokio::test]
async fn a_file_or_form_that_cannot_be_used_makes_nothing() {
    let world = World::start().await;
    let good = format!("phone,name\n{},Ada\n", mobile(1));
    let sms = ("channel", "sms");
    let body = ("body", "Hi {{ name }}");
    let past = ("scheduled_for", "2026-11-21T08:00:00Z");
    let far = ("scheduled_for", "2028-01-01T00:00:00Z");
    let file = Some("file");
    let mapping = Some("mapping");
    type Case<'a> = (&'a [u8], Vec<(&'a str, &'a str)>, &'a str, Option<&'a str>);
    let cases: Vec<Case<'_>> = vec![
        (b"", vec![sms, body], "empty_file", file),
        (b"\xef\xbb\xbf", vec![sms, body], "empty_file", file),
        (b"phone,name\n", vec![sms, body], "empty_file", file),
        (b"+61491570001,Ada\n+61491570002,Bob\n", vec![sms, body], "missing_header", file),
        (b"phone,,name\n1,2,3\n", vec![sms, body], "unnamed_column", file),
        (b"phone,Phone\n1,2\n", vec![sms, body], "duplicate_column", file),
        (b"PK\x03\x04\x14\0\x06\0", vec![sms, body], "not_csv", file),
        (b"phone,name\n1,\"a\n2,b\n", vec![sms, body], "not_csv", file),
        (b"phone,name\n1,Zo\xc3\xab\n2,\xc3\x89v\xff\n", vec![sms, body], "undecodable", file),
        (b"name,age\nAda,7\n", vec![sms, body], "mapping_without_to", mapping),
        (b"phone,mobile,name\n1,2,3\n", vec![sms, body], "mapping_twice", mapping),
        (b"phone,age\n1,2\n", vec![sms, body], "missing_variable", mapping),
        (good.as_bytes(), vec![sms, body, ("mapping", "[")], "malformed_mapping", mapping),
        (good.as_bytes(), vec![sms, body, ("mapping", "[1]")], "malformed_mapping", mapping),
        (
            good.as_bytes(),
            vec![sms, body, ("mapping", r#"{"Phone No":"to"}"#)],
            "mapping_unknown_column",
            mapping,
        ),
        (
            good.as_bytes(),
            vec![sms, body, ("mapping", r#"{"phone":"to","name":"9 lives"}"#)],
            "mapping_invalid_name",
            mapping,
        ),
        (
            good.as_bytes(),
            vec![sms, body, ("mapping", r#"{"name":"name"}"#)],
            "mapping_without_to",
            mapping,
        ),
        (good.as_bytes(), vec![body], "missing_field", Some("channel")),
        (good.as_bytes(), vec![("channel", "fax"), body], "unknown_channel", Some("channel")),
        (good.as_bytes(), vec![sms], "missing_field", Some("body")),
        (good.as_bytes(), vec![sms, ("body", "Hi {{ name")], "invalid_template", Some("body")),
        (good.as_bytes(), vec![sms, ("template", "none")], "unknown_template", Some("template")),
        (good.as_bytes(), vec![sms, body, past], "time_in_past", Some("scheduled_for")),
        (good.as_bytes(), vec![sms, body, far], "time_too_far", Some("scheduled_for")),
        (
            good.as_bytes(),
            vec![sms, body, ("default_country", "Atlantis")],
            "invalid_value",
            Some("default_country"),
        ),
        (good.as_bytes(), vec![sms, body, ("colour", "red")], "unknown_field", Some("colour")),
    ];
    for (file, fields, code, field) in cases {
        let refused = world.upload(file, &fields).await.problem();
        let expected = (422, code.to_owned(), field.map(str::to_owned));
        assert_eq!(refused, expected, "{fields:?} {}", String::from_utf8_lossy(file));
    }
    let no_form = world.post("/v1/messages/bulk", &json!({"file": good})).await.refusal();
    assert_eq!(no_form, (415, "unsupported_media_type".to_owned()));
    world.advance(1).await;
    assert!(world.list("").await.is_empty());
    assert!(world.received().await.is_empty());
}

#[tokio::test]
async fn a_file_over_4_mb_is_too_large() {
    let world = World::start().await;
    let fields = [("channel", "sms"), ("body", "Hi")];
    for size in [4 * 1024 * 1024 + 1, 4 * 1024 * 1024 + 200_000, 6 * 1024 * 1024] {
        let mut file = b"phone,note\n".to_vec();
        file.resize(size, b'x');
        let (status, code, _) = world.upload(&file, &fields).await.problem();
        assert_eq!(status, 413, "{size}");
        assert!(["file_too_large", "body_too_large"].contains(&code.as_str()), "{code}");
    }
    world.advance(1).await;
    assert!(world.list("").await.is_empty());
}
