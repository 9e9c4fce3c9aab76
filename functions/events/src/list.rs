//! `GET /events`, `GET /events/{id}`: the newest 100 (contract: a2a-notify-events 9).

use domain::{EventId, Result, WorkspaceId, time::wire};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use store::events::EventRow;

/// An event on the wire.
#[derive(Debug, Serialize, JsonSchema)]
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

/// For the API's description.
pub fn describe(api: &mut Api) {
    api.route(
        "list_events",
        "GET /events",
        Who::Operator,
        "The newest events of all workspaces",
    )
    .ok::<Vec<Event>>("100 at most, newest first.")
    .fails(&[]);
    let summary = "The newest events of a workspace";
    api.route("list_events_of", "GET /events/{id}", Who::Operator, summary)
        .ok::<Vec<Event>>("100 at most, newest first; none of a workspace that is not there.")
        .fails(&[]);
}
