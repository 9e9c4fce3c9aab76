//! YAML with CloudFormation's tags, as JSON.

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// The first document of `text`.
///
/// # Panics
/// It is no YAML.
pub(super) fn parse(text: &str) -> Value {
    let documents = Yaml::load_from_str(text).expect("template.yaml is YAML");
    value(documents.first().expect("template.yaml has a document"))
}

fn value(node: &Yaml) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(bool)) => (*bool).into(),
        Yaml::Value(Scalar::Integer(number)) => (*number).into(),
        Yaml::Value(Scalar::FloatingPoint(number)) => number.into_inner().into(),
        Yaml::Value(Scalar::String(text)) => text.as_ref().into(),
        Yaml::Sequence(all) => all.iter().map(value).collect(),
        Yaml::Mapping(entries) => {
            let entry = |(key, it): (&Yaml, &Yaml)| {
                let key = key.as_str().expect("keys are text");
                (key.to_owned(), value(it))
            };
            Value::Object(entries.iter().map(entry).collect::<Map<_, _>>())
        }
        Yaml::Tagged(tag, inner) => long_form(&tag.suffix, value(inner)),
        Yaml::Representation(text, ..) => panic!("{text:?} was not read"),
        Yaml::Alias(_) | Yaml::BadValue => panic!("{node:?} has no meaning here"),
    }
}

/// `!Ref X` and `!GetAtt A.B` as CloudFormation has them in JSON.
fn long_form(tag: &str, inner: Value) -> Value {
    match tag {
        "Ref" | "Condition" => json!({ tag: inner }),
        "GetAtt" => {
            let parts = inner.as_str().and_then(|text| text.split_once('.'));
            let (id, attribute) = parts.expect("!GetAtt Resource.Attribute");
            json!({"Fn::GetAtt": [id, attribute]})
        }
        function => json!({ format!("Fn::{function}"): inner }),
    }
}
