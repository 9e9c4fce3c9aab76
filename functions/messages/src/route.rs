//! Where a message goes: access, budget, address, in this order (contract: a2a-notify-events 2.2
//! steps 5 to 7; decision 11).

use domain::{
    Error, Kind, Result, access::may_talk, activity::Source, lifecycle::Host, workspace::Status,
};
use jiff::Timestamp;
use store::workspaces::{DeliveryMode, Workspace};

/// How the target gets its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// They are posted to this address.
    Push(String),
    /// It fetches them.
    Poll,
    /// It sleeps or boots: they wait in line until it answers.
    Wake,
    /// It is offline, on a machine of ours: that one is started anew first, if it may be.
    Revive,
}

/// Decides whether `source` may send to `target` now, and how.
///
/// # Errors
/// 403 (also when the target is not there: a workspace learns nothing of strangers), 404, 402, 503.
pub fn decide(
    source: &Source,
    sender: Option<&Workspace>,
    target: Option<&Workspace>,
    now: Timestamp,
) -> Result<Route> {
    let denied =
        || Error::forbidden("access denied: workspaces cannot communicate per hierarchy rules");
    let itself = match (source, target) {
        (Source::Workspace(id), Some(target)) => *id == target.meta.id,
        _ => false,
    };
    if matches!(source, Source::Workspace(_)) && !itself {
        match (sender, target) {
            (Some(a), Some(b)) if may_talk(&a.meta.place(), &b.meta.place()) => {}
            _ => return Err(denied()),
        }
    }
    let missing = || Error::missing("workspace not found");
    let target = target.ok_or_else(missing)?;
    let beat = target.beat.as_ref().ok_or_else(missing)?;
    if over_budget(target, now) {
        return Err(Error::new(
            Kind::OverBudget,
            "workspace budget limit exceeded",
        ));
    }
    if beat.status == Status::Paused {
        return Err(no_url(beat.status));
    }
    if target.meta.delivery_mode == DeliveryMode::Poll {
        return Ok(Route::Poll);
    }
    match beat.status {
        Status::Hibernating | Status::Hibernated => return Ok(Route::Wake),
        // On its way: a machine boots, or whoever was woken is waited for.
        Status::Provisioning | Status::AwaitingAgent if target.keeps_messages() => {
            return Ok(Route::Wake);
        }
        Status::Offline if target.host() == Host::Machine => return Ok(Route::Revive),
        _ => {}
    }
    as_it_is(target)
}

/// To where it answered last, whatever its status.
///
/// # Errors
/// 503 when it has no address.
pub(crate) fn as_it_is(target: &Workspace) -> Result<Route> {
    if target.meta.url.is_empty() {
        return Err(no_url(target.status()));
    }
    Ok(Route::Push(target.meta.url.clone()))
}

/// Whether a workspace has spent what this month may cost.
pub(crate) fn over_budget(target: &Workspace, now: Timestamp) -> bool {
    let spent = target.beat.as_ref().map(|beat| beat.monthly_spend(now));
    let limit = target.meta.budget_limit;
    limit.is_some_and(|limit| spent.is_some_and(|spent| spent >= limit))
}

/// The contract's answer for a workspace that nothing can be sent to now.
pub(crate) fn no_url(status: Status) -> Error {
    Error::new(Kind::Busy, "workspace has no URL").with("status", status.as_str())
}
