//! `POST /workspaces/{id}/a2a`

use e2e::World;

#[tokio::test]
async fn a_persons_message_is_answered_and_kept() {
    let world = World::new();
    let (workspace, agent) = world.online("Echo").await;

    let answer = world.message(&workspace.id, "hello").await.expect(200);
    assert_eq!(answer.json["result"]["parts"][0]["text"], "echo: hello");
    assert_eq!(agent.texts(), ["hello"]);
    let rows = world
        .activity(&workspace.id, "type=a2a_receive&source=canvas")
        .await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["response_body"]["result"], answer.json["result"]);
}
