//! `POST /workspaces/{id}/pause`, `POST /workspaces/{id}/resume`

use domain::Mode;
use e2e::{World, at_once, counted::InProcess};
use serde_json::json;

#[tokio::test]
async fn a_tree_stops_and_goes_on() {
    let world = World::new();
    let (top, _agent) = world.online("Top").await;
    let one = world.child("One", &top).await;
    let two = world.child("Two", &top).await;
    let below = world.child("Below one", &one).await;
    let all = [&top, &one, &two, &below];
    let admin = |id: &str, act: &str| world.act(id, act).bearer(&world.admin);

    let missing = "workspace not found or not paused";
    assert_eq!(admin(&top.id, "resume").await.error(), (404, missing));
    let paused = admin(&top.id, "pause").await.expect(200);
    assert_eq!(paused.json, json!({"status": "paused", "paused_count": 4}));
    for workspace in all {
        let shown = world.show(&workspace.id).await;
        assert_eq!(
            (&shown["status"], &shown["url"]),
            (&json!("paused"), &json!(""))
        );
        let told = world.events(&workspace.id).await.remove(0);
        assert_eq!(
            told,
            (
                "WORKSPACE_PAUSED".to_owned(),
                json!({"name": shown["name"]})
            )
        );
        let late = world.register(workspace, "https://8.8.8.8/late").await;
        assert_eq!(late.error(), (409, "workspace is paused"));
    }
    let refused = world.message(&top.id, "hello").await;
    assert_eq!(refused.error(), (503, "workspace has no URL"));
    let again = admin(&top.id, "pause").await;
    assert_eq!(
        again.error(),
        (404, "workspace not found or already paused")
    );

    // Nothing below goes on before it.
    let waits = (409, "parent workspace \"Top\" is paused — resume it first");
    for act in ["resume", "restart"] {
        assert_eq!(admin(&one.id, act).await.error(), waits);
    }
    let nearest = (409, "parent workspace \"One\" is paused — resume it first");
    assert_eq!(admin(&below.id, "resume").await.error(), nearest);
    // Its own pause holds nothing up but itself.
    let resumed = admin(&top.id, "resume").await.expect(200);
    assert_eq!(
        resumed.json,
        json!({"status": "awaiting_agent", "resumed_count": 4})
    );
    for workspace in all {
        assert_eq!(world.status(&workspace.id).await, "awaiting_agent");
        assert_eq!(
            world.event_names(&workspace.id).await[0],
            "WORKSPACE_AWAITING_AGENT"
        );
    }
    assert_eq!(admin(&top.id, "resume").await.error(), (404, missing));
}

#[tokio::test]
async fn what_is_left_half_way_is_done_by_the_same_call() {
    let world = World::new();
    let top = world.workspace("Top").await;
    let one = world.child("One", &top).await;
    let below = world.child("Below", &one).await;
    let act = |id: &str, act: &str| world.act(id, act).bearer(&world.admin);
    // As a call leaves it that ended after the first.
    act(&below.id, "pause").await.expect(200);
    act(&one.id, "pause").await.expect(200);
    let rest = act(&top.id, "pause").await.expect(200);
    assert_eq!(rest.json["paused_count"], 1);
    let late = world.child("Late", &one).await;
    let rest = act(&top.id, "pause").await.expect(200);
    assert_eq!(rest.json["paused_count"], 1);
    assert_eq!(world.status(&late.id).await, "paused");
    let resumed = act(&top.id, "resume").await.expect(200);
    assert_eq!(resumed.json["resumed_count"], 4);
    // One that is awake ends the walk.
    act(&below.id, "pause").await.expect(200);
    act(&top.id, "restart").await.expect(200);
    assert_eq!(world.status(&below.id).await, "paused");
}

#[tokio::test]
async fn pauses_at_once_are_told_once() {
    let world = World::new();
    let (top, _agent) = world.online("Top").await;
    let below = world.child("Below", &top).await;
    for (act, name) in [
        ("pause", "WORKSPACE_PAUSED"),
        ("resume", "WORKSPACE_AWAITING_AGENT"),
    ] {
        let told = |names: Vec<String>| names.iter().filter(|it| *it == name).count();
        let before = told(world.event_names(&below.id).await);
        let calls = (0..5).map(|_| world.act(&top.id, act).bearer(&world.admin));
        let answers = at_once(calls).await;
        let counts = answers.iter().map(|it| {
            let count = &it.json[format!("{act}d_count")];
            count.as_u64().unwrap_or_default()
        });
        assert_eq!(counts.sum::<u64>(), 2, "{answers:?}");
        assert!(
            answers
                .iter()
                .all(|it| it.status == 200 || it.status == 404)
        );
        assert_eq!(
            told(world.event_names(&below.id).await),
            before + 1,
            "{act}"
        );
    }
}

#[tokio::test]
async fn without_a_backend_only_external_ones_go_on() {
    let inside = InProcess::without_machines(Mode::DevClosed).await;
    let act = |id: &str, act: &str| {
        let call = inside.post(&format!("/workspaces/{id}/{act}"));
        call.bearer(&inside.admin).json(&json!({}))
    };
    let create = async |body| {
        let call = inside.post("/workspaces").bearer(&inside.admin);
        call.json(&body).await.expect(201).text("id")
    };
    let own = create(json!({"name": "By hand"})).await;
    let refused = (503, "provisioner not available");
    assert_eq!(act(&own, "restart").await.error(), refused);
    act(&own, "pause").await.expect(200);
    for it in ["resume", "restart"] {
        assert_eq!(act(&own, it).await.error(), refused);
    }
    let shown = inside.get(&format!("/workspaces/{own}"));
    let shown = shown.bearer(&inside.admin).await.expect(200).json;
    assert_eq!(shown["status"], "paused");
    // What can be mended from outside is said first.
    let top = inside.workspace("Top").await;
    let below = create(json!({"name": "Below", "parent_id": top.id})).await;
    act(&top.id, "pause").await.expect(200);
    let waits = (409, "parent workspace \"Top\" is paused — resume it first");
    assert_eq!(act(&below, "restart").await.error(), waits);
    assert_eq!(act(&below, "resume").await.error(), refused);
}
