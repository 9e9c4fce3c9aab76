//! Room for one more event stream. Each of them holds one of the account's executions while it waits, so one
//! workspace has only so many: else its token alone could take them all, and with them every function's.
//! Operators have as many as they like.

use std::time::Duration;

use domain::{Error, Kind, Result};
use edge::{App, Identity};
use jiff::Timestamp;
use store::leases::{Lease, Leased, STREAMS, Waits};
use tokio::time::timeout;

/// How long an answer may wait until its lease is given back.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes room for a stream that is open until then; an operator's needs none.
///
/// # Errors
/// 429: the workspace has as many open as it may. 503.
pub(crate) async fn take(
    app: &App,
    who: &Identity,
    waits: Waits,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<Lease>> {
    let Identity::Workspace(id) = who else {
        return Ok(None);
    };
    match app.store.lease_stream(*id, waits, until, now).await? {
        Leased::Taken(lease) => Ok(Some(lease)),
        Leased::Full { until } => {
            let sentence = format!("this workspace has {STREAMS} event streams open: end some");
            let seconds = until.duration_since(now).as_secs() + 1;
            let wait = u32::try_from(seconds).unwrap_or(1);
            Err(Error::new(Kind::TooMany, sentence).retry_after(wait))
        }
    }
}

/// Gives it back where a stream ends early. That this failed fails no answer: the lease ends by itself.
pub(crate) async fn give_back(app: &App, lease: Option<Lease>) {
    if let Some(lease) = lease {
        let _ = timeout(PATIENCE, app.store.release_stream(lease)).await;
    }
}
