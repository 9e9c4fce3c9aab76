//! `POST /workspaces/{id}/restart`

use e2e::World;
use serde_json::json;

#[tokio::test]
async fn an_agent_is_waited_for_again_whatever_the_body_says() {
    let world = World::new();
    let (own, agent) = world.online("Own").await;
    let restart = |query: &str| {
        let call = world.act(&own.id, &format!("restart{query}"));
        call.bearer(&own.token)
    };
    let answer = |reset: bool| {
        json!({
            "status": "awaiting_agent", "config_dir": "existing-volume", "reset_session": reset,
        })
    };
    let template = json!({"template": "../../etc", "apply_template": true, "reset": null});
    for (call, reset) in [
        (restart(""), false),
        (restart("").body("no JSON"), false),
        (restart("").body("[true]"), false),
        (restart("").json(&json!({"reset": "yes"})), false),
        (restart("").json(&template), false),
        (restart("").json(&json!({"reset": true})), true),
        (restart("?reset=true"), true),
        (restart("?reset=1"), false),
    ] {
        world.register(&own, &agent.url).await.expect(200);
        let said = call.await.expect(200);
        assert_eq!(said.json, answer(reset));
        let shown = world.show(&own.id).await;
        assert_eq!(shown["status"], "awaiting_agent");
        assert_eq!(
            (&shown["url"], &shown["active_tasks"]),
            (&json!(""), &json!(0))
        );
        assert_eq!(
            world.event_names(&own.id).await[0],
            "WORKSPACE_AWAITING_AGENT"
        );
    }
    let large = restart("").body("x".repeat(64 * 1024 + 1)).await;
    assert_eq!(large.status, 413);
    // Its token is its own still: nobody else could give it one.
    world.register(&own, &agent.url).await.expect(200);
    world.message(&own.id, "hello").await.expect(200);
}

#[tokio::test]
async fn it_starts_from_any_status_but_removed() {
    let world = World::new();
    let own = world.workspace("Own").await;
    let act = |act: &str| world.act(&own.id, act).bearer(&world.admin);
    act("restart").await.expect(200);
    act("pause").await.expect(200);
    act("restart").await.expect(200);
    assert_eq!(world.status(&own.id).await, "awaiting_agent");
    world.delete(&own.id).await;
    assert_eq!(act("restart").await.error(), (404, "workspace not found"));
    assert_eq!(world.status(&own.id).await, "removed");
}

#[tokio::test]
async fn who_is_paused_does_not_resume_itself_by_starting_anew() {
    let world = World::new();
    let own = world.workspace("Own").await;
    let act = |act: &str, bearer: &str| world.act(&own.id, act).bearer(bearer);
    act("restart", &own.token).await.expect(200);
    act("pause", &world.admin).await.expect(200);
    let before = world.snapshot(&own.id).await;
    for it in ["restart", "resume"] {
        let refused = act(it, &own.token).await;
        let sentence = "an operator resumes: a workspace cannot resume itself";
        assert_eq!(refused.error(), (403, sentence), "{it}");
    }
    assert_eq!(world.snapshot(&own.id).await, before);
    act("restart", &world.admin).await.expect(200);
}

#[tokio::test]
async fn what_waits_is_delivered_to_the_agent_that_comes() {
    let world = World::new();
    let (own, agent) = world.online("Own").await;
    let held = world.hold(&own, &agent, "first").await;
    let second = tokio::spawn(world.message(&own.id, "second").into_future());
    e2e::until(20, "the second waits", || async {
        let queue = world.queue_of(&own.id).await?;
        (queue["waiting"] == 1).then_some(())
    })
    .await;
    world
        .act(&own.id, "restart")
        .bearer(&own.token)
        .await
        .expect(200);
    held.release().await.expect(200);
    // A new message is kept as well: somebody is waited for.
    let third = world.message(&own.id, "third").await.expect(202);
    world.register(&own, &agent.url).await.expect(200);
    let third = world.settled(&own.id, &third.text("queue_id")).await;
    assert_eq!(third["state"], "completed");
    assert!([200, 202].contains(&second.await.expect("joined").status));
    assert_eq!(agent.texts(), ["first", "second", "third"]);
}
