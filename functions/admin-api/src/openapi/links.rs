//! Which operations go on from an answer: those whose path takes an id of the
//! kind that the answer has. The types say which; nobody writes it down.

use serde_json::{Map, Value, json};

/// Adds to each answer with an id links to what can be done with it.
pub fn add(document: &mut Value) {
    let takers = takers(document);
    let schemas = document["components"]["schemas"].clone();
    let items = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    for operation in items.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let answers = operation["responses"].as_object_mut().into_iter().flatten();
        for (_, answer) in answers.filter(|(status, _)| status.starts_with('2')) {
            let schema = &answer["content"]["application/json"]["schema"]["$ref"];
            let Some(id) = name(schema).and_then(|schema| {
                name(&schemas[schema]["properties"]["id"]["$ref"]).map(str::to_owned)
            }) else {
                continue;
            };
            for (_, operation, parameter) in takers.iter().filter(|(kind, ..)| *kind == id) {
                answer["links"][operation.as_str()] = json!({
                    "operationId": operation,
                    "parameters": {parameter.as_str(): "$response.body#/id"},
                });
            }
        }
    }
}

/// The kind of id in a path, its operation, the parameter's name.
fn takers(document: &Value) -> Vec<(String, String, String)> {
    let items = document["paths"].as_object().into_iter().flat_map(Map::values);
    let operations = items.filter_map(Value::as_object).flat_map(Map::values);
    let mut takers = Vec::new();
    for operation in operations {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let kind = name(&parameter["schema"]["$ref"]).filter(|_| parameter["in"] == "path");
            let texts = (operation["operationId"].as_str(), parameter["name"].as_str());
            if let (Some(kind), (Some(operation), Some(parameter))) = (kind, texts) {
                takers.push((kind.to_owned(), operation.to_owned(), parameter.to_owned()));
            }
        }
    }
    takers
}

/// The name at the end of a reference.
fn name(reference: &Value) -> Option<&str> {
    reference.as_str()?.rsplit('/').next()
}
