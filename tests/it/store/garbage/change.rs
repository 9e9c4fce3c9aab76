//! One thing in a call that is not as it was.

use std::{collections::BTreeSet, sync::OnceLock};

use e2e::{counted::InCall, garble::garble, odd, openapi};
use fastrand::Rng;
use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value};

/// Headers that some route or the edge looks at.
const HEADERS: [&str; 17] = [
    "authorization",
    "x-workspace-id",
    "content-type",
    "cookie",
    "fly-replay-src",
    "host",
    "idempotency-key",
    "if-none-match",
    "if-range",
    "last-event-id",
    "origin",
    "range",
    "traceparent",
    "x-expires-in",
    "x-forwarded-proto",
    "x-priority",
    "x-timeout",
];

/// What is changed. A name that nobody knows may be among them.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// The body is what the dice of this seed make of it.
    Garbled(u64),
    /// The body.
    Body(String),
    /// One field of the body.
    Field(String, String),
    /// One parameter of the path.
    Param(String, String),
    /// The path.
    Path(String),
    /// All that follows the `?`.
    Query(String),
    /// One header.
    Header(String, String),
}

impl Change {
    pub(super) fn of(&self, call: InCall) -> InCall {
        let body = call.body().unwrap_or_default().to_owned();
        match self {
            Self::Garbled(seed) => call.with_body(garble(&mut Rng::with_seed(*seed), &body)),
            Self::Body(body) => call.with_body(body.clone()),
            Self::Field(name, value) => call.with_body(with_field(&body, name, value)),
            Self::Param(name, value) => call.with_param(name, value),
            Self::Path(path) => call.with_path(path.clone()),
            Self::Query(query) => call.with_query(query.clone()),
            Self::Header(name, value) => call.header(name, value),
        }
    }
}

/// JSON with one field more, or another.
fn with_field(body: &str, name: &str, value: &str) -> String {
    let fields: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    let rest = fields.iter().filter(|(known, _)| *known != name);
    let rest = rest.map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())));
    let changed = format!("{}:{value}", Value::from(name));
    let all: Vec<_> = std::iter::once(changed).chain(rest).collect();
    format!("{{{}}}", all.join(","))
}

/// Other bodies for a call that has one.
pub(super) fn of_body(call: &InCall) -> Option<BoxedStrategy<Change>> {
    let sample: Value = serde_json::from_str(call.body()?).unwrap_or_default();
    let names = names_of_body(&call.route(), &sample);
    let whole = odd::json(names.clone());
    let field = (select(names), odd::json(Vec::new()));
    let changes = prop_oneof![
        3 => any::<u64>().prop_map(Change::Garbled),
        2 => whole.prop_map(Change::Body),
        4 => field.prop_map(|(name, value)| Change::Field(name, value)),
        1 => odd::text().prop_map(Change::Body),
    ];
    Some(changes.boxed())
}

/// Other paths, queries and headers.
pub(super) fn of_head(call: &InCall) -> Option<BoxedStrategy<Change>> {
    let route = call.route();
    let params: Vec<String> = names_in_braces(&route).collect();
    let (queries, mut headers) = (named("query", &route), named("header", &route));
    headers.extend(HEADERS.map(str::to_owned));
    let header = (select(headers), header());
    let header = header.prop_map(|(name, value)| Change::Header(name, value));
    let raw = "[ -~é]{0,40}".prop_map(Change::Query).boxed();
    let query = if queries.is_empty() {
        raw
    } else {
        let pair = (select(queries), odd::text());
        let pair = pair.prop_map(|(name, value)| format!("{name}={}", encoded(&value)));
        let pairs = prop::collection::vec(pair, 1..3);
        prop_oneof![4 => pairs.prop_map(|all| Change::Query(all.join("&"))), 1 => raw].boxed()
    };
    let path = if params.is_empty() {
        // Of what is no route, too.
        odd::text()
            .prop_map(|it| Change::Path(format!("/{it}")))
            .boxed()
    } else {
        let param = (select(params), odd::text());
        // A gateway has no route for a path with an empty part.
        let param = param.prop_filter("no part", |(_, value)| !value.is_empty());
        param
            .prop_map(|(name, value)| Change::Param(name, value))
            .boxed()
    };
    Some(prop_oneof![path, query, header].boxed())
}

/// What HTTP lets through.
fn header() -> impl Strategy<Value = String> {
    let allowed = |c: char| c == '\t' || !c.is_ascii_control();
    odd::text().prop_map(move |text| text.chars().filter(|c| allowed(*c)).collect())
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn names_in_braces(path: &str) -> impl Iterator<Item = String> {
    let parts = path.split('{').skip(1);
    parts.filter_map(|part| part.split('}').next().map(str::to_owned))
}

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(openapi::document)
}

/// What the document says of a route; null of one that it leaves out.
pub(super) fn described(route: &str) -> &'static Value {
    let (method, path) = route.split_once(' ').unwrap_or_default();
    &document()["paths"][path][method.to_ascii_lowercase()]
}

fn named(place: &str, route: &str) -> Vec<String> {
    let all = described(route)["parameters"]
        .as_array()
        .into_iter()
        .flatten();
    let here = all.filter(|it| it["in"] == place);
    here.filter_map(|it| it["name"].as_str().map(str::to_owned))
        .collect()
}

/// The names that a route's body may have, at any depth.
fn names_of_body(route: &str, sample: &Value) -> Vec<String> {
    let mut names = BTreeSet::from(["nobody_knows".to_owned()]);
    properties(&described(route)["requestBody"], 0, &mut names);
    let sample = sample.as_object().into_iter().flatten();
    names.extend(sample.map(|(name, _)| name.clone()));
    names.into_iter().collect()
}

fn properties(schema: &Value, deep: usize, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(all) => {
            if let Some(Value::Object(properties)) = all.get("properties") {
                names.extend(properties.keys().cloned());
            }
            if let Some(Value::String(to)) = all.get("$ref")
                && deep < 8
            {
                let to = document().pointer(to.trim_start_matches('#'));
                properties(to.unwrap_or(&Value::Null), deep + 1, names);
            }
            for inner in all.values() {
                properties(inner, deep, names);
            }
        }
        Value::Array(all) => all.iter().for_each(|inner| properties(inner, deep, names)),
        _ => {}
    }
}
