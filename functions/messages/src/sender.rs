//! Who sends a message (contract: a2a-notify-events 2.2 steps 3 and 4, decision 37).

use domain::{Error, Mode, Result, WorkspaceId, activity::Source};
use edge::{Bearer, Caller};
use store::{Rows, tokens::Credential};

/// Prefixes of callers inside the platform; nobody outside is one.
const SYSTEM: [&str; 4] = ["webhook:", "system:", "test:", "channel:"];

/// The workspace a caller says it is.
///
/// # Errors
/// 403 for a caller that says it is the platform, 400 for one that is no id.
pub fn claimed(caller: &Caller) -> Result<Option<WorkspaceId>> {
    let Some(text) = caller.workspace.as_deref() else {
        return Ok(None);
    };
    if SYSTEM.iter().any(|prefix| text.starts_with(prefix)) {
        return Err(Error::forbidden("invalid caller ID"));
    }
    text.parse().map(Some)
}

/// Who it is, held against its credential.
///
/// With open doors: nobody is a person, and a workspace without tokens, or one that talks to
/// itself, is believed. Closed: everyone needs a credential; an operator's with a workspace id acts
/// as that workspace, without one is a person.
///
/// # Errors
/// 401 with the contract's sentences.
pub fn proven(
    mode: Mode,
    caller: &Caller,
    claimed: Option<WorkspaceId>,
    target: WorkspaceId,
    credential: Option<&Credential>,
    rows: &Rows,
) -> Result<Source> {
    let source = claimed.map_or(Source::Person, Source::Workspace);
    if mode.doors_open() {
        let Some(id) = claimed.filter(|id| *id != target) else {
            return Ok(source);
        };
        let known = rows.workspace(id)?.and_then(|workspace| workspace.beat);
        if !known.is_some_and(|beat| beat.has_tokens) {
            return Ok(source);
        }
    }
    match (caller.bearer, credential, claimed) {
        (Bearer::None, _, _) => Err(Error::unauthenticated("missing caller auth token")),
        (Bearer::Admin, _, _) | (Bearer::Token(_), Some(Credential::Org { .. }), _) => Ok(source),
        (Bearer::Token(_), Some(Credential::Workspace { workspace_id, .. }), None) => {
            Ok(Source::Workspace(*workspace_id))
        }
        (Bearer::Token(_), Some(Credential::Workspace { workspace_id, .. }), Some(id))
            if *workspace_id == id =>
        {
            Ok(source)
        }
        (Bearer::Token(_), _, _) => Err(Error::unauthenticated("invalid caller auth token")),
    }
}
