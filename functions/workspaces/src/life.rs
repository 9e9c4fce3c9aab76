//! What the routes of a workspace's life have in common.

use domain::{Error, Kind, Result, WorkspaceId, workspace::Status};
use edge::{App, Caller, Identity, auth};
use store::{
    Rows,
    lifecycle::{Acted, Ask},
    workspaces::{Parts, Workspace},
};
use tokio::task::JoinSet;

/// How many workspaces one call changes; what is left goes with the same call once more. At a
/// handful of milliseconds each, well within a function's time.
pub(crate) const MOST: usize = 300;
/// How many of them at once.
const AT_ONCE: usize = 8;

/// Who calls, and the workspace with its load and machine, for itself and operators; `missing` when
/// it is not there or removed.
pub(crate) async fn own(
    app: &App,
    caller: &Caller,
    id: WorkspaceId,
    missing: fn() -> Error,
) -> Result<(Identity, Workspace)> {
    let (rows, credential) = app.rows(caller, Parts::WithMachine.keys(id)).await?;
    let identity = auth::own(app.settings.mode, caller, id, credential.as_ref())?;
    Ok((identity, alive(&rows, id, missing)?))
}

/// The workspace for what operators do to it: `refusal` tells the workspace itself.
pub(crate) async fn operated(
    app: &App,
    caller: &Caller,
    id: WorkspaceId,
    refusal: &'static str,
    missing: fn() -> Error,
) -> Result<Workspace> {
    let (rows, credential) = app.rows(caller, Parts::WithMachine.keys(id)).await?;
    auth::operator_of(app.settings.mode, caller, id, credential.as_ref(), refusal)?;
    alive(&rows, id, missing)
}

fn alive(rows: &Rows, id: WorkspaceId, missing: fn() -> Error) -> Result<Workspace> {
    let found = rows.workspace(id)?;
    found
        .filter(|found| found.status() != Status::Removed)
        .ok_or_else(missing)
}

/// Whether nothing here could start it, nor anybody else.
pub(crate) fn without_backend(app: &App, workspace: &Workspace) -> bool {
    !app.settings.fleet.is_there() && !workspace.meta.is_external()
}

/// The contract's answer for that.
pub(crate) fn no_provisioner() -> Error {
    Error::new(Kind::Busy, "provisioner not available")
}

/// The nearest ancestor that is paused.
pub(crate) async fn paused_above(app: &App, workspace: &Workspace) -> Result<Option<Error>> {
    let above = app.store.load_workspaces(&workspace.meta.path, Parts::Core);
    let mut nearest = above.await?.into_iter().rev();
    let paused = nearest.find(|ancestor| ancestor.status() == Status::Paused);
    Ok(paused.map(|ancestor| under(&ancestor.meta.name)))
}

/// The refusal because of this ancestor, which an act found paused.
pub(crate) async fn under_paused(app: &App, ancestor: WorkspaceId) -> Error {
    match app.store.workspace(ancestor, Parts::Core).await {
        Ok(Some(ancestor)) => under(&ancestor.meta.name),
        Ok(None) => under(&ancestor.to_string()),
        Err(error) => error,
    }
}

fn under(name: &str) -> Error {
    Error::conflict(format!(
        "parent workspace \"{name}\" is paused — resume it first"
    ))
}

/// Does the same to many workspaces, some at once.
pub(crate) async fn act_on_all(
    app: &'static App,
    ids: &[WorkspaceId],
    ask: &Ask<'static>,
) -> Result<Vec<Acted>> {
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(AT_ONCE) {
        let mut acts = JoinSet::new();
        for id in some {
            let (id, ask) = (*id, ask.clone());
            acts.spawn(async move { app.store.act(id, &ask).await });
        }
        for acted in acts.join_all().await {
            all.push(acted?);
        }
    }
    Ok(all)
}

/// How many were changed.
pub(crate) fn done(acted: &[Acted]) -> usize {
    let done = acted.iter();
    done.filter(|acted| matches!(acted, Acted::Done { .. }))
        .count()
}
