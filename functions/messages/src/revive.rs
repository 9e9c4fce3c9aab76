//! A message for a workspace that is offline: its machine is started anew, once, and the message
//! waits for it (decision 11; contract: lifecycle-and-sweepers 3.8).
//!
//! Here the start comes before acceptance, unlike a wake: until then the gate is open, and the
//! message would be offered to where nobody is. A crash in between costs nothing: the machine had
//! to be started anyway, and the sender has no answer.

use domain::{Error, Kind, Result, WorkspaceId, lifecycle::Act, workspace::Status};
use edge::App;
use jiff::Timestamp;
use store::{
    lifecycle::{Acted, Ask},
    workspaces::Parts,
};

use crate::{
    Messages,
    route::{self, Route},
    submit::Sent,
};

/// Starts the machine of an offline workspace anew, unless that was done within ten minutes or one
/// above it is paused.
///
/// # Errors
/// The datastore did not answer.
pub(crate) async fn revive(app: &App, id: WorkspaceId, now: Timestamp) -> Result<Acted> {
    let boot_within = app.settings.fleet.boot_within;
    app.store
        .act(id, &Ask::new(&Act::Revive, boot_within, now))
        .await
}

/// The message as it goes on, with its target as it is now: it waits for a machine that starts, and
/// is tried as it is where none may. The sweep starts one that was left alone as it had been started
/// a while ago.
///
/// # Errors
/// Those of [`route::decide`]; the datastore did not answer.
pub(crate) async fn revived(messages: &Messages, mut sent: Sent, now: Timestamp) -> Result<Sent> {
    if sent.route != Route::Revive {
        return Ok(sent);
    }
    let (app, id) = (messages.app, sent.target.meta.id);
    let acted = revive(app, id, now).await?;
    let missing = || Error::missing("workspace not found");
    let target = app.store.workspace(id, Parts::WithMachine).await?;
    sent.target = target.ok_or_else(missing)?;
    sent.restarts = match acted {
        Acted::Done { .. } => true,
        // Somebody else's message did, or it has to rest first.
        Acted::NotNow(status) => matches!(status, Status::Provisioning | Status::Offline),
        Acted::UnderPaused(_) | Acted::Working => false,
        Acted::Unknown => return Err(missing()),
    };
    let sender = sent.sender.as_ref();
    sent.route = match route::decide(&sent.source, sender, Some(&sent.target), now)? {
        Route::Revive => route::as_it_is(&sent.target)?,
        other => other,
    };
    Ok(sent)
}

/// The contract's answer for a message that is not kept while its target is started anew
/// (a2a-notify-events 2.7).
pub(crate) fn restarting() -> Error {
    let sentence = "workspace agent unreachable — container restart triggered";
    Error::new(Kind::Busy, sentence).with("restarting", true)
}
