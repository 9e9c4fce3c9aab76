//! `PATCH /workspaces/{id}`

use e2e::{Call, World};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) fn patch(world: &World, bearer: &str, id: &str, body: &Value) -> Call {
    let call = world.call(Method::PATCH, &format!("/workspaces/{id}"));
    call.bearer(bearer).json(body)
}

#[tokio::test]
async fn what_is_given_changes_and_the_rest_stays() {
    let world = World::new();
    let workspace = world.workspace("Before").await;
    let events = world.events(&workspace.id).await;
    let mut expected = world.listed(&workspace.id).await.expect("listed");
    let restart = json!({"status": "updated", "needs_restart": true});
    let updated = json!({"status": "updated"});
    for (body, reply, changes) in [
        (json!({}), &updated, json!({})),
        (
            json!({"name": "After", "role": "writes", "tier": 2, "runtime": "hermes",
                "collapsed": true, "x": 1.5, "y": -2}),
            &updated,
            json!({"name": "After", "role": "writes", "tier": 2, "runtime": "hermes",
                "collapsed": true, "x": 1.5, "y": -2.0}),
        ),
        // One coordinate alone, and what is changed elsewhere or nowhere.
        (json!({"x": 9}), &updated, json!({})),
        (
            json!({"budget_limit": 5, "workspace_access": "read_only", "id": "x",
                "max_concurrent_tasks": 9, "status": "online", "hibernation_idle_minutes": 10}),
            &updated,
            json!({}),
        ),
        (
            json!({"workspace_dir": "/srv/work"}),
            &restart,
            json!({"workspace_dir": "/srv/work"}),
        ),
        (
            json!({"workspace_dir": null, "role": null, "name": null, "tier": null, "runtime": null,
                "collapsed": null, "x": null, "y": null}),
            &restart,
            json!({"workspace_dir": null, "role": null}),
        ),
        (json!({"role": "again"}), &updated, json!({"role": "again"})),
        (json!({"role": ""}), &updated, json!({"role": null})),
    ] {
        let answer = patch(&world, &world.admin, &workspace.id, &body).await;
        assert_eq!(answer.expect(200).json, *reply, "{body}");
        let changes = changes.as_object().expect("an object").clone();
        expected.as_object_mut().expect("an object").extend(changes);
        let found = world.listed(&workspace.id).await.expect("listed");
        assert_eq!(found, expected, "{body}");
    }
    assert_eq!(world.events(&workspace.id).await, events);
}

#[tokio::test]
async fn an_agent_changes_its_looks_but_not_its_reach() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let gone = world.workspace("Gone").await;
    world.delete(&gone.id).await;
    let looks = json!({"name": "Mine", "role": "own", "x": 1, "y": 1, "collapsed": true});
    patch(&world, &own.token, &own.id, &looks).await.expect(200);
    let before = world.snapshot(&own.id).await;
    for body in [
        json!({"parent_id": other.id}),
        json!({"parent_id": null, "name": "Root"}),
        json!({"tier": 4}),
        json!({"runtime": "hermes"}),
        json!({"workspace_dir": "/srv"}),
        json!({"hibernation_idle_minutes": 0, "role": "sleepless"}),
    ] {
        let refused = patch(&world, &own.token, &own.id, &body).await;
        let sentence = "tier, parent_id, runtime, workspace_dir and hibernation_idle_minutes are \
            changed by an operator";
        assert_eq!(refused.error(), (403, sentence), "{body}");
    }
    // Somebody else's, a removed one and an unknown one look the same.
    for id in [&own.id, &gone.id, &Uuid::new_v4().to_string()] {
        for bearer in [&other.token, &gone.token, "nonsense"] {
            let refused = patch(&world, bearer, id, &looks).await;
            assert_eq!(refused.error(), (401, "invalid workspace auth token"));
        }
        let call = world.call(Method::PATCH, &format!("/workspaces/{id}"));
        let refused = call.json(&looks).await;
        assert_eq!(refused.error(), (401, "missing workspace auth token"));
    }
    assert_eq!(world.snapshot(&own.id).await, before);
    for id in [&gone.id, &Uuid::new_v4().to_string()] {
        for body in [&looks, &json!({"parent_id": other.id}), &json!({})] {
            let missing = patch(&world, &world.admin, id, body).await;
            assert_eq!(missing.error(), (404, "workspace not found"), "{body}");
        }
    }
    let bad = patch(&world, &world.admin, "mine", &looks).await;
    assert_eq!(bad.error(), (400, "invalid workspace ID"));
}

#[tokio::test]
async fn one_bad_value_and_nothing_is_written() {
    let world = World::new();
    let workspace = world.workspace("Kept").await;
    let before = world.snapshot(&workspace.id).await;
    let gone = world.workspace("Gone").await;
    world.delete(&gone.id).await;
    let invalid = "invalid request body";
    let directory = "invalid workspace directory";
    let minutes = "hibernation_idle_minutes must be 0 to 10080";
    for (change, sentence) in [
        (json!({"role": 7}), invalid),
        (json!({"tier": 1.5}), invalid),
        (json!({"collapsed": "no"}), invalid),
        (json!({"x": "left", "y": 0}), invalid),
        (json!({"x": -1e200, "y": 0}), invalid),
        (
            json!({"role": "a\nb"}),
            "role must not contain newline characters",
        ),
        (json!({"role": "a|b"}), "role contains invalid characters"),
        (
            json!({"role": "x".repeat(1001)}),
            "role must be at most 1000 characters",
        ),
        (
            json!({"runtime": "a\rb"}),
            "runtime must not contain newline characters",
        ),
        (
            json!({"runtime": "x".repeat(101)}),
            "runtime must be at most 100 characters",
        ),
        (json!({"tier": 0}), "tier must be 1 to 4"),
        (json!({"workspace_dir": "/etc"}), directory),
        (json!({"workspace_dir": "work"}), directory),
        (json!({"hibernation_idle_minutes": -1}), minutes),
        (json!({"hibernation_idle_minutes": 10_081}), minutes),
        (json!({"parent_id": "top"}), "invalid workspace ID"),
        (
            json!({"parent_id": Uuid::new_v4()}),
            "parent workspace not found",
        ),
        (json!({"parent_id": gone.id}), "parent workspace not found"),
    ] {
        let mut body = json!({"name": "Changed", "x": 5, "y": 5});
        let changed = change.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(changed);
        let refused = patch(&world, &world.admin, &workspace.id, &body).await;
        assert_eq!(refused.error(), (400, sentence), "{change}");
    }
    for (name, sentence) in [
        ("", "name must not be empty"),
        ("a\nb", "name must not contain newline characters"),
        ("a*b", "name contains invalid characters"),
        (&"x".repeat(256), "name must be at most 255 characters"),
    ] {
        let body = json!({"name": name, "role": "changed"});
        let refused = patch(&world, &workspace.token, &workspace.id, &body).await;
        assert_eq!(refused.error(), (400, sentence));
    }
    for body in ["", "{", "null", "[]", r#"["Changed"]"#, "7"] {
        let call = world.call(Method::PATCH, &format!("/workspaces/{}", workspace.id));
        let refused = call.bearer(&workspace.token).body(body).await;
        assert_eq!(refused.error(), (400, invalid), "{body}");
    }
    let huge = json!({"name": "Changed", "padding": "x".repeat(256 * 1024)});
    let refused = patch(&world, &workspace.token, &workspace.id, &huge).await;
    assert_eq!(refused.expect(413).json["max_bytes"], 262_144);
    assert_eq!(world.snapshot(&workspace.id).await, before);
}
