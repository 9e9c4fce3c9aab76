//! `POST /registry/heartbeat`: an agent says it lives, and how (contract: registry-and-auth 8.2).

use std::collections::BTreeMap;

use domain::{
    Error, Kind, Mode, Result, WorkspaceId, capabilities::RuntimeMetadata, workspace::Heartbeat,
};
use edge::{
    Bearer, Caller, Input, Reply,
    http::{Fields, Number},
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::beats::{Proof, Recorded};

use crate::nudge::Registry;

/// The most a heartbeat may be, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// A heartbeat as agents send it. What is absent is zero or empty, and overwrites.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(example = serde_json::json!({
    "workspace_id": "3f0c2a4e-7b1d-4c58-9a6f-1d2e3c4b5a69",
    "active_tasks": 1,
    "current_task": "reading",
    "error_rate": 0.0,
    "uptime_seconds": 3600,
}))]
pub struct HeartbeatRequest {
    workspace_id: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    error_rate: Number,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    sample_error: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    active_tasks: i64,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    uptime_seconds: i64,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    current_task: String,
    /// US cents, running total of the month.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    monthly_spend: i64,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    runtime_state: String,
    /// Absent or null: a partial beat of a helper, which declares nothing.
    #[serde(default)]
    runtime_metadata: Option<Metadata>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "RuntimeMetadata")]
struct Metadata {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    capabilities: BTreeMap<String, bool>,
    #[serde(default)]
    idle_timeout_seconds: Option<i64>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HeartbeatReply {
    status: &'static str,
}

impl HeartbeatRequest {
    fn parse(self) -> Result<(WorkspaceId, Heartbeat)> {
        if self.workspace_id.is_empty() {
            return Err(Error::invalid("invalid request body"));
        }
        let beat = Heartbeat {
            error_rate: self.error_rate.into(),
            sample_error: self.sample_error,
            active_tasks: self.active_tasks,
            uptime_seconds: self.uptime_seconds,
            current_task: self.current_task,
            monthly_spend: Heartbeat::spend(self.monthly_spend),
            runtime_state: self.runtime_state,
            runtime: self.runtime_metadata.map(|metadata| {
                RuntimeMetadata::new(&metadata.capabilities, metadata.idle_timeout_seconds)
            }),
        };
        Ok((self.workspace_id.parse()?, beat))
    }
}

/// Records a beat; when it changes nothing, that one write is all.
///
/// # Errors
/// 400, 401, 404 (open development only: elsewhere an unknown workspace looks like a foreign one).
pub async fn handle(registry: &'static Registry, caller: Caller, input: Input) -> Result<Reply> {
    let app = registry.app;
    let request: HeartbeatRequest = input.json(MAX_BYTES, "invalid request body")?;
    let (id, beat) = request.parse()?;
    let mode = app.settings.mode;

    let before = match app
        .store
        .record_beat(id, proof(mode, &caller)?, &beat, input.now)
        .await?
    {
        Recorded::Before(before) => before,
        Recorded::Unknown if mode.doors_open() => {
            return Err(Error::missing("workspace not found"));
        }
        Recorded::Unknown | Recorded::NotProven => return Err(unproven(&caller)),
    };
    if let Some(hash) = caller.token() {
        // From now on its share is its own, not that of all behind its address.
        app.limits.belongs(hash, id);
    }
    if before.waiting && beat.active_tasks < before.max_tasks {
        registry.nudge(id).await;
    }
    let turn = beat.turn(before.status, before.capabilities);
    if turn.is_some() || before.task_changes(&beat) || before.error_changes(&beat) {
        app.store
            .settle_beat(id, &before, &beat, turn.as_ref(), input.now)
            .await?;
    }
    Ok(Reply::ok(&HeartbeatReply { status: "ok" }))
}

/// What the write must prove. Admin and organisation tokens do not open this route.
fn proof<'a>(mode: Mode, caller: &'a Caller) -> Result<Proof<'a>> {
    match &caller.bearer {
        Bearer::Token(hash) if mode.doors_open() => Ok(Proof::TokenOrNone(hash)),
        Bearer::Token(hash) => Ok(Proof::Token(hash)),
        Bearer::None if mode.doors_open() => Ok(Proof::None),
        Bearer::None | Bearer::Admin => Err(unproven(caller)),
    }
}

/// The contract's two sentences (registry-and-auth 4.4).
fn unproven(caller: &Caller) -> Error {
    Error::unauthenticated(match caller.bearer {
        Bearer::None => "missing workspace auth token",
        Bearer::Admin | Bearer::Token(_) => "invalid workspace auth token",
    })
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "Says that an agent lives, and how";
    api.route(
        "heartbeat",
        "POST /registry/heartbeat",
        Who::Itself,
        summary,
    )
    .about("Every 30 s. What is absent, or null, is zero or empty, and overwrites.")
    .body::<HeartbeatRequest>(MAX_BYTES)
    .ok::<HeartbeatReply>("It was heard.")
    .fails(&[Kind::Missing]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<(WorkspaceId, Heartbeat)> {
        serde_json::from_str::<HeartbeatRequest>(body)
            .map_err(|_| Error::invalid("invalid request body"))?
            .parse()
    }

    const ID: &str = "0a1b2c3d-0000-4000-8000-00000000000f";

    #[test]
    fn what_is_absent_or_null_is_zero() {
        let full = parse(&format!(
            r#"{{"workspace_id":"{ID}","error_rate":null,"active_tasks":null,"sample_error":null,
                "monthly_spend":null,"runtime_metadata":null,"unknown":1}}"#
        ));
        assert_eq!(full.expect("fine").1, Heartbeat::default());
        let bare = parse(&format!(r#"{{"workspace_id":"{ID}"}}"#));
        assert_eq!(bare.expect("fine").1, Heartbeat::default());
    }

    #[test]
    fn present_metadata_declares_even_when_empty() {
        let body =
            format!(r#"{{"workspace_id":"{ID}","runtime_metadata":{{"capabilities":null}}}}"#);
        assert_eq!(
            parse(&body).expect("fine").1.runtime,
            Some(RuntimeMetadata::default())
        );
    }

    #[test]
    fn wrong_types_and_missing_ids_are_refused() {
        for body in [
            "{}",
            r#"{"workspace_id":""}"#,
            r#"{"workspace_id":7}"#,
            r#"{"workspace_id":"not-a-uuid"}"#,
            &format!(r#"{{"workspace_id":"{ID}","active_tasks":1.5}}"#),
            &format!(r#"{{"workspace_id":"{ID}","active_tasks":"1"}}"#),
            &format!(r#"{{"workspace_id":"{ID}","uptime_seconds":1e3}}"#),
            &format!(r#"{{"workspace_id":"{ID}","monthly_spend":1e30}}"#),
            &format!(
                r#"{{"workspace_id":"{ID}","runtime_metadata":{{"capabilities":{{"a":1}}}}}}"#
            ),
            &format!(
                r#"{{"workspace_id":"{ID}","runtime_metadata":{{"idle_timeout_seconds":1.5}}}}"#
            ),
        ] {
            assert!(parse(body).is_err(), "{body}");
        }
    }
}
