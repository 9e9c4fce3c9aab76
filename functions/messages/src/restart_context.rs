//! What an agent is told that is back after a restart (contract: lifecycle-and-sweepers 3.7).
//!
//! It goes the way of all messages, through the ledger: that gives it once, in its turn, and to no
//! agent that is gone. Whoever fetches its messages gets none, as its row in the activity would be
//! its delivery, and this one shows there to nobody.

use std::collections::BTreeSet;

use domain::{
    Result, WorkspaceId,
    activity::Source,
    envelope,
    request::Priority,
    restart::{Restart, SENDER},
    secret::{Scope, SecretName},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::{
    keys,
    ledger::Ledger as _,
    workspaces::{DeliveryMode, Parts},
};
use uuid::Uuid;

use crate::{
    Messages,
    options::Options,
    route::{Route, over_budget},
    submit::Sent,
};

/// How long it may wait: longer than an agent works on one message, and no longer than it is news.
const NEWS: SignedDuration = SignedDuration::from_hours(1);

/// Tells an agent of its restart, before all others that wait, unless it is not there (any more). A
/// job that comes twice finds it told.
///
/// # Errors
/// The datastore did not answer: the job is tried again.
pub async fn send(messages: &Messages, id: WorkspaceId, restart: &Restart) -> Result<()> {
    let (store, now) = (
        &messages.app.store,
        domain::time::to_micros(Timestamp::now()),
    );
    let scopes = [Scope::Global, Scope::Workspace(id)];
    let wanted = Parts::WithMachine.keys(id).into_iter();
    let rows = store.rows(wanted.chain(scopes.map(keys::keyring))).await?;
    let Some(target) = rows.workspace(id)? else {
        return Ok(());
    };
    // Started once more, or asleep again: a message would wake it.
    let there = target.status().answers() && target.meta.delivery_mode == DeliveryMode::Push;
    if !there || over_budget(&target, now) {
        tracing::info!(workspace_id = %id, "nobody is told of the restart");
        return Ok(());
    }
    let mut rings = Vec::new();
    for scope in scopes {
        rings.extend(rows.keyring(scope)?);
    }
    let names = rings.iter().flat_map(|ring| ring.secrets().keys());
    let message = message(restart, &names.map(SecretName::as_str).collect());
    let envelope = envelope::read(&message, Uuid::new_v4)?;
    let sent = Sent {
        source: Source::Platform(SENDER.to_owned()),
        sender: None,
        target,
        route: Route::Wake,
        restarts: false,
    };
    let options = Options {
        priority: Priority::Critical,
        expires_in: NEWS,
        deadline: None,
        trace: None,
    };
    let request = sent.request(&envelope, options, now)?;
    store.put_body(request.body, &envelope.body, now).await?;
    let accepted = store.accept(&request, true).await?;
    tracing::info!(workspace_id = %id, ?accepted, "an agent is told of its restart");
    Ok(())
}

fn message(restart: &Restart, names: &BTreeSet<&str>) -> Vec<u8> {
    let message = json!({
        "method": "message/send",
        "params": {
            "message": {
                "role": "user",
                "messageId": restart.message_id(),
                "parts": [{"type": "text", "text": restart.context(names)}],
                "metadata": {
                    "source": "platform",
                    "kind": "restart_context",
                    "layer": 1,
                    "restart_context": true,
                },
            },
        },
    });
    message.to_string().into_bytes()
}
