use serde_json::{from_value, json};

use super::*;
use crate::quiet::{InvalidTime, Window};

#[test]
fn times_are_read_with_or_without_seconds_and_written_without() {
    for (text, expected) in [
        ("21:00", Ok((21, 0))),
        ("00:00", Ok((0, 0))),
        ("23:59:00", Ok((23, 59))),
        ("00:00:00", Ok((0, 0))),
        ("24:00", Err(InvalidTime)),
        ("21:60", Err(InvalidTime)),
        ("21:00:30", Err(InvalidTime)),
        ("9:00", Err(InvalidTime)),
        ("09:0", Err(InvalidTime)),
        ("+9:00", Err(InvalidTime)),
        ("21:00:00:00", Err(InvalidTime)),
        ("21", Err(InvalidTime)),
        ("9 PM", Err(InvalidTime)),
        ("", Err(InvalidTime)),
        ("２１:00", Err(InvalidTime)),
    ] {
        assert_eq!(parse_time(text).map(|t| (t.hour(), t.minute())), expected, "{text}");
    }
}

#[test]
fn quiet_hours_are_kept_as_the_contract_shows_them() {
    let stored = json!({"start": "21:00:00", "end": "08:00:00", "channels": ["sms"]});
    let read: QuietHours = from_value(stored).expect("as the previous release wrote it");
    let shown = json!({"start": "21:00", "end": "08:00", "channels": ["sms"]});
    assert_eq!(json!(read), shown);
    let mut own = read.clone();
    let window = hours("20:00-09:00");
    own.by_channel.insert(Channel::Voice, Window { start: window.start, end: window.end });
    let shown = json!({"start": "21:00", "end": "08:00", "channels": ["sms"],
                       "by_channel": {"voice": {"start": "20:00", "end": "09:00"}}});
    assert_eq!(json!(own), shown);
    assert_eq!(from_value::<QuietHours>(shown).expect("the same"), own);
}
