//! `GET`, `POST /workspaces/{id}/approvals`, `POST …/{approval_id}/decide`, `GET /approvals/pending`

use domain::{Mode, WorkspaceId, approval::Asked};
use e2e::{Workspace, World, at_once, counted::InProcess, without};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{approvals::Requested, workspaces::Parts};

pub(super) fn path(of: &Workspace) -> String {
    format!("/workspaces/{}/approvals", of.id)
}

pub(super) async fn ask(world: &World, by: &Workspace, body: &Value) -> String {
    let asked = world.post(&path(by)).by(by).json(body).await.expect(201);
    let id = asked.text("approval_id");
    assert_eq!(asked.json, json!({"approval_id": id, "status": "pending"}));
    uuid::Uuid::parse_str(&id).expect("an id");
    id
}

pub(super) async fn listed(world: &World, of: &Workspace) -> Vec<Value> {
    let rows = world.get(&path(of)).by(of).await.expect(200).json;
    rows.as_array().expect("a list").clone()
}

/// What waits everywhere, of this workspace.
pub(super) async fn pending(world: &World, of: &Workspace) -> Vec<Value> {
    let call = world.get("/approvals/pending").bearer(&world.admin);
    let rows = call.await.expect(200).json;
    let rows = rows.as_array().expect("a list").iter();
    let own = rows.filter(|row| row["workspace_id"] == of.id);
    own.cloned().collect()
}

pub(super) fn decide(world: &World, of: &Workspace, id: &str, body: &Value) -> e2e::Call {
    let path = format!("{}/{id}/decide", path(of));
    world.post(&path).bearer(&world.admin).json(body)
}

/// The newest events about requests, oldest first.
pub(super) async fn told(world: &World, of: &Workspace) -> Vec<(String, Value)> {
    let mut events = world.events(&of.id).await;
    events.retain(|(name, _)| name.starts_with("APPROVAL_"));
    events.reverse();
    events
}

#[tokio::test]
async fn what_is_asked_is_told_listed_and_decided_once() {
    let world = World::new();
    let top = world.workspace("Top").await;
    let parent = world.child("Parent", &top).await;
    let own = world.child("Careful", &parent).await;
    let asked = json!({
        "action": "delete the branch", "reason": "it is merged", "task_id": "t-1",
        "context": {"branch": "old", "n": 1.0},
    });
    let id = ask(&world, &own, &asked).await;

    let row = json!({
        "id": id, "task_id": "t-1", "action": "delete the branch", "reason": "it is merged",
        "status": "pending", "decided_by": null, "decided_at": null,
    });
    let rows = listed(&world, &own).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(without(&rows[0], &["created_at"]), row);
    let waiting = json!({
        "id": id, "workspace_id": own.id, "workspace_name": "Careful",
        "action": "delete the branch", "reason": "it is merged", "status": "pending",
    });
    let everywhere = pending(&world, &own).await;
    assert_eq!(without(&everywhere[0], &["created_at"]), waiting);
    assert_eq!(everywhere[0]["created_at"], rows[0]["created_at"]);

    let requested = json!({
        "approval_id": id, "action": "delete the branch", "reason": "it is merged",
        "task_id": "t-1",
    });
    let requested = ("APPROVAL_REQUESTED".to_owned(), requested);
    assert_eq!(told(&world, &own).await, std::slice::from_ref(&requested));
    let escalated = json!({
        "approval_id": id, "from_workspace_id": own.id, "action": "delete the branch",
        "reason": "it is merged",
    });
    let escalated = ("APPROVAL_ESCALATED".to_owned(), escalated);
    assert_eq!(told(&world, &parent).await, [escalated]);
    assert_eq!(told(&world, &top).await, []);

    let yes = json!({"decision": "approved", "decided_by": "ada"});
    let answer = decide(&world, &own, &id, &yes).await.expect(200);
    assert_eq!(
        answer.json,
        json!({"status": "approved", "approval_id": id})
    );
    let rows = listed(&world, &own).await;
    assert_eq!(rows[0]["status"], "approved");
    assert_eq!(rows[0]["decided_by"], "ada");
    assert!(rows[0]["decided_at"].as_str() > rows[0]["created_at"].as_str());
    assert!(pending(&world, &own).await.is_empty());
    let said = json!({"approval_id": id, "decision": "approved", "decided_by": "ada"});
    let mut decided = said.clone();
    decided["status"] = json!("approved");
    let all = [
        requested,
        ("APPROVAL_APPROVED".to_owned(), said),
        ("APPROVAL_DECIDED".to_owned(), decided),
    ];
    assert_eq!(told(&world, &own).await, all);

    // The first decision stands.
    let again = decide(&world, &own, &id, &json!({"decision": "denied"})).await;
    let sentence = "approval not found or already decided";
    assert_eq!(again.error(), (404, sentence));
    assert_eq!(told(&world, &own).await, all);
    assert_eq!(listed(&world, &own).await, rows);
}

