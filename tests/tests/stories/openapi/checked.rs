//! The document as the API serves it, and answers held against it.

use carillon_tests::{Answer, World};
use reqwest::Method;
use serde_json::{Value, json};

pub struct Document(Value);

pub struct Operation {
    pub method: Method,
    pub path: String,
    pub value: Value,
}

impl Document {
    pub async fn of(world: &World) -> Self {
        Self(world.get("/openapi.json").await.ok(200))
    }

    pub fn operations(&self) -> impl Iterator<Item = Operation> {
        let paths = self.0["paths"].as_object().expect("paths");
        paths.iter().flat_map(|(path, item)| {
            item.as_object().expect("methods").iter().map(|(method, value)| Operation {
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                value: value.clone(),
            })
        })
    }

    /// What is meant by a reference to it.
    pub fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            None => value,
            Some(to) => {
                let place = to.strip_prefix('#').and_then(|to| self.0.pointer(to));
                place.unwrap_or_else(|| panic!("{to} leads nowhere"))
            }
        }
    }

    /// An answer's status, kind, headers and body are among the documented.
    #[track_caller]
    pub fn check(&self, operation: &Operation, answer: &Answer, what: &str) {
        let said = &operation.value["responses"][answer.status.to_string()];
        assert!(said.is_object(), "{what}: {} is not documented: {}", answer.status, answer.text);
        let said = self.resolved(said);
        for (name, header) in said["headers"].as_object().into_iter().flatten() {
            assert!(header["required"] != true || answer.header(name).is_some(), "{what}: {name}");
        }
        let Some(contents) = said["content"].as_object() else {
            assert_eq!(answer.text, "", "{what}");
            return;
        };
        let kind = answer.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let content = contents.get(kind).unwrap_or_else(|| panic!("{what}: undocumented {kind}"));
        if kind.ends_with("json") {
            self.fits(&content["schema"], &answer.json(), what);
        }
    }

    #[track_caller]
    fn fits(&self, schema: &Value, value: &Value, what: &str) {
        let root = json!({"allOf": [schema], "components": self.0["components"]});
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&root)
            .unwrap_or_else(|e| panic!("{what}: no schema: {e}"));
        let wrong: Vec<String> = validator
            .iter_errors(value)
            .map(|e| format!("{} at {}", e, e.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{what}: {wrong:#?}\n{value:#}");
    }
}

impl Operation {
    pub fn needs_key(&self) -> bool {
        self.value["security"] != json!([])
    }

    pub fn takes(&self, kind: &str) -> bool {
        self.value["requestBody"]["content"][kind].is_object()
    }

    /// The examples of its body; nothing, once, where it takes none.
    pub fn bodies(&self) -> Vec<Option<Value>> {
        let examples = &self.value["requestBody"]["content"]["application/json"]["examples"];
        match examples.as_object() {
            Some(examples) => examples.values().map(|e| Some(e["value"].clone())).collect(),
            None if self.takes("application/json") => panic!("{} has no example", self.path),
            None => vec![None],
        }
    }
}
