//! The store over the emulator: what HTTP alone cannot show. What AWS does and the emulator does
//! not (conflicts, throttling, outages) is put in on the wire.

mod conflicts;
mod every_route;
mod garbage;
mod initial_memories;
mod late;
mod lifecycle;
mod lifecycle_hosts;
mod lifecycle_races;
mod lifecycle_routes;
mod limits;
mod lost;
mod many_files;
mod outage;
mod outbox;
mod quota;
mod reads;
mod restart_context;
pub(crate) mod restarts;
mod secrets;
mod secrets_kms;
mod secrets_log;
mod tokens;
mod tree;
mod unkept;
pub(crate) mod wakes;
mod weather;

use std::collections::BTreeSet;

use domain::WorkspaceId;
use e2e::{Workspace, counted::InProcess};
use store::keys;

fn id(workspace: &Workspace) -> WorkspaceId {
    workspace.id.parse().expect("an id")
}

/// The names of the events of a workspace, newest first.
async fn events(inside: &InProcess, workspace: &Workspace) -> Vec<String> {
    let rows = inside.app.store.newest_events_of(id(workspace)).await;
    let rows = rows.expect("events");
    rows.into_iter().map(|row| row.event_type).collect()
}

/// The marks of live tokens on a workspace's hot item, as text.
async fn marks(inside: &InProcess, workspace: &Workspace) -> BTreeSet<String> {
    let item = inside.scale.item_at(&keys::beat(id(workspace))).await;
    let item = item.unwrap_or_default();
    let marks = item["tokens"]["BS"].as_array().into_iter().flatten();
    marks.map(ToString::to_string).collect()
}

/// Who may encrypt and decrypt, with no key in memory.
fn vaulted(inside: &InProcess) -> &'static workspaces::Vaulted {
    let key = std::env::var("SECRETS_KEY_ARN").expect("set by `make test`");
    workspaces::Vaulted::with_key(inside.app, &key)
}
