//! Machines start anew with another image, each while it has nothing to do.

use domain::{Result, WorkspaceId, lifecycle::Act, workspace::Status};
use edge::App;
use jiff::Timestamp;
use store::{
    images::{Images, is_outdated},
    keys,
    lifecycle::{Acted, Ask},
    workspaces::Parts,
};

/// How often a job comes again before it begins a new round; with the queue's 180 s, nine minutes.
/// One less than the queue takes for dead, so that work that goes on is no alarm.
const RECEIVES: u32 = 4;
/// After so many rounds, about a day, whoever still works keeps its image until it starts anew.
const ROUNDS: u32 = 120;

/// A job for each machine of this runtime with another image, of the next part of the list.
///
/// # Errors
/// The datastore did not answer.
pub(super) async fn some(
    app: &App,
    runtime: &str,
    after: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let images = app.store.images().await?;
    // The operator took the runtime, or wrote another image: nothing is left to do.
    let Some(image) = pinned(app, &images, runtime) else {
        return Ok(());
    };
    let outdated = app.store.outdated(runtime, image, after).await?;
    tracing::info!(
        runtime,
        restarts = outdated.ids.len(),
        goes_on = outdated.next.is_some(),
        "an image has changed"
    );
    app.store.refresh_some(runtime, &outdated, now).await
}

/// Starts a machine anew if it runs another image than it should and has nothing to do; false if it
/// is to be looked at again.
///
/// # Errors
/// The datastore did not answer.
pub(super) async fn one(
    app: &App,
    id: WorkspaceId,
    round: u32,
    received: u32,
    now: Timestamp,
) -> Result<bool> {
    let wanted = Parts::WithMachine.keys(id).into_iter();
    let mut rows = app.store.rows(wanted.chain([keys::images()])).await?;
    let images = rows.images()?;
    let Some(workspace) = rows.workspace(id)? else {
        return Ok(true);
    };
    let runtime = &workspace.meta.runtime;
    let due = pinned(app, &images, runtime).filter(|it| is_outdated(&workspace, runtime, it));
    if due.is_none() {
        return Ok(true);
    }
    // What boots may have been told the old image a moment ago: once it is up, one knows.
    if workspace.status() != Status::Provisioning {
        let ask = Ask::new(&Act::Refresh, app.settings.fleet.boot_within, now);
        let generation = workspace.machine.as_ref().map_or(0, |it| it.generation);
        match app.store.act(id, &ask.of_generation(generation)).await? {
            Acted::Working => {}
            _ => return Ok(true),
        }
    }
    if received < RECEIVES {
        return Ok(false);
    }
    if round >= ROUNDS {
        tracing::warn!(workspace_id = %id, "always at work: it keeps its image until it restarts");
        return Ok(true);
    }
    app.store.refresh_later(id, round + 1, now).await?;
    Ok(true)
}

/// The image by digest that machines of this runtime should run, if one was resolved.
fn pinned<'a>(app: &App, images: &'a Images, runtime: &str) -> Option<&'a str> {
    let configured = app.settings.fleet.images.get(runtime)?;
    images.pinned(runtime, configured)
}
