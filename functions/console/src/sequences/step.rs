//! A sequence and its steps: when each goes, in words; and a step as a line of the form.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::sent::Sent;

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Sequence {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub channel: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Step {
    pub id: String,
    pub template: String,
    pub send_time: Option<String>,
    pub offset: Option<String>,
    pub day: i64,
    pub label: Option<String>,
    pub order: i64,
    pub variables: BTreeMap<String, String>,
}

impl Sequence {
    pub fn length(&self) -> i64 {
        i64::try_from(self.steps.len()).unwrap_or(i64::MAX)
    }

    pub fn channel_word(&self) -> String {
        crate::message::channel(&self.channel)
    }
}

impl Step {
    /// `The day before, 18:00`
    pub fn when(&self) -> String {
        let day = match self.day {
            0 => "On the day".to_owned(),
            -1 => "The day before".to_owned(),
            1 => "The day after".to_owned(),
            n if n < 0 => format!("{} days before", -n),
            n => format!("{n} days after"),
        };
        match (&self.send_time, &self.offset) {
            (Some(time), _) => format!("{day}, {time}"),
            (None, Some(offset)) => said(offset),
            (None, None) => day,
        }
    }

    pub fn time(&self) -> &str {
        self.send_time.as_deref().or(self.offset.as_deref()).unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.label.as_deref().unwrap_or_default()
    }
}

/// `-PT2H` as `2 hours before it begins`.
fn said(offset: &str) -> String {
    let (offset, side) = match offset.strip_prefix('-') {
        Some(rest) => (rest, "before"),
        None => (offset, "after"),
    };
    let text = offset.trim_start_matches("PT").replace('H', " h ").replace('M', " min ");
    let text = text.trim();
    if text.is_empty() || text == "0 min" {
        "When it begins".to_owned()
    } else {
        format!("{text} {side} it begins")
    }
}

/// Lines with a template; what the form does not show is kept.
pub(super) fn lines(sent: &Sent, before: &Sequence) -> Vec<Step> {
    let mut lines = Vec::new();
    for (n, template) in sent.under("template") {
        if template.is_empty() {
            continue;
        }
        let text = |name: &str| sent.text(&format!("{name}.{n}")).to_owned();
        let id = text("id");
        let kept = before.steps.iter().find(|step| step.id == id).cloned().unwrap_or_default();
        let time = text("time");
        let is_offset = time.contains('P');
        lines.push(Step {
            id,
            template: template.to_owned(),
            send_time: Some(time.clone()).filter(|_| !is_offset),
            offset: Some(time).filter(|_| is_offset),
            day: text("day").parse().unwrap_or(0),
            label: Some(text("label")).filter(|label| !label.is_empty()),
            ..kept
        });
    }
    lines
}

/// As the API takes it.
pub(super) fn body(step: &Step) -> Value {
    let mut body =
        json!({"template": step.template, "label": step.label, "variables": step.variables});
    if !step.id.is_empty() {
        body["id"] = json!(step.id);
    }
    match &step.offset {
        Some(offset) => body["offset"] = json!(offset),
        None => {
            body["send_time"] = json!(step.send_time);
            body["day"] = json!(step.day);
        }
    }
    body
}

#[cfg(test)]
impl Sequence {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let step = Step {
            id: text(),
            template: text(),
            send_time: Some(text()),
            label: Some(text()),
            day: -1,
            ..Step::default()
        };
        Self {
            id: text(),
            name: text(),
            description: Some(text()),
            channel: "sms".to_owned(),
            steps: vec![step],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_step_is_said_in_words() {
        let at = |day, time: Option<&str>, offset: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            Step { day, send_time: owned(time), offset: owned(offset), ..Step::default() }.when()
        };
        assert_eq!(at(0, Some("11:00"), None), "On the day, 11:00");
        assert_eq!(at(-1, Some("18:00"), None), "The day before, 18:00");
        assert_eq!(at(3, Some("9:00"), None), "3 days after, 9:00");
        assert_eq!(at(0, None, Some("-PT2H")), "2 h before it begins");
        assert_eq!(at(0, None, Some("PT1H30M")), "1 h 30 min after it begins");
    }
}