#[tokio::test]
async fn a_request_says_as_little_as_its_action() {
    let world = World::new();
    let own = world.workspace("Terse").await;
    let more = json!({"reason": null, "task_id": null, "context": null, "unknown": 1});
    for extra in [json!({}), more] {
        let mut asked = extra;
        asked["action"] = json!("go");
        let id = ask(&world, &own, &asked).await;
        let row = listed(&world, &own).await.swap_remove(0);
        assert_eq!(
            (&row["id"], &row["reason"], &row["task_id"]),
            (&json!(id), &json!(""), &json!(""))
        );
        decide(&world, &own, &id, &json!({"decision": "denied"}))
            .await
            .expect(200);
        let row = listed(&world, &own).await.swap_remove(0);
        assert_eq!(
            (&row["status"], &row["decided_by"]),
            (&json!("denied"), &json!("human"))
        );
    }
    // No parent, so nobody to escalate to; the same question again is another request.
    let names: Vec<_> = told(&world, &own)
        .await
        .into_iter()
        .map(|it| it.0)
        .collect();
    let each = ["APPROVAL_REQUESTED", "APPROVAL_DENIED", "APPROVAL_DECIDED"];
    assert_eq!(names, [each, each].concat());
}

#[tokio::test]
async fn of_many_decisions_at_once_one_wins() {
    let world = World::new();
    let own = world.workspace("Contested").await;
    let id = ask(&world, &own, &json!({"action": "go"})).await;
    let calls = (0..8).map(|n| {
        let decision = if n % 2 == 0 { "approved" } else { "denied" };
        let body = json!({"decision": decision, "decided_by": format!("judge {n}")});
        decide(&world, &own, &id, &body)
    });
    let answers = at_once(calls).await;
    let won: Vec<_> = answers.iter().filter(|it| it.status == 200).collect();
    let lost = answers.iter().filter(|it| it.status == 404).count();
    assert_eq!((won.len(), lost), (1, 7));
    let row = listed(&world, &own).await.swap_remove(0);
    assert_eq!(row["status"], won[0].json["status"]);
    let told = told(&world, &own).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[2].1["decided_by"], row["decided_by"]);
    assert_eq!(told[2].1["status"], row["status"]);
}

#[tokio::test]
async fn lists_have_the_newest_fifty_and_no_contexts() {
    // Beneath the route, which takes no more than thirty in ten minutes.
    let inside = InProcess::apart(Mode::Strict).await;
    let own = inside.workspace("Anxious").await;
    let store = &inside.app.store;
    let id: WorkspaceId = own.id.parse().expect("an id");
    let found = store.workspace(id, Parts::Core).await.expect("read");
    let meta = found.expect("there").meta;
    for n in 0..51 {
        let asked = Asked {
            action: format!("step {n}"),
            context: Some(json!({"text": "x".repeat(1000)}).to_string()),
            reason: String::new(),
            task_id: String::new(),
        };
        let requested = store.request_approval(&meta, &asked, Timestamp::now());
        assert!(matches!(
            requested.await.expect("written"),
            Requested::Pending(_)
        ));
    }
    let expected: Vec<_> = (1..51).rev().map(|n| json!(format!("step {n}"))).collect();
    for (of, token) in [
        (path(&own), &own.token),
        ("/approvals/pending".to_owned(), &inside.admin),
    ] {
        let rows = inside.get(&of).bearer(token).await.expect(200).json;
        let rows = rows.as_array().expect("a list");
        let actions: Vec<_> = rows.iter().map(|row| row["action"].clone()).collect();
        assert_eq!(actions, expected, "{of}");
        assert!(rows.iter().all(|row| row.get("context").is_none()), "{of}");
    }
}

#[tokio::test]
async fn they_go_with_their_workspace() {
    let world = World::new();
    let own = world.workspace("Leaving").await;
    let id = ask(&world, &own, &json!({"action": "go", "context": {"k": 1}})).await;
    let before = told(&world, &own).await;
    world.delete(&own.id).await;
    assert!(pending(&world, &own).await.is_empty());
    let yes = json!({"decision": "approved"});
    let late = decide(&world, &own, &id, &yes).await;
    assert_eq!(late.error(), (404, "approval not found or already decided"));
    let rows = world
        .get(&path(&own))
        .bearer(&world.admin)
        .await
        .expect(200);
    assert_eq!(rows.json, json!([]));
    assert_eq!(told(&world, &own).await, before);
}
