//! `GET /ws`: events as they happen.

mod bus;
mod connect;
mod fifty;
pub(crate) mod gateway;
mod live;
mod operators;
mod partly;
mod push;
mod replay;
mod revoked;
mod room;
mod slow;
mod stream;

use std::time::Duration;

use e2e::{Listener, Workspace, World, until};
use serde_json::json;

/// Waits until a connection was closed: connections are looked at when there is news, so there is some.
async fn closed(world: &World, workspace: &Workspace, connection: &Listener) {
    let mut beats = 0;
    until(60, "closed", || {
        beats += 1;
        let beat = world.beat(workspace, json!({"current_task": format!("beat {beats}")}));
        async {
            beat.await.expect(200);
            tokio::time::sleep(Duration::from_millis(500)).await;
            connection.is_closed().then_some(())
        }
    })
    .await;
}
