//! The end of a connection, and frames that clients send: nobody reads them (contract:
//! a2a-notify-events 11). They are answered with an `ERROR` frame and leave no trace.

use domain::{EventId, Result, event::envelope};
use edge::App;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::handshake::Told;

/// Forgets a connection that ended, or answers a frame.
///
/// # Errors
/// The datastore did not answer: the row goes when something is posted to it, or after two hours.
pub async fn handle(app: &'static App, told: Told) -> Result<Value> {
    if told.context.route == "$disconnect" {
        app.store.disconnect(&told.context.connection_id).await?;
        return Ok(json!({"statusCode": 200}));
    }
    let why = json!({"error": "this connection only tells: what you send is not read"});
    let id = EventId::from_uuid(Uuid::now_v7());
    let body = envelope(id, "ERROR", None, Timestamp::now(), &why);
    Ok(json!({"statusCode": 200, "body": body}))
}
