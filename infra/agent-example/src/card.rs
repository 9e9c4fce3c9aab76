//! The agent card: how an agent introduces itself to others.

use serde_json::{Value, json};

use crate::commands::{COMMANDS, split_word};

/// The card of an agent of this name at this address.
pub(crate) fn card(name: &str, url: &str) -> Value {
    let skills = COMMANDS.map(|(usage, description)| {
        let id = split_word(usage).0;
        json!({"id": id, "name": id, "description": description, "tags": ["command"], "examples": [usage]})
    });
    json!({
        "name": name,
        "description": "An example agent: it does what the first word of a message says.",
        "version": env!("CARGO_PKG_VERSION"),
        "url": url,
        "protocolVersion": "0.3.0",
        "preferredTransport": "JSONRPC",
        "capabilities": {"streaming": false, "pushNotifications": false},
        "defaultInputModes": ["text/plain"],
        "defaultOutputModes": ["text/plain"],
        "skills": skills,
    })
}
