//! The MD5 sums SQS answers with, so that a sender can see that the message arrived whole. Not for
//! security.
//!
//! Source: SQS Developer Guide, "Calculating the MD5 message digest for message attributes".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::{Map, Value};

pub(super) fn of_body(body: &str) -> String {
    hex::encode(Md5::digest(body.as_bytes()))
}

/// `None` without attributes. Binary values that are not base64 count as empty; the SDK sends none
/// such.
pub(super) fn of_attributes(attributes: &Map<String, Value>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut names: Vec<&String> = attributes.keys().collect();
    names.sort();
    let mut sum = Md5::new();
    for name in names {
        let attribute = &attributes[name];
        let data_type = attribute["DataType"].as_str().unwrap_or_default();
        add(&mut sum, name.as_bytes());
        add(&mut sum, data_type.as_bytes());
        if data_type.starts_with("Binary") {
            let encoded = attribute["BinaryValue"].as_str().unwrap_or_default();
            sum.update([2]);
            add(&mut sum, &STANDARD.decode(encoded).unwrap_or_default());
        } else {
            sum.update([1]);
            add(&mut sum, attribute["StringValue"].as_str().unwrap_or_default().as_bytes());
        }
    }
    Some(hex::encode(sum.finalize()))
}

fn add(sum: &mut Md5, bytes: &[u8]) {
    sum.update((bytes.len() as u32).to_be_bytes());
    sum.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sums_are_those_sqs_gives() {
        // Bodies: RFC 1321, appendix A.5. The attribute's sum was computed by hand with `md5sum`
        // over the documented bytes.
        assert_eq!(of_body("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
        assert_eq!(of_attributes(&Map::new()), None);
        let attributes = json!({"kind": {"DataType": "String", "StringValue": "pack"}});
        let expected = ATTRIBUTE_SUM;
        assert_eq!(of_attributes(attributes.as_object().unwrap()).as_deref(), Some(expected));
    }

    const ATTRIBUTE_SUM: &str = "05e7af20b630bdc9266a50f2523ccac1";
}
