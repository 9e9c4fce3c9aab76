//! `GET|PATCH /workspaces/{id}/budget`, and what a spent budget stops

use e2e::{Backstage, Call, STRANGER, Workspace, World, envelope};
use reqwest::Method;
use serde_json::{Value, json};

const SPENT: &str = "workspace budget limit exceeded";

fn change(world: &World, id: &str, body: &Value) -> Call {
    let call = world.call(Method::PATCH, &format!("/workspaces/{id}/budget"));
    call.bearer(&world.admin).json(body)
}

fn budget(limit: Value, spend: i64, left: Value) -> Value {
    json!({"budget_limit": limit, "monthly_spend": spend, "budget_remaining": left})
}

async fn shown(world: &World, workspace: &Workspace) -> Value {
    let call = world.get(&format!("/workspaces/{}/budget", workspace.id));
    call.bearer(&workspace.token).await.expect(200).json
}

#[tokio::test]
async fn a_spent_budget_stops_what_comes_in_until_it_is_raised() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    let lead = world.workspace("Lead").await;
    let (thrifty, agent) = world.online("Thrifty").await;
    let body = json!({"budget_limit": 100});
    change(&world, &thrifty.id, &body).await.expect(200);
    world
        .message(&thrifty.id, "while it lasts")
        .await
        .expect(200);
    let beat = json!({"monthly_spend": 100});
    world.beat(&thrifty, beat).await.expect(200);
    assert_eq!(
        shown(&world, &thrifty).await,
        budget(json!(100), 100, json!(0))
    );

    let before = (
        backstage.counts(&thrifty).await,
        world.activity(&thrifty.id, "").await,
    );
    let message = envelope("too late");
    let send = || world.send(&thrifty.id).json(&message);
    for call in [
        send().bearer(&world.admin),
        send().by(&lead),
        send().bearer(&world.admin).header("X-Priority", "critical"),
    ] {
        let refused = call.await;
        assert_eq!(refused.json, json!({"error": SPENT}));
        assert_eq!(refused.status, 402);
    }
    // Who delegates learns of it by the result.
    let told = world.delegate(&lead, &thrifty.id, "too late").await;
    let id = told.expect(202).text("delegation_id");
    let failed = world.delegated(&lead, &id, "failed").await;
    assert_eq!(failed["error"], SPENT);
    let (name, payload) = world.events(&lead.id).await.remove(0);
    assert_eq!(name, "DELEGATION_FAILED");
    assert_eq!(
        payload,
        json!({"delegation_id": id, "target_id": thrifty.id, "error": SPENT})
    );
    // Nothing was accepted: nothing counted, nobody in line, nothing in the log or at the agent.
    let after = (
        backstage.counts(&thrifty).await,
        world.activity(&thrifty.id, "").await,
    );
    assert_eq!(after, before);
    assert_eq!(world.queue_of(&thrifty.id).await, None);
    assert!(backstage.line(&thrifty).await.is_empty());
    assert_eq!(agent.texts(), ["while it lasts"]);

    // The very same message comes in once there is money, and so does the same task.
    let body = json!({"budget_limit": 101});
    let raised = change(&world, &thrifty.id, &body).await.expect(200);
    assert_eq!(raised.json, budget(json!(101), 100, json!(1)));
    send().bearer(&world.admin).await.expect(200);
    let told = world.delegate(&lead, &thrifty.id, "now").await.expect(202);
    let id = told.text("delegation_id");
    world.delegated(&lead, &id, "completed").await;
    assert_eq!(agent.texts(), ["while it lasts", "too late", "now"]);

    // Spent again; without a limit nothing stops.
    let beat = json!({"monthly_spend": 5000});
    world.beat(&thrifty, beat).await.expect(200);
    send().by(&lead).await.expect(402);
    let none = change(&world, &thrifty.id, &json!({"budget_limit": null}));
    assert_eq!(
        none.await.expect(200).json,
        budget(json!(null), 5000, json!(null))
    );
    send().by(&lead).await.expect(200);
}

#[tokio::test]
async fn operators_change_it_and_its_workspace_sees_it() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let unlimited = budget(json!(null), 0, json!(null));
    assert_eq!(shown(&world, &own).await, unlimited);
    let path = format!("/workspaces/{}/budget", own.id);
    let get = || world.get(&path);
    assert_eq!(get().await.status, 401);
    assert_eq!(get().bearer(&other.token).await.status, 401);
    assert_eq!(get().bearer(&world.admin).await.json, unlimited);

    let body = json!({"budget_limit": 5});
    let patch = || world.call(Method::PATCH, &path).json(&body);
    assert_eq!(patch().await.error(), (401, "admin auth required"));
    for bearer in [&own.token, &other.token, "nonsense"] {
        let refused = patch().bearer(bearer).await;
        assert_eq!(refused.error(), (401, "invalid admin auth token"));
    }
    for (body, sentence) in [
        (json!({}), "budget_limit field is required"),
        (json!([]), "invalid request body"),
        (
            json!({"budget_limit": -1}),
            "budget_limit must be >= 0 (USD cents)",
        ),
        (
            json!({"budget_limit": "5"}),
            "budget_limit must be an integer (USD cents) or null",
        ),
    ] {
        let refused = change(&world, &own.id, &body).await;
        assert_eq!(refused.error(), (400, sentence), "{body}");
    }
    assert_eq!(shown(&world, &own).await, unlimited);
    let unknown = change(&world, STRANGER, &body).await;
    assert_eq!(unknown.error(), (404, "workspace not found"));
    world.delete(&other.id).await;
    let gone = change(&world, &other.id, &body).await;
    assert_eq!(gone.error(), (404, "workspace not found"));
}
