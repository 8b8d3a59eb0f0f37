//! One operation, as the parts of a route describe it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What a request takes and what its answers are.
#[derive(Debug, Default)]
pub struct Operation {
    /// Names of the path's parameters that nobody has described yet.
    path: std::vec::IntoIter<String>,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: BTreeMap<u16, Value>,
    has_query: bool,
    has_path: bool,
    has_json: bool,
    has_form: bool,
    reads_number: bool,
    has_tag: bool,
}

impl Operation {
    pub fn at(path: &str) -> Self {
        let names: Vec<String> = path
            .split('/')
            .filter_map(|part| Some(part.strip_prefix('{')?.strip_suffix('}')?.to_owned()))
            .collect();
        Self { path: names.into_iter(), ..Self::default() }
    }

    pub fn takes_path(&mut self, schema: Value) {
        self.has_path = true;
        let name = self.path.next().unwrap_or_default();
        self.parameters.push(json!({
            "name": name, "in": "path", "required": true, "schema": schema,
        }));
    }

    /// `fields` is the schema of the struct that it is read into.
    pub fn takes_query(&mut self, fields: &Value) {
        let properties = fields.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let needed = fields.get("required").and_then(Value::as_array);
            let needed = needed.is_some_and(|names| names.iter().any(|n| n == name));
            self.has_query = true;
            // A span has both ends, a number stands alone.
            let is_span = properties.is_some_and(|p| p.contains_key("from"));
            self.reads_number |= name == "phone" || name == "to" && !is_span;
            let mut schema = schema.clone();
            let description = schema.as_object_mut().and_then(|s| s.remove("description"));
            let schema = not_null(schema);
            let schema = if needed { schema } else { or_empty(schema) };
            let mut parameter = json!({
                "name": name, "in": "query", "required": needed, "schema": schema,
            });
            if let Some(description) = description {
                parameter["description"] = description;
            }
            self.parameters.push(parameter);
        }
    }

    pub fn takes_header(&mut self, parameter: Value) {
        self.parameters.push(parameter);
    }

    pub fn takes_json(&mut self, schema: Value, examples: Vec<Value>) {
        self.has_json = true;
        self.body = Some(body("application/json", schema, examples));
    }

    pub fn takes_form(&mut self, schema: Value, examples: Vec<Value>) {
        self.has_form = true;
        self.body = Some(body("multipart/form-data", schema, examples));
    }

    pub fn gives(&mut self, status: u16, kind: &str, schema: Option<Value>) {
        let mut answer = json!({"description": word(status)});
        if let Some(schema) = schema {
            answer["content"][kind]["schema"] = schema;
        }
        self.answers.insert(status, answer);
    }

    pub fn refuses(&mut self, status: u16, answer: Value) {
        self.answers.entry(status).or_insert(answer);
    }

    /// The answer names its version.
    pub fn gives_tag(&mut self) {
        self.has_tag = true;
    }

    pub const fn has_tag(&self) -> bool {
        self.has_tag
    }

    pub const fn has_query(&self) -> bool {
        self.has_query
    }

    /// Whether a parameter of the query is a number, which may be none.
    pub const fn reads_number(&self) -> bool {
        self.reads_number
    }

    pub const fn has_path(&self) -> bool {
        self.has_path
    }

    pub const fn has_body(&self) -> bool {
        self.has_json || self.has_form
    }

    pub fn answers_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.answers.values_mut()
    }

    pub fn into_json(self) -> Map<String, Value> {
        let mut object = Map::new();
        if !self.parameters.is_empty() {
            object.insert("parameters".to_owned(), Value::Array(self.parameters));
        }
        object.extend(self.body.map(|body| ("requestBody".to_owned(), body)));
        let answers = self.answers.into_iter().map(|(status, a)| (status.to_string(), a));
        object.insert("responses".to_owned(), Value::Object(answers.collect()));
        object
    }
}

fn body(kind: &str, schema: Value, examples: Vec<Value>) -> Value {
    let mut content = json!({"schema": schema});
    for (place, value) in examples.into_iter().enumerate() {
        content["examples"][format!("example_{}", place + 1)] = json!({"value": value});
    }
    json!({"required": true, "content": {kind: content}})
}

/// A parameter is absent, never null.
fn not_null(mut schema: Value) -> Value {
    if let Some(kinds) = schema.get("type").and_then(Value::as_array) {
        let kinds: Vec<Value> = kinds.iter().filter(|k| *k != "null").cloned().collect();
        schema["type"] = match <[Value; 1]>::try_from(kinds) {
            Ok([one]) => one,
            Err(several) => Value::Array(several),
        };
    }
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        let null = json!({"type": "null"});
        let rest: Vec<Value> = choices.iter().filter(|c| **c != null).cloned().collect();
        if let [one] = rest.as_slice() {
            return one.clone();
        }
        schema["anyOf"] = Value::Array(rest);
    }
    schema
}

/// An empty parameter is as good as none: forms send them.
fn or_empty(schema: Value) -> Value {
    let is_any_text = schema == json!({"type": "string"});
    if is_any_text { schema } else { json!({"anyOf": [schema, {"const": ""}]}) }
}

fn word(status: u16) -> &'static str {
    match status {
        200 => "Done",
        201 => "Made",
        202 => "Taken: it will be done",
        204 => "Done; there is nothing to say",
        _ => "Answered",
    }
}
