//! Which pages' browsers may read what the bucket answers, by the rules of S3: the first one that fits
//! an origin, a method and headers; `*` alone is answered as it is and without credentials, anything
//! else with the origin and with them.

use e2e::template::Template;
use serde_json::{Map, Value, json};

/// What a page with these parameters of the stack is answered.
struct Bucket {
    rules: Vec<Value>,
}

impl Bucket {
    fn of(cors_origins: &str, public_url: &str) -> Self {
        let template = Template::ours();
        let bucket = template.of_type("AWS::S3::Bucket").next();
        let (_, bucket) = bucket.expect("a bucket");
        let rules = &bucket["Properties"]["CorsConfiguration"]["CorsRules"];
        let parameters = json!({"CorsOrigins": cors_origins, "PublicUrl": public_url});
        let rules = resolved(rules, &parameters).expect("rules");
        let rules = rules.as_array().expect("a list").clone();
        Self { rules }
    }

    /// `Access-Control-Allow-Origin`, and whether there is `Access-Control-Allow-Credentials`.
    fn answer(&self, origin: &str, method: &str) -> Option<(String, bool)> {
        let rule = self.rules.iter().find(|rule| {
            let methods = texts(&rule["AllowedMethods"]);
            fitting(rule, origin).is_some() && methods.contains(&method)
        })?;
        Some(match fitting(rule, origin)? {
            "*" => ("*".to_owned(), false),
            _ => (origin.to_owned(), true),
        })
    }
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list");
    list.iter()
        .map(|it| it.as_str().expect("text"))
        .collect::<Vec<_>>()
}

/// The origin of this rule that allows this one.
fn fitting<'a>(rule: &'a Value, origin: &str) -> Option<&'a str> {
    let listed = texts(&rule["AllowedOrigins"]).into_iter();
    listed
        .filter(|listed| *listed == origin || *listed == "*")
        .min_by_key(|listed| *listed == "*")
}

/// What CloudFormation makes of a value; nothing of `AWS::NoValue`.
fn resolved(value: &Value, parameters: &Value) -> Option<Value> {
    let inner = |value: &Value| resolved(value, parameters);
    match value {
        Value::Array(all) => Some(all.iter().filter_map(inner).collect()),
        Value::Object(fields) => {
            if value["Ref"] == "AWS::NoValue" {
                return None;
            }
            if let Some(name) = value["Ref"].as_str() {
                return Some(parameters[name].clone()).filter(|it| !it.is_null());
            }
            if let Some([condition, yes, no]) = value["Fn::If"].as_array().map(Vec::as_slice) {
                return inner(if holds(condition, parameters) {
                    yes
                } else {
                    no
                });
            }
            if let Some([by, text]) = value["Fn::Split"].as_array().map(Vec::as_slice) {
                let (by, text) = (by.as_str().expect("text"), inner(text).expect("text"));
                let text = text.as_str().expect("text");
                return Some(text.split(by).collect());
            }
            let fields = fields.iter();
            let fields = fields.filter_map(|(name, it)| Some((name.clone(), inner(it)?)));
            Some(Value::Object(fields.collect::<Map<_, _>>()))
        }
        plain => Some(plain.clone()),
    }
}

/// Whether a condition of the form "this parameter is not empty" holds.
fn holds(name: &Value, parameters: &Value) -> bool {
    let name = name.as_str().expect("a name");
    let condition = &Template::ours().body["Conditions"][name];
    let compared = &condition["Fn::Not"][0]["Fn::Equals"];
    assert_eq!(compared[1], "", "{name}: {condition}");
    resolved(&compared[0], parameters) != Some(json!(""))
}

const CANVAS: &str = "https://canvas.example.com";
const PUBLIC: &str = "https://platform.example.com";

#[test]
fn a_listed_page_may_read_it_with_credentials() {
    let bucket = Bucket::of(&format!("http://localhost:3000,{CANVAS}"), PUBLIC);
    for origin in [
        CANVAS,
        "http://localhost:3000",
        PUBLIC,
        // What a browser says when the API sent it on from a page of another origin.
        "null",
    ] {
        for method in ["GET", "PUT"] {
            let answer = bucket.answer(origin, method);
            assert_eq!(answer, Some((origin.to_owned(), true)), "{method} {origin}");
        }
        assert_eq!(bucket.answer(origin, "DELETE"), None, "{origin}");
    }
}

/// The API's own address is none that the bucket can name: the API waits for its functions, and
/// these for the bucket. The console's page there sends no credentials.
#[test]
fn any_other_page_may_read_it_without() {
    let bucket = Bucket::of(CANVAS, "");
    for origin in ["https://a1b2c3.execute-api.eu-west-1.amazonaws.com", PUBLIC] {
        for method in ["GET", "PUT"] {
            let answer = bucket.answer(origin, method);
            assert_eq!(answer, Some(("*".to_owned(), false)), "{method} {origin}");
        }
    }
}

/// CloudFormation refuses an origin that is empty, or twice in one rule.
#[test]
fn whatever_the_parameters_are_the_rules_are_allowed() {
    let template = Template::ours();
    let default = &template.body["Parameters"]["CorsOrigins"]["Default"];
    let default = default.as_str().expect("text");
    for (cors_origins, public_url) in [
        (default, ""),
        (default, PUBLIC),
        ("", ""),
        ("", PUBLIC),
        (PUBLIC, PUBLIC),
        (&format!("{CANVAS},{PUBLIC}"), PUBLIC),
    ] {
        let bucket = Bucket::of(cors_origins, public_url);
        let case = format!("{cors_origins:?} {public_url:?}");
        for rule in &bucket.rules {
            let origins = texts(&rule["AllowedOrigins"]);
            let mut once = origins.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), origins.len(), "{case}: {origins:?}");
            assert!(!origins.is_empty() && !origins.contains(&""), "{case}");
            // All allow the same but for whom.
            for part in ["AllowedMethods", "AllowedHeaders", "ExposedHeaders"] {
                assert_eq!(rule[part], bucket.rules[0][part], "{case}: {part}");
            }
        }
        let sent_on = bucket.answer("null", "GET");
        assert_eq!(sent_on, Some(("null".to_owned(), true)), "{case}");
    }
}
