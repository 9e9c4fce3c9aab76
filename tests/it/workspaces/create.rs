//! `POST /workspaces`

use e2e::{Call, World};
use serde_json::{Value, json};

pub(super) fn create(world: &World, body: &Value) -> Call {
    let call = world.post("/workspaces").json(body);
    call.bearer(&world.admin)
}

fn event(name: &str, payload: Value) -> (String, Value) {
    (name.to_owned(), payload)
}

#[tokio::test]
async fn by_default_it_waits_for_a_machine() {
    let world = World::new();
    let reply = create(&world, &json!({"name": "Plain"})).await.expect(201);
    let id = reply.text("id");
    assert_eq!(
        reply.json,
        json!({"id": id, "status": "provisioning", "workspace_access": "none",
            "awareness_namespace": format!("workspace:{id}")})
    );
    assert_eq!(
        world.show(&id).await,
        json!({"id": id, "name": "Plain", "role": null, "tier": 3, "status": "provisioning",
            "agent_card": null, "url": "", "parent_id": null, "active_tasks": 0,
            "max_concurrent_tasks": 1, "last_error_rate": 0.0, "uptime_seconds": 0,
            "runtime": "langgraph", "x": 0.0, "y": 0.0, "collapsed": false,
            "last_outbound_at": null})
    );
    let payload = json!({"name": "Plain", "tier": 3, "runtime": "langgraph"});
    assert_eq!(
        world.events(&id).await,
        [event("WORKSPACE_PROVISIONING", payload)]
    );
    let tokens = world.get(&format!("/workspaces/{id}/tokens"));
    let tokens = tokens.bearer(&world.admin).await.expect(200).json;
    assert_eq!(tokens, json!({"tokens": [], "count": 0}));
}

