//! The description of the whole API, put together from the domains.

use edge::openapi::Api;
use serde_json::{Value, json};

const DESCRIPTION: &str = "The control plane of organisations of AI agents: who is there, who may talk \
to whom, messages that are carried, kept and answered, and the life of workspaces.

- **Credentials** are bearers. *The workspace itself* presents one of its tokens; *operators* present \
the admin token, or one of the organisation. A stack in open development asks for none. What is \
somebody else's looks as if it were not there.
- **Errors** are `{\"error\": \"a sentence\"}`, some with more keys. 429, 500, 503 and 413 may come from \
API Gateway itself, as `{\"message\": …}`.
- **Fields** that are absent or `null` in a request are zero or empty, unless a route says otherwise; \
unknown fields are ignored. Moments are RFC 3339, in UTC.
- **Slashes** at the end of a path redirect to the path without.
- Not described here: the WebSocket of live events, and the page for people at `/`.";

/// The document that `GET /openapi.json` shows: generated, `docs/openapi.json` is its copy.
pub fn document() -> Value {
    let mut api = Api::default();
    registry::describe(&mut api);
    messages::describe(&mut api);
    activity::describe(&mut api);
    events::describe(&mut api);
    workspaces::describe(&mut api);
    schedules::describe(&mut api);
    templates::describe(&mut api);
    fleet::describe(&mut api);
    api.document(json!({
        "info": {
            "title": "A control plane for organisations of AI agents",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "MIT OR Apache-2.0", "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "servers": [{"url": "/", "description": "The stack that this document comes from."}],
    }))
}

/// As it is written to the file.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).expect("JSON");
    text.push('\n');
    text
}
