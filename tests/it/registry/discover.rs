//! `GET /registry/discover/{id}`

use e2e::{Call, Workspace, World, envelope};
use serde_json::json;
use uuid::Uuid;

fn discover(world: &World, from: &Workspace, target: &str) -> Call {
    world
        .get(&format!("/registry/discover/{target}"))
        .bearer(&from.token)
        .header("X-Workspace-ID", &from.id)
}

const URL: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn relatives_are_found_and_others_are_not() {
    let world = World::new();
    let root = world.workspace("Root").await;
    let (left, right) = (
        world.child("Left", &root).await,
        world.child("Right", &root).await,
    );
    let (below_left, below_right) = (
        world.child("Below left", &left).await,
        world.child("Below right", &right).await,
    );
    let all = [&root, &left, &right, &below_left, &below_right];
    for workspace in all {
        world.register(workspace, URL).await.expect(200);
    }
    for (from, target, allowed) in [
        (&left, &left, true),
        (&left, &right, true),
        (&left, &root, true),
        (&root, &left, true),
        (&root, &below_right, true),
        (&below_right, &root, true),
        (&left, &below_right, false),
        (&below_right, &left, false),
        (&below_left, &below_right, false),
    ] {
        let answer = discover(&world, from, &target.id).await;
        if allowed {
            let name = world.show(&target.id).await["name"].clone();
            assert_eq!(
                answer.expect(200).json,
                json!({"id": target.id, "url": URL, "name": name})
            );
        } else {
            let refused = (403, "not authorized to discover this workspace");
            assert_eq!(answer.error(), refused);
        }
    }
    // All roots are siblings; a child of one is nothing to another. Who is not there looks foreign.
    let other = world.workspace("Other root").await;
    discover(&world, &other, &root.id).await.expect(200);
    let unknown = Uuid::new_v4().to_string();
    for target in [&left.id, &unknown] {
        let refused = discover(&world, &other, target).await.expect(403);
        assert_eq!(
            refused.json,
            json!({"error": "not authorized to discover this workspace"})
        );
    }
}

#[tokio::test]
async fn who_does_not_answer_is_named_with_its_status() {
    let world = World::new();
    let (from, agent) = world.online("Asking").await;
    let waiting = world.workspace("Waiting").await;
    let machine = world.managed("Machine").await;
    let (gone, _agent) = world.online("Gone").await;
    world.delete(&gone.id).await;
    for (target, status) in [
        (&waiting.id, "awaiting_agent"),
        (&machine.id, "provisioning"),
        (&gone.id, "removed"),
    ] {
        let busy = discover(&world, &from, target).await.expect(503);
        assert_eq!(
            busy.json,
            json!({"error": "workspace not available", "status": status})
        );
    }
    // Degraded answers, and so does one asking for itself.
    let ill = json!({"runtime_state": "wedged"});
    world.beat(&from, ill).await.expect(200);
    let itself = discover(&world, &from, &from.id.to_uppercase()).await;
    assert_eq!(itself.expect(200).text("url"), agent.url);
}

#[tokio::test]
async fn who_fetches_messages_is_found_at_the_platform() {
    let world = World::new();
    let asking = world.workspace("Asking").await;
    let fetching = world.workspace("Fetching").await;
    let waiting = (503, "workspace not available");
    assert_eq!(
        discover(&world, &asking, &fetching.id).await.error(),
        waiting
    );
    world.register_polling(&fetching).await.expect(200);
    let url = format!("{}/workspaces/{}/a2a", world.base, fetching.id);
    let there = json!({"id": fetching.id, "url": url, "name": "Fetching"});
    let upper = fetching.id.to_uppercase();
    for (from, target) in [
        (&asking, &fetching.id),
        (&asking, &upper),
        (&fetching, &fetching.id),
    ] {
        let found = discover(&world, from, target).await.expect(200);
        assert_eq!(found.json, there);
    }

    // A message to that address arrives.
    let path = url.strip_prefix(&world.base).expect("ours");
    let sent = world.post(path).by(&asking).json(&envelope("hello"));
    assert_eq!(sent.await.expect(200).json["delivery_mode"], "poll");
    let rows = world.activity(&fetching.id, "type=a2a_receive").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["source_id"], asking.id.as_str());

    // Degraded answers, who is stopped does not.
    let ill = json!({"runtime_state": "wedged"});
    world.beat(&fetching, ill).await.expect(200);
    let found = discover(&world, &asking, &fetching.id).await.expect(200);
    assert_eq!(found.json, there);
    let pause = world.act(&fetching.id, "pause").bearer(&world.admin);
    pause.await.expect(200);
    let paused = discover(&world, &asking, &fetching.id).await.expect(503);
    assert_eq!(paused.json["status"], "paused");
}

#[tokio::test]
async fn callers_prove_who_they_say_they_are() {
    let world = World::new();
    let (target, _agent) = world.online("Target").await;
    let (from, other) = (
        world.workspace("From").await,
        world.workspace("Other").await,
    );
    let gone = world.workspace("Gone").await;
    world.delete(&gone.id).await;
    let path = format!("/registry/discover/{}", target.id);
    // Before any credential: whom does it ask for?
    for blank in [None, Some(""), Some("  ")] {
        let call = world.get(&path).bearer("nonsense");
        let call = match blank {
            Some(text) => call.header("X-Workspace-ID", text),
            None => call,
        };
        let refused = call.await;
        assert_eq!(refused.error(), (400, "X-Workspace-ID header is required"));
    }
    let invalid = "invalid workspace auth token";
    for (bearer, claim, sentence) in [
        ("", &from.id, "missing workspace auth token"),
        ("nonsense", &from.id, invalid),
        (&other.token, &from.id, invalid),
        (&world.admin, &from.id, invalid),
        (&gone.token, &gone.id, invalid),
        (&from.token, &Uuid::new_v4().to_string(), invalid),
    ] {
        let call = world.get(&path).header("X-Workspace-ID", claim);
        assert_eq!(
            call.bearer(bearer).await.error(),
            (401, sentence),
            "{bearer} {claim}"
        );
    }
    let bad = (400, "invalid workspace ID");
    let me = |path: &str, claim: &str| {
        let call = world.get(path).bearer(&from.token);
        call.header("X-Workspace-ID", claim)
    };
    assert_eq!(me(&path, "me").await.error(), bad);
    let nobody = me("/registry/discover/nobody", &from.id).await;
    assert_eq!(nobody.error(), bad);
}
