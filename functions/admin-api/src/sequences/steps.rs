//! The steps of a sequence as people write them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use carillon_domain::personal;
use carillon_domain::sequence::{MAX_ORDER, MAX_STEPS, MAX_VARIABLE, MAX_VARIABLES};
use carillon_domain::{Channel, SequenceId, Step, StepId, StepTime};
use carillon_store::StoredTemplate;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::problem::FieldError;

const LONGEST_LABEL: usize = 100;
/// Characters that the variables of all steps together may have: a row of the
/// table has room for no more.
const MOST_TEXT: usize = 50_000;

/// One message of a sequence: a template, and `send_time` with `day` or an `offset`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewSequenceStep", extend("required" = ["template"]))]
pub struct StepFields {
    /// Of a step that is there already and stays.
    #[schemars(with = "Option<StepId>")]
    id: Option<String>,
    /// Its id or key.
    #[schemars(with = "String")]
    template: Option<String>,
    /// On the clock of the workshop's zone, such as 11:00.
    send_time: Option<String>,
    /// From the start of the workshop, in hours and minutes: `-PT2H`, `PT30M`.
    offset: Option<String>,
    /// 0 is the day of the workshop, -1 the day before.
    #[schemars(range(min = -365, max = 365))]
    day: Option<i64>,
    #[schemars(length(max = LONGEST_LABEL))]
    label: Option<String>,
    /// Its place in the list, where it is absent.
    #[schemars(range(min = 1, max = MAX_ORDER))]
    order: Option<i64>,
    /// What the template's variables are made of, by variable: a text that may
    /// mention `contact`, `workshop` and `organization`.
    #[schemars(length(max = MAX_VARIABLES))]
    variables: Option<BTreeMap<String, String>>,
}

impl StepFields {
    pub fn template(&self) -> Option<&str> {
        self.template.as_deref()
    }
}

/// The steps in their order, and everything that is wrong with them.
pub fn read(
    fields: Vec<StepFields>,
    before: &[Step],
    place: (SequenceId, u32),
    channel: Channel,
    templates: &HashMap<String, StoredTemplate>,
    wrong: &mut Vec<FieldError>,
) -> Vec<Step> {
    if fields.len() > MAX_STEPS {
        let detail = format!("A sequence has at most {MAX_STEPS} steps.");
        wrong.push(FieldError::new("steps", "too_many_steps", detail));
        return Vec::new();
    }
    let text = |step: &StepFields| -> usize {
        step.variables.iter().flatten().map(|(k, v)| k.chars().count() + v.chars().count()).sum()
    };
    if fields.iter().map(text).sum::<usize>() > MOST_TEXT {
        let detail = format!("The variables of all steps have at most {MOST_TEXT} characters.");
        wrong.push(FieldError::new("steps", "sequence_too_large", detail));
        return Vec::new();
    }
    let (mut ids, mut orders) = (BTreeSet::new(), BTreeSet::new());
    let mut steps = Vec::new();
    for (n, step) in fields.into_iter().enumerate() {
        let mut found = Vec::new();
        let mut refuse = |field: &str, code: &str, detail: String| {
            found.push(FieldError::new(format!("steps[{n}].{field}"), code, detail));
        };
        let id = match step.id.as_deref().map(str::parse::<StepId>) {
            // The same request makes the same step again.
            None => StepId::from_hash(&[
                place.0.as_bytes(),
                &place.1.to_be_bytes(),
                &(n as u64).to_be_bytes(),
            ]),
            Some(Ok(id)) if before.iter().any(|step| step.id == id) => id,
            Some(_) => {
                let detail = "The sequence has no such step; leave “id” out for a new one.";
                refuse("id", "unknown_step", detail.to_owned());
                continue_with(wrong, found);
                continue;
            }
        };
        if !ids.insert(id) {
            refuse("id", "duplicate_step", "Another step has this id.".to_owned());
        }
        let order = step.order.unwrap_or(n as i64 + 1);
        let order = u16::try_from(order).ok().filter(|order| (1..=MAX_ORDER).contains(order));
        match order {
            None => {
                refuse("order", "out_of_range", format!("An order is from 1 to {MAX_ORDER}."));
            }
            Some(order) if !orders.insert(order) => {
                let detail = format!("Another step has the order {order}.");
                refuse("order", "duplicate_order", detail);
            }
            Some(_) => {}
        }
        let label = step.label.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if label.as_ref().is_some_and(|text| text.chars().count() > LONGEST_LABEL) {
            let detail = format!("A label has at most {LONGEST_LABEL} characters.");
            refuse("label", "invalid_value", detail);
        }
        let time = StepTime::read(step.send_time.as_deref(), step.offset.as_deref(), step.day)
            .map_err(|error| refuse(error.field(), error.code(), error.to_string()));
        let variables = step.variables.unwrap_or_default();
        let template = check_template(step.template.as_deref(), channel, templates, &mut refuse);
        if variables.len() > MAX_VARIABLES {
            let detail = format!("At most {MAX_VARIABLES} variables.");
            refuse("variables", "invalid_value", detail);
        } else if let Some(template) = template {
            check_variables(template, &variables, &mut refuse);
        }
        continue_with(wrong, found);
        if let (Ok(time), Some(template), Some(order)) = (time, template, order) {
            steps.push(Step { id, template: template.id, time, label, order, variables });
        }
    }
    steps.sort_by_key(|step| step.order);
    steps
}

fn continue_with(wrong: &mut Vec<FieldError>, found: Vec<FieldError>) {
    wrong.extend(found);
}

/// The template, if it goes by the sequence's channel.
fn check_template<'a>(
    name: Option<&str>,
    channel: Channel,
    templates: &'a HashMap<String, StoredTemplate>,
    refuse: &mut impl FnMut(&str, &str, String),
) -> Option<&'a StoredTemplate> {
    let Some(name) = name else {
        refuse("template", "missing_field", "Name a template by its id or key.".to_owned());
        return None;
    };
    let Some(template) = templates.get(name) else {
        let name: String = name.chars().take(80).collect();
        let detail = format!("There is no template “{name}” in this organization.");
        refuse("template", "unknown_template", detail);
        return None;
    };
    if template.channel != channel {
        let detail = format!(
            "The template “{}” is for the channel {}, the sequence for {}.",
            template.key,
            template.channel.as_str(),
            channel.as_str()
        );
        refuse("template", "wrong_channel", detail);
        return None;
    }
    Some(template)
}

fn check_variables(
    template: &StoredTemplate,
    variables: &BTreeMap<String, String>,
    refuse: &mut impl FnMut(&str, &str, String),
) {
    for (key, text) in variables {
        if text.chars().count() > MAX_VARIABLE {
            let detail = format!("A text of at most {MAX_VARIABLE} characters.");
            refuse(&format!("variables.{}", shown(key)), "invalid_value", detail);
        }
    }
    // A template of an older release may not be readable any more.
    let parsed = match template.content.template(None) {
        Ok(parsed) => parsed,
        Err(error) => return refuse("template", error.code(), error.to_string()),
    };
    for (key, error) in personal::check_mapping(&template.content, &parsed, variables) {
        refuse(&format!("variables.{}", shown(&key)), error.code(), error.to_string());
    }
}

fn shown(key: &str) -> String {
    key.chars().take(64).collect()
}
