//! `GET /workspaces/{id}/console`: what a workspace's machine printed while booting (contract:
//! lifecycle-and-sweepers 3.13).

use std::time::Duration;

use domain::{Error, Kind, Result, WorkspaceId};
use edge::{
    Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use lambda_http::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use store::workspaces::Parts;
use tokio::time::timeout;

use crate::{
    Crew,
    crew::recorded,
    machines::{Class, Machines, Trouble},
};

/// How long EC2 may take: the API waits 30 s.
const PATIENCE: Duration = Duration::from_secs(20);

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ConsoleOutput")]
struct Console {
    output: String,
}

/// The error of a stack without machines.
#[derive(Debug, Serialize, JsonSchema)]
struct NoBackend {
    error: &'static str,
}

/// Shows the end of the output, at most 64 KiB; empty where there is none yet.
///
/// # Errors
/// 400, 401; 404; 501 without a backend, 502 when EC2 did not answer.
pub async fn handle<M: Machines>(
    crew: &'static Crew<M>,
    caller: Caller,
    input: Input,
) -> Result<Reply> {
    let id = input
        .param::<WorkspaceId>("id")
        .map_err(|_| Error::invalid("workspace id required"))?;
    let (rows, credential) = crew.app.rows(&caller, Parts::WithMachine.keys(id)).await?;
    auth::admin(crew.app.settings.mode, &caller, credential.as_ref())?;
    let workspace = rows.workspace(id)?;
    let workspace = workspace.ok_or_else(|| Error::missing("workspace not found"))?;
    if !crew.app.settings.fleet.is_there() {
        return Ok(no_backend());
    }
    let Some(machine) = workspace.machine.as_ref().and_then(recorded) else {
        return Ok(shown(""));
    };
    let output = timeout(PATIENCE, crew.machines.console(&machine)).await;
    match output.unwrap_or_else(|_| Err(Trouble::new(Class::Unknown, "no answer in time"))) {
        Ok(output) => Ok(shown(&output)),
        Err(trouble) if trouble.class() == Class::NoBackend => Ok(no_backend()),
        Err(trouble) => {
            tracing::warn!(workspace_id = %id, error = %trouble, "no console output");
            let sentence = "control plane returned an error fetching console output";
            Err(Error::new(Kind::Unreachable, sentence).caused_by(trouble))
        }
    }
}

fn shown(output: &str) -> Reply {
    // What agents print may hold what they know.
    let output = output.to_owned();
    Reply::ok(&Console { output }).header("cache-control", "no-store")
}

fn no_backend() -> Reply {
    let error = "console output unavailable on this deployment (no control plane)";
    Reply::json(StatusCode::NOT_IMPLEMENTED, &NoBackend { error })
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/console";
    api.route(
        "get_console",
        path,
        Who::Operator,
        "What a machine printed while booting",
    )
    .ok::<Console>("The end of it, at most 64 KiB; empty where there is none.")
    .answers::<NoBackend>(501, "This stack has no machines.")
    .fails(&[Kind::Missing, Kind::Unreachable]);
}
