//! `POST /workspaces/{id}/a2a`: who goes first, and wishes that nobody can grant.

use e2e::{Backstage, Call, World, envelope};
use serde_json::{Value, json};

/// A message with these wishes in its metadata.
fn wishing(text: &str, metadata: &Value) -> Value {
    let mut body = envelope(text);
    body["params"]["metadata"] = metadata.clone();
    body
}

/// How a message says how urgent it is.
type Says = fn(&World, &str, &str, Option<&str>) -> Call;

fn by_header(world: &World, to: &str, text: &str, priority: Option<&str>) -> Call {
    // The header wins over what the message itself says.
    let body = match priority {
        Some(_) => wishing(text, &json!({"priority": "info"})),
        None => envelope(text),
    };
    let call = world.send(to).bearer(&world.admin).json(&body);
    match priority {
        Some(name) => call.header("X-Priority", name),
        None => call,
    }
}

fn by_metadata(world: &World, to: &str, text: &str, priority: Option<&str>) -> Call {
    let metadata = priority.map_or(json!({}), |name| json!({"priority": name}));
    let body = wishing(text, &metadata);
    world.send(to).bearer(&world.admin).json(&body)
}

#[tokio::test]
async fn urgent_messages_go_first_and_equals_in_order_of_arrival() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    for (how, says) in [("header", by_header as Says), ("metadata", by_metadata)] {
        let (workspace, agent) = world.online("Sorted").await;
        let held = world.hold(&workspace, &agent, "running").await;
        let mut calls = Vec::new();
        for (n, (text, priority)) in [
            ("info", Some("info")),
            ("first task", Some("task")),
            ("critical", Some("critical")),
            // Tasks are what messages are unless they say otherwise.
            ("second task", None),
        ]
        .into_iter()
        .enumerate()
        {
            // Whoever heads the line on arrival is answered in the call, and not waited for here.
            let call = says(&world, &workspace.id, text, priority);
            calls.push(tokio::spawn(call.into_future()));
            backstage.until_waiting(&workspace, n + 1).await;
        }
        let third = calls.remove(3).await.expect("joined").expect(202);
        assert_eq!(
            (&third.json["position"], &third.json["queue_depth"]),
            (&json!(3), &json!(4)),
            "{how}"
        );
        let third = world.request(&workspace.id, &third.text("queue_id")).await;
        assert_eq!(
            (&third["state"], &third["position"], &third["priority"]),
            (&json!("queued"), &json!(3), &json!("task")),
            "{how}"
        );
        assert_eq!(agent.texts(), ["running"], "{how}");

        held.release().await.expect(200);
        let ended = world
            .settled(&workspace.id, third["id"].as_str().expect("an id"))
            .await;
        assert_eq!(ended["state"], "completed", "{how}");
        for call in calls {
            call.await.expect("joined").expect(200);
        }
        assert_eq!(
            agent.texts(),
            ["running", "critical", "first task", "second task", "info"],
            "{how}"
        );
    }
}

#[tokio::test]
async fn wishes_out_of_range_are_refused_and_nothing_is_kept() {
    const PRIORITY: &str = "priority must be critical, task or info";
    const EXPIRY: &str = "expires_in must be 1 to 604800 seconds";
    let (world, backstage) = (World::new(), Backstage::new().await);
    let (workspace, agent) = world.online("Strict").await;
    let before = backstage.counts(&workspace).await;
    let message = envelope("hello");
    let send = || world.send(&workspace.id).bearer(&world.admin);

    for (name, value, sentence) in [
        ("X-Priority", "urgent", PRIORITY),
        ("X-Priority", "CRITICAL", PRIORITY),
        ("X-Priority", "100", PRIORITY),
        ("X-Expires-In", "0", EXPIRY),
        ("X-Expires-In", "-1", EXPIRY),
        ("X-Expires-In", "604801", EXPIRY),
        ("X-Expires-In", "1.5", EXPIRY),
        ("X-Expires-In", "soon", EXPIRY),
    ] {
        let refused = send().json(&message).header(name, value).await;
        assert_eq!(refused.error(), (400, sentence), "{name}: {value}");
    }
    assert_eq!(backstage.counts(&workspace).await, before);
    assert!(world.activity(&workspace.id, "").await.is_empty());
    assert!(agent.received().is_empty());

    // The same message with the longest wait that is allowed.
    let longest = send().json(&message).header("X-Expires-In", "604800");
    longest.await.expect(200);
    assert_eq!(agent.texts(), ["hello"]);
}

#[tokio::test]
async fn metadata_of_the_agents_own_is_passed_on_whatever_it_says() {
    let world = World::new();
    let (workspace, agent) = world.online("Open").await;
    for (n, metadata) in [
        json!({"priority": "high"}),
        json!({"priority": 3}),
        json!({"expires_in": 0}),
        json!({"expires_in": 86_400_000}),
        json!({"expires_in": "60"}),
    ]
    .into_iter()
    .enumerate()
    {
        let send = world.send(&workspace.id).bearer(&world.admin);
        let message = wishing(&n.to_string(), &metadata);
        send.json(&message).await.expect(200);
        assert_eq!(agent.received()[n].body["params"]["metadata"], metadata);
    }
}

#[tokio::test]
async fn what_waited_too_long_is_let_go() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    let (workspace, agent) = world.online("Slow").await;
    let held = world.hold(&workspace, &agent, "running").await;
    let brief = world.message(&workspace.id, "brief");
    let brief = tokio::spawn(brief.header("X-Expires-In", "1").into_future());
    backstage.until_waiting(&workspace, 1).await;
    let entry = backstage.line(&workspace).await.remove(0);
    while jiff::Timestamp::now() <= entry.valid_until {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // The slot is free now, and nobody takes it.
    held.release().await.expect(200);
    let ended = world
        .settled(&workspace.id, &entry.request_id.to_string())
        .await;
    assert_eq!(ended["state"], "expired");
    assert_eq!(
        brief.await.expect("joined").error(),
        (503, "message expired: it waited too long")
    );
    assert_eq!(agent.texts(), ["running"]);
    let counts = backstage.counts(&workspace).await.expect("counted");
    assert_eq!((counts.done, counts.expired, counts.drift()), (1, 1, 0));
}
