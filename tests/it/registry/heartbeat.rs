//! `POST /registry/heartbeat`

use e2e::{Call, Workspace, World, at_once};
use serde_json::{Value, json};

pub(super) fn beat(world: &World, bearer: &str, body: impl Into<String>) -> Call {
    world
        .post("/registry/heartbeat")
        .body(body.into())
        .bearer(bearer)
}

/// Sends beats one after the other; each must lead to its status.
async fn walk(
    world: &World,
    workspace: &Workspace,
    steps: impl IntoIterator<Item = (Value, &str)>,
) {
    for (beat, status) in steps {
        let at = beat.to_string();
        world.beat(workspace, beat).await.expect(200);
        assert_eq!(world.show(&workspace.id).await["status"], status, "{at}");
    }
}

#[tokio::test]
async fn errors_degrade_and_health_recovers() {
    let world = World::new();
    let (workspace, _agent) = world.online("Flaky").await;
    walk(
        &world,
        &workspace,
        [
            (json!({"error_rate": 0.49}), "online"),
            (
                json!({"error_rate": 0.5, "sample_error": "boom"}),
                "degraded",
            ),
            (json!({"error_rate": 0.9}), "degraded"),
            (json!({"error_rate": 0.3}), "degraded"),
            (json!({"error_rate": 0.1}), "degraded"),
            (
                json!({"error_rate": 0.05, "runtime_state": "sleepy"}),
                "degraded",
            ),
            (json!({"error_rate": 0.05}), "online"),
            (json!({"runtime_state": "sleepy"}), "online"),
        ],
    )
    .await;
    let recovered = ("WORKSPACE_ONLINE".to_owned(), json!({}));
    let degraded = (
        "WORKSPACE_DEGRADED".to_owned(),
        json!({"error_rate": 0.5, "sample_error": "boom"}),
    );
    let events = world.events(&workspace.id).await;
    assert_eq!(events[..2], [recovered, degraded]);
    assert_eq!(events.len(), 5, "{events:?}");
}

#[tokio::test]
async fn wedged_degrades_whatever_else_is_said() {
    let world = World::new();
    let (workspace, _agent) = world.online("Stuck").await;
    let wedged = json!({"runtime_state": "wedged", "error_rate": 0.9, "sample_error": "no"});
    walk(
        &world,
        &workspace,
        [
            (wedged.clone(), "degraded"),
            (wedged, "degraded"),
            (json!({"runtime_state": "wedged"}), "degraded"),
            (json!({}), "online"),
        ],
    )
    .await;
    let events = world.events(&workspace.id).await;
    assert_eq!(events[0], ("WORKSPACE_ONLINE".to_owned(), json!({})));
    // One event, with the wedge: not another one for the errors.
    let told = json!({"runtime_state": "wedged", "sample_error": "no"});
    assert_eq!(events[1], ("WORKSPACE_DEGRADED".to_owned(), told));
    assert_eq!(events.len(), 5, "{events:?}");
}

