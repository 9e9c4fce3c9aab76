//! `GET /workspaces/{id}/activity?since_id=`: a message that is committed late, with an id that is below rows
//! which were shown meanwhile, is seen all the same.

use domain::Mode;
use e2e::{
    Answer, Workspace,
    counted::{Fault, InProcess, gate},
    envelope,
};
use messages::dispatch;
use serde_json::{Value, json};

use crate::calls_messages::context;

async fn poller(inside: &InProcess) -> Workspace {
    let own = inside.workspace("Poller").await;
    let register = inside.post("/registry/register").bearer(&own.token);
    let card = json!({"id": own.id, "delivery_mode": "poll", "agent_card": {"name": "Poller"}});
    register.json(&card).await.expect(200);
    own
}

/// What its agent gets that goes on from a row, or begins: texts, and the last id.
async fn fetched(inside: &InProcess, own: &Workspace, from: &str) -> (Vec<String>, Option<String>) {
    let path = format!("/workspaces/{}/activity?type=a2a_receive&{from}", own.id);
    let rows = inside.get(&path).bearer(&own.token).await.expect(200).json;
    let rows = rows.as_array().expect("a list");
    let text = |row: &Value| {
        let text = &row["request_body"]["params"]["message"]["parts"][0]["text"];
        text.as_str().unwrap_or_default().to_owned()
    };
    let ids = rows.iter().filter_map(|row| row["id"].as_str());
    (
        rows.iter().map(text).collect(),
        ids.max().map(str::to_owned),
    )
}

/// A person's message.
fn send(inside: &InProcess, own: &Workspace, text: &str) -> impl Future<Output = Answer> + use<> {
    let path = format!("/workspaces/{}/a2a", own.id);
    let call = inside.post(&path).bearer(&inside.admin);
    call.json(&envelope(text))
        .to(context(inside), dispatch::handle)
}

#[tokio::test]
async fn a_message_that_was_on_its_way_while_others_were_shown_is_not_lost() {
    for from in ["limit=10", "since_id"] {
        let inside = InProcess::new(Mode::DevClosed).await;
        let own = poller(&inside).await;
        send(&inside, &own, "before").await.expect(200);
        let (_, mut cursor) = fetched(&inside, &own, "limit=10").await;
        let held = gate();
        let rule = Fault::Hold(held.clone());
        inside.wire.fail("TransactWriteItems", 1, rule);
        let late = tokio::spawn(send(&inside, &own, "late"));
        held.wait().await;
        // It has its id by now. Another one overtakes it, and is fetched.
        send(&inside, &own, "quick").await.expect(200);
        let after = |cursor: &Option<String>| {
            let cursor = cursor.as_deref().expect("a row");
            format!("since_id={cursor}")
        };
        let query = match from {
            "since_id" => after(&cursor),
            whole => whole.to_owned(),
        };
        let (texts, last) = fetched(&inside, &own, &query).await;
        assert!(texts.contains(&"quick".to_owned()), "{texts:?}");
        cursor = last;
        held.wait().await;
        late.await.expect("joined").expect(200);
        let (texts, last) = fetched(&inside, &own, &after(&cursor)).await;
        assert_eq!(texts, ["late"], "{from}");
        assert_eq!(fetched(&inside, &own, &after(&last)).await.0, [""; 0]);
    }
}

#[tokio::test]
async fn a_message_that_comes_while_rows_are_being_shown_is_among_them_or_above() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = poller(&inside).await;
    let late = gate();
    inside
        .wire
        .fail("TransactWriteItems", 1, Fault::Hold(late.clone()));
    let sending = tokio::spawn(send(&inside, &own, "late"));
    late.wait().await;
    send(&inside, &own, "quick").await.expect(200);
    // Its agent has read the one row, and has not said so yet.
    let showing = gate();
    inside
        .wire
        .fail("UpdateItem", 1, Fault::Hold(showing.clone()));
    let path = format!("/workspaces/{}/activity?type=a2a_receive", own.id);
    let asking = inside.get(&path).bearer(&own.token).into_future();
    let asking = tokio::spawn(asking);
    showing.wait().await;
    late.wait().await;
    sending.await.expect("joined").expect(200);
    showing.wait().await;
    let shown = asking.await.expect("joined").expect(200).json;
    let shown = shown.as_array().expect("a list");
    assert_eq!(shown.len(), 2, "{shown:?}");
}
