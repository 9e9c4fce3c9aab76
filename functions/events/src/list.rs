//! `GET /events`, `GET /events/{id}`: the newest 100 (contract: a2a-notify-events 9).

use domain::{EventId, Result, WorkspaceId, time::wire};
use edge::{App, Caller, Input, Reply};
use serde::Serialize;
use serde_json::{Value, json};
use store::events::EventRow;

/// An event on the wire.
#[derive(Debug, Serialize)]
struct Event {
    id: EventId,
    event_type: String,
    workspace_id: WorkspaceId,
    payload: Value,
    created_at: String,
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id,
            payload: row.payload(),
            workspace_id: row.workspace_id,
            created_at: wire(row.created_at),
            event_type: row.event_type,
        }
    }
}

/// Lists the newest events of one workspace, or of all. Payloads that the answer cannot carry say
/// so in their place.
///
/// # Errors
/// 400, 401.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    app.admin(&caller).await?;
    let rows = if input.has_param("id") {
        app.store.newest_events_of(input.param("id")?).await?
    } else {
        app.store.newest_events().await?
    };
    let events: Vec<Event> = rows.into_iter().map(Event::from).collect();
    let (reply, _) = Reply::list(events, |event| event.payload = json!({"truncated": true}));
    Ok(reply)
}