#[tokio::test]
async fn an_agent_that_minds_its_own_status_is_not_judged_by_errors() {
    let world = World::new();
    let (workspace, _agent) = world.online("Native").await;
    let failing = |metadata: Value| json!({"error_rate": 0.9, "runtime_metadata": metadata});
    let healthy = |metadata: Value| json!({"runtime_metadata": metadata});
    let native = json!({"capabilities": {"status_mgmt": true, "telepathy": true}});
    walk(
        &world,
        &workspace,
        [
            // From the very beat that says so, and while later beats say nothing.
            (failing(native.clone()), "online"),
            (json!({"error_rate": 0.9}), "online"),
            (failing(Value::Null), "online"),
            // Only stuck counts, and only registering recovers.
            (json!({"runtime_state": "wedged"}), "degraded"),
            (json!({}), "degraded"),
            // What is declared replaces what was: false means no, empty clears.
            (
                healthy(json!({"capabilities": {"status_mgmt": false}})),
                "online",
            ),
            (
                failing(json!({"capabilities": {"retry": true}})),
                "degraded",
            ),
            (healthy(native), "degraded"),
            (healthy(json!({"idle_timeout_seconds": 60})), "online"),
            (failing(json!({})), "degraded"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_first_beat_ends_provisioning_but_not_the_wait_for_an_agent() {
    let world = World::new();
    let machine = world.managed("Machine").await;
    assert_eq!(world.show(&machine.id).await["status"], "provisioning");
    let ill = json!({"error_rate": 0.9, "runtime_state": "wedged"});
    walk(
        &world,
        &machine,
        [(ill.clone(), "online"), (ill, "degraded")],
    )
    .await;
    let events = world.events(&machine.id).await;
    let booted = json!({"recovered_from": "provisioning"});
    assert_eq!(events[1], ("WORKSPACE_ONLINE".to_owned(), booted));

    let awaiting = world.workspace("Awaiting").await;
    walk(&world, &awaiting, [(json!({}), "awaiting_agent")]).await;
}

#[tokio::test]
async fn a_beat_overwrites_what_it_does_not_say_except_spend() {
    let world = World::new();
    let (workspace, _agent) = world.online("Busy").await;
    let told = world.event_names(&workspace.id).await;
    let full = json!({"error_rate": 0.25, "sample_error": "oops", "active_tasks": 3,
        "uptime_seconds": 77, "current_task": "writing", "monthly_spend": 1234});
    let reply = world.beat(&workspace, full).await.expect(200);
    assert_eq!(reply.json, json!({"status": "ok"}));
    let seen = async || {
        let row = world.listed(&workspace.id).await.expect("listed");
        json!([
            row["last_error_rate"],
            row["last_sample_error"],
            row["active_tasks"],
            row["uptime_seconds"],
            row["current_task"],
            row["monthly_spend"]
        ])
    };
    assert_eq!(seen().await, json!([0.25, "oops", 3, 77, "writing", 1234]));
    let nulls = json!({"error_rate": null, "sample_error": null, "active_tasks": null,
        "uptime_seconds": null, "current_task": null, "monthly_spend": null,
        "runtime_state": null, "runtime_metadata": null});
    for empty in [
        nulls,
        json!({}),
        json!({"monthly_spend": 0}),
        json!({"monthly_spend": -5}),
    ] {
        world.beat(&workspace, empty).await.expect(200);
        assert_eq!(seen().await, json!([0.0, "", 0, 0, "", 1234]));
    }
    let most = 1_000_000_000_000_i64;
    for (spend, kept) in [(most, most), (1, 1), (most + 1, most), (i64::MAX, most)] {
        let spent = json!({"monthly_spend": spend});
        world.beat(&workspace, spent).await.expect(200);
        assert_eq!(seen().await[5], kept);
    }
    // Tasks and metrics are pushed, not kept; a beat that changes nothing tells nothing.
    assert_eq!(world.event_names(&workspace.id).await, told);
}

#[tokio::test]
async fn parallel_beats_tell_of_a_change_once() {
    let world = World::new();
    let (workspace, _agent) = world.online("Racing").await;
    let id = &workspace.id;
    let failing = json!({"workspace_id": id, "error_rate": 0.8}).to_string();
    let calls = (0..12).map(|_| beat(&world, &workspace.token, failing.clone()));
    assert!(at_once(calls).await.iter().all(|reply| reply.status == 200));
    let told = world.event_names(id).await;
    let degraded = told.iter().filter(|name| *name == "WORKSPACE_DEGRADED");
    assert_eq!(degraded.count(), 1, "{told:?}");
}

#[tokio::test]
async fn text_that_was_cut_in_an_emoji_is_no_reason_to_fall_silent() {
    let world = World::new();
    let (own, _agent) = world.online("Cut").await;
    let body = format!(
        r#"{{"workspace_id":"{}","current_task":"so glad \ud83d"}}"#,
        own.id
    );
    let beat = world.post("/registry/heartbeat").bearer(&own.token);
    beat.body(body).await.expect(200);
    let row = world.listed(&own.id).await.expect("listed");
    assert_eq!(row["current_task"], "so glad \u{fffd}");
    let sent = r#"{"method":"message/send","params":{"message":{"role":"user","messageId":"cut",
        "parts":[{"kind":"text","text":"cut \udcff"}]}}}"#;
    let sent = world.send(&own.id).bearer(&world.admin).body(sent);
    sent.await.expect(200);
}
