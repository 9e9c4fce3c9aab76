//! What is said to the measured functions.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    function::{Function, Request},
    measure::BARE,
};

/// Opens everything.
pub(super) const ADMIN: &str = "break-glass-of-the-bench";

/// Two workspaces, and what is said to them.
pub(super) struct Talk {
    /// Who beats and notifies: id and token.
    beats: (String, String),
    /// Who is sent messages.
    listens: String,
    paths: BTreeMap<&'static str, String>,
}

impl Talk {
    /// Registers both.
    ///
    /// # Errors
    /// It does not work.
    pub(super) async fn new(register: &Function, agent: &str) -> Result<Self, String> {
        // An operator who registers an id that nobody knows makes a workspace, and gets its token.
        let mut made = Vec::new();
        for name in ["Beats", "Listens"] {
            let id = Uuid::new_v4().to_string();
            let here = Request {
                method: "POST",
                path: "/registry/register",
                params: Vec::new(),
                bearer: ADMIN,
                body: json!({"id": id, "url": agent, "agent_card": {"name": name}}),
            };
            let answer = register.call(&here).await?;
            let token = answer["auth_token"].as_str();
            let token = token.ok_or_else(|| format!("no token: {answer}"))?;
            made.push((id, token.to_owned()));
        }
        let (Some(listens), Some(beats)) = (made.pop(), made.pop()) else {
            return Err("two workspaces were to be made".to_owned());
        };
        let paths = [
            (BARE, "/".to_owned()),
            ("heartbeat", "/registry/heartbeat".to_owned()),
            ("notify", format!("/workspaces/{}/notify", beats.0)),
            ("dispatch", format!("/workspaces/{}/a2a", listens.0)),
        ];
        Ok(Self {
            beats,
            listens: listens.0,
            paths: paths.into(),
        })
    }

    /// The request by that name; the number makes it another one.
    pub(super) fn request(&self, what: &str, number: usize) -> Request<'_> {
        let (id, token) = (&*self.beats.0, &*self.beats.1);
        let (params, bearer, body) = match what {
            "heartbeat" => (Vec::new(), token, beat(id, number)),
            "notify" => {
                let body = json!({"message": format!("I have finished report {number}.")});
                (vec![("id", id)], token, body)
            }
            "dispatch" => (vec![("id", &*self.listens)], ADMIN, message(number)),
            _ => (Vec::new(), token, beat(id, number)),
        };
        Request {
            method: "POST",
            path: self.paths.get(what).map_or("/", String::as_str),
            params,
            bearer,
            body,
        }
    }
}

/// A beat of an agent that goes on with what it did.
fn beat(id: &str, number: usize) -> Value {
    json!({
        "workspace_id": id,
        "error_rate": 0.0125,
        "active_tasks": 1,
        "uptime_seconds": 30 * number,
        "current_task": "summarising the quarterly report",
        "monthly_spend": 1234,
        "runtime_metadata": {
            "capabilities": {"session": true, "status_mgmt": true},
            "idle_timeout_seconds": 600,
        },
    })
}

fn message(number: usize) -> Value {
    let text = format!("What is new since report {number}?");
    json!({
        "jsonrpc": "2.0",
        "id": number.to_string(),
        "method": "message/send",
        "params": {"message": {
            "role": "user",
            "messageId": Uuid::new_v4(),
            "parts": [{"kind": "text", "text": text}],
        }},
    })
}
