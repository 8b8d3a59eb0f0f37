//! What a state is called and how it looks: an icon and a word, not a colour alone.

use serde::Deserialize;

/// A state as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Status(pub String);

/// Class, icon and word.
const KNOWN: &[(&str, &str, &str, &str)] = &[
    ("pending", "wait", "clock", "Scheduled"),
    ("queued", "wait", "clock", "Due"),
    ("sending", "wait", "loader-circle", "Sending"),
    ("unknown", "doubt", "circle-help", "Unknown"),
    ("sent", "sent", "check", "Sent"),
    ("delivered", "good", "check-check", "Delivered"),
    ("read", "good", "eye", "Read"),
    ("failed", "bad", "circle-x", "Failed"),
    ("cancelled", "off", "ban", "Cancelled"),
    ("suppressed", "off", "bell-off", "Suppressed"),
    ("received", "in", "arrow-down-left", "Received"),
    ("working", "good", "circle-check", "Working"),
    ("failing", "bad", "circle-x", "Failing"),
    ("untested", "doubt", "circle-help", "Not tested"),
    ("disabled", "off", "pause", "Switched off"),
    ("not_configured", "off", "plug", "Not set up"),
    ("running", "wait", "loader-circle", "Running"),
    ("completed", "good", "circle-check", "Completed"),
    ("confirmed", "good", "circle-check", "Confirmed"),
    ("scheduled", "wait", "clock", "Scheduled"),
    ("draft", "off", "pencil", "Draft"),
    ("paused", "doubt", "pause", "Paused"),
    ("active", "good", "circle-check", "Active"),
    ("invited", "wait", "clock", "Invited"),
    ("revoked", "off", "ban", "Revoked"),
    ("expired", "off", "clock", "Expired"),
    ("accepted", "good", "check", "Accepted"),
    ("refused", "bad", "circle-x", "Refused"),
    ("in_flight", "wait", "loader-circle", "In flight"),
    ("not_sent", "off", "ban", "Not sent"),
    ("send", "good", "check", "Would be sent"),
    ("deferred", "doubt", "clock", "Would wait"),
    ("done", "good", "check", "Done"),
    ("denied", "bad", "shield", "Denied"),
    ("rejected", "doubt", "circle-x", "Rejected"),
    ("begun", "doubt", "circle-help", "Begun"),
    ("granted", "good", "check", "Granted"),
    ("duplicate", "doubt", "copy", "Duplicate"),
    ("rescheduled", "wait", "calendar-days", "Moved"),
    ("retried", "wait", "rotate-ccw", "Retried"),
];

impl Status {
    fn known(&self) -> Option<&'static (&'static str, &'static str, &'static str, &'static str)> {
        KNOWN.iter().find(|(name, ..)| *name == self.0)
    }

    pub fn class(&self) -> &'static str {
        self.known().map_or("off", |known| known.1)
    }

    pub fn icon(&self) -> &'static str {
        self.known().map_or("info", |known| known.2)
    }

    /// A new word of the API is shown as it is.
    pub fn word(&self) -> String {
        self.known().map_or_else(|| words(&self.0), |known| known.3.to_owned())
    }
}

/// `quiet_hours` as `Quiet hours`; a provider as it writes itself.
pub fn words(name: &str) -> String {
    match name {
        "fast2sms" => return "Fast2SMS".to_owned(),
        "aisensy" => return "AiSensy".to_owned(),
        _ => {}
    }
    let text = name.replace(['_', '-'], " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
