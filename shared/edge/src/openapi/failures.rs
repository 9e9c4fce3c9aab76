//! The answers to what went wrong, described once: routes refer to them.

use domain::Kind;
use serde_json::{Map, Value, json};

use crate::http::status;

/// The name and the description of each status there is.
fn named(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Invalid => ("Invalid", "The request cannot be right: `error` says why."),
        Kind::Unauthenticated => (
            "Unauthenticated",
            "No credential, or not a live one, or one of another workspace.",
        ),
        Kind::OverBudget => (
            "OverBudget",
            "The workspace has spent what its month may cost.",
        ),
        Kind::Forbidden => (
            "Forbidden",
            "A live credential that does not reach this far. Without a body: a browser's page from an \
             origin that is not among `CorsOrigins`.",
        ),
        Kind::Missing => (
            "Missing",
            "There is no such thing, or none for this caller.",
        ),
        Kind::Conflict => ("Conflict", "Not in the state that the thing is in."),
        Kind::Gone => (
            "Gone",
            "The cursor is not known any more: start over without it.",
        ),
        Kind::TooLarge => (
            "TooLarge",
            "The body is larger than the route takes: `max_bytes`.",
        ),
        Kind::TooMany => ("TooMany", "A limit of count or rate is reached."),
        Kind::Unreachable => (
            "Unreachable",
            "An agent, or what is behind us, could not be reached, or its reply was lost.",
        ),
        Kind::Busy | Kind::PlatformUnavailable => (
            "Unavailable",
            "It cannot be done now, and may be tried again. `code` is `platform_unavailable` when the \
             datastore did not answer.",
        ),
        Kind::Internal => ("Internal", "A defect of ours. Nothing of it is told."),
    }
}

/// What the gateway may answer by itself too, in its own words.
fn is_the_gateways(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::TooLarge | Kind::TooMany | Kind::Busy | Kind::PlatformUnavailable | Kind::Internal
    )
}

const ALL: [Kind; 12] = [
    Kind::Invalid,
    Kind::Unauthenticated,
    Kind::OverBudget,
    Kind::Forbidden,
    Kind::Missing,
    Kind::Conflict,
    Kind::Gone,
    Kind::TooLarge,
    Kind::TooMany,
    Kind::Unreachable,
    Kind::Busy,
    Kind::Internal,
];

/// The status, and the reference for a route.
pub(super) fn reference(kind: Kind) -> (String, Value) {
    let name = named(kind).0;
    let reference = json!({"$ref": format!("#/components/responses/{name}")});
    (status(kind).as_u16().to_string(), reference)
}

/// The answers themselves.
pub(super) fn responses() -> Map<String, Value> {
    let described = |kind: Kind| {
        let (name, description) = named(kind);
        let error = json!({"$ref": "#/components/schemas/Error"});
        let schema = if is_the_gateways(kind) {
            json!({"anyOf": [error, {"$ref": "#/components/schemas/GatewayError"}]})
        } else {
            error
        };
        let mut response = json!({
            "description": description,
            "content": {"application/json": {"schema": schema}},
        });
        if matches!(kind, Kind::TooMany | Kind::Busy) {
            response["headers"] = json!({"Retry-After": {
                "description": "Seconds, where waiting helps.",
                "schema": {"type": "integer", "minimum": 0},
            }});
        }
        (name.to_owned(), response)
    };
    ALL.into_iter().map(described).collect()
}

/// What `edge::http::failure` writes.
pub(super) fn error() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong. Some errors have more keys, which their routes tell of.",
        "required": ["error"],
        "properties": {
            "error": {"type": "string", "description": "A sentence. Clients may match on it."},
            "code": {"type": "string", "description": "For programs, where there is one."},
            "detail": {"type": "string", "description": "Which part of the request it was."},
            "hint": {"type": "string", "description": "What to do instead."},
            "max_bytes": {"type": "integer", "description": "The most that is taken."},
            "status": {"type": "string", "description": "The workspace's, if that is in the way."},
        },
    })
}

/// What the gateway writes.
pub(super) fn gateway_error() -> Value {
    json!({
        "type": "object",
        "description": "An answer of API Gateway itself: too many requests, too large a request, or no \
                        answer of ours within 30 s.",
        "required": ["message"],
        "properties": {"message": {"type": ["string", "null"]}},
    })
}
