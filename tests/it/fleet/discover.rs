//! `GET /registry/discover/{id}` of who answers inside the VPC.

use domain::{Mode, WorkspaceId, secret::Scope, token::Token};
use e2e::{Workspace, counted::InProcess};
use jiff::Timestamp;
use serde_json::json;
use store::{
    keys,
    lifecycle::{Claim, Found},
};

/// A workspace on a machine of ours that is up, with this address inside the VPC; and its token.
pub(crate) async fn placed(
    inside: &InProcess,
    parent: &Workspace,
    private_ip: [u8; 4],
) -> (WorkspaceId, Token) {
    let body = json!({"name": "Inside", "runtime": "example", "parent_id": parent.id});
    let made = inside.post("/workspaces").bearer(&inside.admin).json(&body);
    let id: WorkspaceId = made.await.expect(201).text("id").parse().expect("an id");

    let (store, now) = (&inside.app.store, Timestamp::now());
    let launched = Found::Launched {
        instance_id: "i-00000001".to_owned(),
        at: now,
    };
    assert!(store.found(id, 1, &launched).await.expect("recorded"));
    let claim = Claim {
        image: None,
        workspace_id: id,
        generation: 1,
        instance_id: "i-00000001",
        private_ip: Some(private_ip.into()),
    };
    let token = store::tokens::fresh().expect("random");
    let rings = [Scope::Global, Scope::Workspace(id)].map(keys::keyring);
    let rings = store.rows(rings).await.expect("read");
    let let_in = store.exchange(&claim, &token, &rings, now).await;
    assert!(let_in.expect("an answer"));
    (id, token)
}

#[tokio::test]
async fn who_is_on_a_machine_of_ours_is_found_at_its_private_address() {
    let inside = InProcess::new(Mode::Strict).await;
    let asks = inside.workspace("Asks").await;
    let (id, token) = placed(&inside, &asks, [10, 0, 3, 7]).await;
    let register = async |url: &str| {
        let body = json!({"id": id, "url": url, "agent_card": {"name": "test"}});
        let call = inside.post("/registry/register").bearer(token.reveal());
        call.json(&body).await.status
    };
    let discover = || {
        let call = inside.get(&format!("/registry/discover/{id}"));
        call.bearer(&asks.token).header("X-Workspace-ID", &asks.id)
    };
    assert_eq!(register("http://10.0.3.8:8000/").await, 400);
    assert_eq!(register("http://10.0.3.7:8000/").await, 200);
    let found = discover().await.expect(200);
    assert_eq!(found.text("url"), "http://10.0.3.7:8000/");
}