#[tokio::test]
async fn what_is_asked_for_is_kept() {
    let world = World::new();
    let parent = world.workspace("Parent").await;
    let body = json!({"name": "Grüße, Writer (2)", "role": "writes", "tier": 1, "runtime": "hermes",
        "model": "m", "template": "org/writer", "workspace_dir": "/srv/work",
        "workspace_access": "read_only", "parent_id": parent.id.to_uppercase(),
        "budget_limit": 500, "max_concurrent_tasks": 4, "canvas": {"x": 12.5, "y": -3},
        "url": "http://127.0.0.1:1", "secrets": {}, "external": false, "unknown": [1]});
    let reply = create(&world, &body).await.expect(201);
    assert_eq!(reply.json["workspace_access"], "read_only");
    let row = world.listed(&reply.text("id")).await.expect("listed");
    for (key, value) in [
        ("name", json!("Grüße, Writer (2)")),
        ("role", json!("writes")),
        ("tier", json!(1)),
        ("runtime", json!("hermes")),
        ("workspace_dir", json!("/srv/work")),
        ("parent_id", json!(parent.id)),
        ("budget_limit", json!(500)),
        ("max_concurrent_tasks", json!(4)),
        ("x", json!(12.5)),
        ("y", json!(-3.0)),
        // Only external workspaces are made with a URL.
        ("url", json!("")),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    // Null is as good as absent, and nothing is at once works on less than one message.
    let nulls = json!({"name": "Nulls", "role": "", "tier": null, "runtime": null, "external": null,
        "parent_id": null, "budget_limit": null, "canvas": null, "max_concurrent_tasks": -1});
    let row = create(&world, &nulls).await.expect(201).text("id");
    let row = world.listed(&row).await.expect("listed");
    assert_eq!(row["role"], json!(null));
    assert_eq!(row["tier"], 3);
    assert_eq!(row["max_concurrent_tasks"], 1);
    assert_eq!(row["budget_limit"], json!(null));
}

#[tokio::test]
async fn an_external_one_is_told_once_how_to_connect() {
    let world = World::new();
    let call = create(&world, &json!({"name": "Own host", "runtime": "external"}))
        // Where the platform is, is not for headers to say.
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Forwarded-Proto", "gopher");
    let reply = call.await.expect(201);
    let (id, block) = (reply.text("id"), &reply.json["connection"]);
    assert_eq!(
        reply.json,
        json!({"id": id, "external": true, "status": "awaiting_agent", "connection": block})
    );
    let base = std::env::var("BASE_URL").expect("set");
    let token = block["auth_token"].as_str().expect("a token");
    let (curl, python) = (
        block["curl_register_template"].as_str().expect("text"),
        block["python_snippet"].as_str().expect("text"),
    );
    assert_eq!(
        *block,
        json!({"workspace_id": id, "platform_url": base, "auth_token": token,
            "registry_endpoint": format!("{base}/registry/register"),
            "heartbeat_endpoint": format!("{base}/registry/heartbeat"),
            "curl_register_template": curl, "python_snippet": python})
    );
    assert_eq!(token.len(), 43);
    for snippet in [curl, python] {
        assert!(
            snippet.contains(&id) && snippet.contains(&base),
            "{snippet}"
        );
        assert!(
            !snippet.contains(token) && !snippet.contains("{{"),
            "{snippet}"
        );
    }

    let row = world.listed(&id).await.expect("listed");
    assert_eq!(row["runtime"], "external");
    assert_eq!(row["status"], "awaiting_agent");
    let created = json!({"name": "Own host", "tier": 3, "runtime": "external"});
    let waits = json!({"name": "Own host", "external": true});
    assert_eq!(
        world.events(&id).await,
        [
            event("WORKSPACE_AWAITING_AGENT", waits),
            event("WORKSPACE_PROVISIONING", created)
        ]
    );
    // The token is live and its own.
    let own = world.get(&format!("/workspaces/{id}/tokens"));
    let own = own.bearer(token).await.expect(200).json;
    assert_eq!(own["tokens"][0]["prefix"], token[..8]);
}

/// As the canvas does it, and a person who pastes what it shows.
#[tokio::test]
async fn a_snippet_with_the_token_in_its_place_registers() {
    let world = World::new();
    for (program, snippet, line) in [
        ("bash", "curl_register_template", "WORKSPACE_AUTH_TOKEN="),
        ("python3", "python_snippet", "AUTH_TOKEN    = "),
    ] {
        let body = json!({"name": "Pasted", "runtime": "external"});
        let made = create(&world, &body).await.expect(201);
        let (id, block) = (made.text("id"), &made.json["connection"]);
        let token = block["auth_token"].as_str().expect("a token");
        let text = block[snippet].as_str().expect("text");
        let pasted = text
            .replace(
                &format!("{line}\"<paste from create response>\""),
                &format!("{line}\"{token}\""),
            )
            .replace("https://your-agent.example.com", "http://127.0.0.1:1/a2a");
        let mut running = std::process::Command::new(program)
            .args(["-c", &pasted])
            .env("AGENT_URL", "http://127.0.0.1:1/a2a")
            .env("PORT", "0")
            .spawn()
            .expect(program);
        let mut status = String::new();
        for _ in 0..100 {
            status = world.show(&id).await["status"].to_string();
            if status == r#""online""# {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        // The one in Python is an agent, which would go on.
        let _ = running.kill();
        running.wait().expect("ended");
        assert_eq!(status, r#""online""#, "{program}");
    }
}

#[tokio::test]
async fn an_external_one_with_a_url_is_online_and_tokenless() {
    let world = World::new();
    let body = json!({"name": "Known", "external": true, "runtime": "hermes",
        "url": "http://127.0.0.1:1/a2a"});
    let reply = create(&world, &body).await.expect(201);
    let id = reply.text("id");
    assert_eq!(
        reply.json,
        json!({"id": id, "external": true, "status": "online"})
    );
    let shown = world.show(&id).await;
    assert_eq!(shown["url"], "http://127.0.0.1:1/a2a");
    assert_eq!(shown["runtime"], "external");
    assert_eq!(shown["status"], "online");
    let online = json!({"name": "Known", "external": true});
    assert_eq!(
        world.events(&id).await[0],
        event("WORKSPACE_ONLINE", online)
    );
    let tokens = world.get(&format!("/workspaces/{id}/tokens"));
    assert_eq!(tokens.bearer(&world.admin).await.json["count"], 0);
}

#[tokio::test]
async fn what_is_not_said_comes_from_its_template() {
    let world = World::new();
    for (body, runtime, tier, tasks) in [
        (json!({"template": "example"}), "example", 2, 2),
        (
            json!({"template": "./example/".trim_start_matches("./"), "runtime": "hermes",
                "model": "m", "tier": 1, "max_concurrent_tasks": 5}),
            "hermes",
            1,
            5,
        ),
        (json!({"template": "example", "runtime": "r"}), "r", 2, 2),
        (json!({"template": "no-such-template"}), "langgraph", 3, 1),
    ] {
        let mut request = json!({"name": "From a template"});
        let given = body.as_object().expect("an object").clone();
        request.as_object_mut().expect("an object").extend(given);
        let id = create(&world, &request).await.expect(201).text("id");
        let row = world.listed(&id).await.expect("listed");
        assert_eq!(row["runtime"], runtime, "{body}");
        assert_eq!(row["tier"], tier, "{body}");
        assert_eq!(row["max_concurrent_tasks"], tasks, "{body}");
        // The example says how long its runtime may take; nobody does for the others.
        let timeout = if runtime == "example" {
            json!(120_000)
        } else {
            Value::Null
        };
        assert_eq!(row["provision_timeout_ms"], timeout, "{body}");
        assert_eq!(world.show(&id).await["provision_timeout_ms"], timeout);
    }
}
