use lambda_http::{Context, RequestExt as _};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Body, Fields, Input, Number, Request};

/// Every way in which wire types read a field.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wire {
    text: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    zero: i64,
    #[serde(
        default,
        deserialize_with = "Fields::present",
        skip_serializing_if = "Option::is_none"
    )]
    present: Option<Option<bool>>,
    #[serde(
        default,
        deserialize_with = "Fields::any",
        skip_serializing_if = "Option::is_none"
    )]
    any: Option<Value>,
}

fn posted(body: impl Into<Vec<u8>>) -> Input {
    Input::from(Request::new(Body::Binary(body.into())))
}

#[test]
fn a_trace_is_the_callers_or_else_lambdas() {
    let (xray, w3c) = (
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
        "00-00000000000000000000000000000001-0000000000000002-01",
    );
    let lambdas = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00";
    for (header, traced, expected) in [
        (None, false, None),
        (None, true, Some(lambdas)),
        (Some("nonsense"), true, Some(lambdas)),
        (Some(w3c), true, Some(w3c)),
        (Some(w3c), false, Some(w3c)),
    ] {
        let mut request = Request::new(Body::Empty);
        if let Some(header) = header {
            let value = header.parse().expect("a value");
            request.headers_mut().insert("traceparent", value);
        }
        let mut context = Context::default();
        context.xray_trace_id = traced.then(|| xray.to_owned());
        let input = Input::from(request.with_lambda_context(context));
        let trace = input.trace.map(|trace| trace.to_string());
        assert_eq!(trace.as_deref(), expected, "{header:?}");
    }
}

#[test]
fn a_key_of_serde_jsons_is_refused_behind_whatever_is_passed_over() {
    let key = r#""any":{"a":1,"$serde_json::private::RawValue":1}"#;
    for (body, fine) in [
        (r#"{"text":"cut \ud83d"} and more"#.to_owned(), true),
        (format!("{{\"text\":\"cut \\ud83d\",{key}}}"), false),
        (format!("{{\"text\":\"\",\"unknown\":1e999,{key}}}"), false),
        (format!("{{\"text\":\"\",{key}}} and more"), false),
    ] {
        let read = posted(body.as_str()).json::<Wire>(1024, "no");
        assert_eq!(read.is_ok(), fine, "{body}");
    }
}

#[test]
fn numbers_are_those_the_table_can_keep() {
    let read = |text| serde_json::from_str::<Number>(text).map(f64::from);
    for (text, expected) in [
        ("7", 7.0),
        ("-2.5", -2.5),
        ("1e22", 1e22),
        ("1e-22", 1e-22),
        ("9e-131", 0.0),
        ("-5e-324", 0.0),
    ] {
        assert_eq!(read(text).expect(text), expected, "{text}");
    }
    for text in ["1e126", "-1e126", "1e308", "\"7\"", "null"] {
        assert!(read(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>(), text in ".{0,200}") {
        for body in [bytes, text.clone().into_bytes(), format!("{{{text}").into_bytes()] {
            let read = posted(body).json::<Wire>(100, "no");
            prop_assert!(read.is_ok_or_refused());
        }
    }

    #[test]
    fn what_is_sent_is_what_is_read(
        text: String,
        zero: i64,
        present: Option<Option<bool>>,
        any in prop_oneof![Just(None), any::<String>().prop_map(|it| Some(it.into())), Just(Some(Value::Null))],
        more in ".{0,9}",
    ) {
        let wire = Wire { text, zero, present, any };
        let body = serde_json::to_string(&wire).expect("JSON");
        let read = posted(body.clone() + &more).json::<Wire>(body.len() + more.len(), "no");
        prop_assert_eq!(read.expect("what was written"), wire);
        let limited = posted(body.clone()).json::<Wire>(body.len() - 1, "no");
        prop_assert_eq!(limited.map_err(|error| error.kind()), Err(domain::Kind::TooLarge));
    }

    #[test]
    fn any_number_is_kept_or_refused(number: f64) {
        let kept = Number::try_from(number).map(f64::from);
        prop_assert!(kept.is_err() || kept == Ok(number) || kept == Ok(0.0));
    }
}

trait Outcome {
    fn is_ok_or_refused(&self) -> bool;
}

impl<T> Outcome for domain::Result<T> {
    fn is_ok_or_refused(&self) -> bool {
        let kind = self.as_ref().err().map(domain::Error::kind);
        matches!(
            kind,
            None | Some(domain::Kind::Invalid | domain::Kind::TooLarge)
        )
    }
}
