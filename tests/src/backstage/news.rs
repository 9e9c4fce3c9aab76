//! Events behind the stage: who listens, and rows that no route writes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use jiff::{SignedDuration, Timestamp};
use store::keys;
use uuid::{Builder, Uuid};

use super::{Backstage, id};
use crate::Workspace;

type Row = HashMap<String, AttributeValue>;

fn event(workspace: &Workspace, event: Uuid, payload: String) -> Row {
    let own = id(workspace);
    let event = domain::EventId::from_uuid(event);
    let key = keys::event(own, event);
    let at = Timestamp::now().as_microsecond().to_string();
    HashMap::from([
        ("pk".to_owned(), text(key.pk)),
        ("sk".to_owned(), text(key.sk)),
        ("id".to_owned(), text(event.to_string())),
        ("event_type".to_owned(), text("AGENT_CARD_UPDATED")),
        ("workspace_id".to_owned(), text(&workspace.id)),
        ("payload".to_owned(), text(payload)),
        ("created_at".to_owned(), AttributeValue::N(at)),
        ("log_pk".to_owned(), text(keys::event_log(keys::shard(own)))),
        ("log_sk".to_owned(), text(event.to_string())),
    ])
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

impl Backstage {
    /// Whether a workspace has an open connection, as far as the platform knows.
    pub async fn listens(&self, workspace: &Workspace) -> bool {
        let open = self.app.store.connections(Timestamp::now()).await;
        let open = open.expect("the emulator answers");
        let own = Some(id(workspace));
        open.iter().any(|connection| connection.workspace_id == own)
    }

    /// Writes so many events of a workspace into the log, numbered from 0: more than routes write
    /// in a test's time.
    pub async fn write_events(&self, workspace: &Workspace, count: usize) {
        self.write_long_events(workspace, count, 0).await;
    }

    /// As [`write_events`](Self::write_events), each with so many characters besides.
    pub async fn write_long_events(&self, workspace: &Workspace, count: usize, length: usize) {
        let text_of = "x".repeat(length);
        let row = |n: usize| {
            let payload = match length {
                0 => format!("{{\"agent_card\":{n}}}"),
                _ => format!("{{\"agent_card\":{n},\"text\":\"{text_of}\"}}"),
            };
            event(workspace, Uuid::now_v7(), payload)
        };
        self.put(&(0..count).map(row).collect::<Vec<_>>()).await;
    }

    /// Writes an event whose id is older than the row by `late`, as a slow transaction's is.
    pub async fn write_late_event(&self, workspace: &Workspace, late: SignedDuration) {
        let millis = (Timestamp::now() - late).as_millisecond();
        let millis = u64::try_from(millis).expect("after 1970");
        let id = Builder::from_unix_timestamp_millis(millis, &[7; 10]).into_uuid();
        let row = event(workspace, id, r#"{"agent_card":"late"}"#.to_owned());
        self.put(&[row]).await;
    }

    async fn put(&self, rows: &[Row]) {
        for some in rows.chunks(25) {
            let puts = some.iter().map(|row| {
                let put = PutRequest::builder().set_item(Some(row.clone()));
                let put = put.build().expect("an item");
                WriteRequest::builder().put_request(put).build()
            });
            let write = self.db.batch_write_item();
            let write = write.request_items(&self.table, puts.collect());
            write.send().await.expect("written");
        }
    }

    /// Writes an event row that nobody can read.
    pub async fn write_poison(&self, workspace: &Workspace) {
        let put = self.db.put_item().table_name(&self.table);
        put.item("pk", text(keys::events(id(workspace))))
            .item("sk", text(Uuid::now_v7().to_string()))
            .item("event_type", text("unreadable"))
            .send()
            .await
            .expect("written");
    }
}
