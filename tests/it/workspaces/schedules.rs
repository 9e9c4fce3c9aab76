//! `GET|POST /workspaces/{id}/schedules`, `PATCH|DELETE …/{schedule_id}`

use e2e::{STRANGER, World, at_once, without};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::scheduled::{at, change, make, shown};

#[tokio::test]
async fn a_schedule_is_made_listed_changed_and_deleted() {
    let world = World::new();
    let own = world.workspace("Own").await;
    let list = || world.get(&at(&own, "")).bearer(&own.token);
    assert_eq!(list().await.expect(200).json, json!([]));
    let prompt = format!("Read\r\nthis: {}", "ü".repeat(10_000));
    let body = json!({
        "name": "Morning", "cron_expr": "0 9 * * 1", "timezone": "Europe/Berlin", "prompt": prompt,
        "source": "template", "run_count": 7,
    });
    let create = world.post(&at(&own, "")).bearer(&own.token).json(&body);
    let made = create.await.expect(201);
    let id = made.text("id");
    assert_eq!(made.json["status"], "created");
    let next = made.text("next_run_at");

    let rows = list().await.expect(200).json;
    let row = without(&rows[0], &["created_at", "updated_at"]);
    assert_eq!(
        row,
        json!({
            "id": id, "workspace_id": own.id, "name": "Morning", "cron_expr": "0 9 * * 1",
            "timezone": "Europe/Berlin", "prompt": prompt.replace('\r', ""), "enabled": true,
            "last_run_at": null, "next_run_at": next, "run_count": 0, "last_status": "",
            "last_error": "", "source": "runtime",
        })
    );
    // What is not said is kept, and so is what is null.
    let changed = json!({"prompt": "Other\r\n", "enabled": false, "name": null});
    let changed = change(&world, &own, &id, &changed).await.expect(200);
    assert_eq!(changed.json, json!({"status": "updated"}));
    let row = shown(&world, &own, &id).await;
    assert_eq!(
        (
            &row["prompt"],
            &row["enabled"],
            &row["name"],
            &row["next_run_at"]
        ),
        (
            &json!("Other\n"),
            &json!(false),
            &json!("Morning"),
            &json!(next)
        )
    );
    let other = json!({"cron_expr": "*/7 * * * *", "timezone": "UTC", "name": "Often"});
    change(&world, &own, &id, &other).await.expect(200);
    let row = shown(&world, &own, &id).await;
    assert_ne!(row["next_run_at"], next);
    assert_eq!(
        (&row["name"], &row["enabled"]),
        (&json!("Often"), &json!(false))
    );

    let path = at(&own, &format!("/{id}"));
    let delete = || world.call(Method::DELETE, &path).bearer(&own.token);
    assert_eq!(
        delete().await.expect(200).json,
        json!({"status": "deleted"})
    );
    assert_eq!(delete().await.error(), (404, "schedule not found"));
    assert_eq!(list().await.expect(200).json, json!([]));
}

#[tokio::test]
async fn what_is_no_schedule_is_refused_with_the_reason() {
    let world = World::new();
    let own = world.workspace("Own").await;
    let post = |body: &Value| world.post(&at(&own, "")).bearer(&own.token).json(body);
    let required = "cron_expr and prompt are required";
    let bad = "invalid request body";
    let with = |key: &str, value: Value| {
        let mut body = json!({"name": "n", "cron_expr": "* * * * *", "prompt": "p"});
        body[key] = value;
        body
    };
    let name = "name must be at most 255 characters";
    for (body, sentence) in [
        (json!({}), required),
        (json!([]), required),
        (with("prompt", json!("")), required),
        (with("prompt", json!("\r")), required),
        (with("prompt", json!(7)), required),
        (with("cron_expr", json!("")), required),
        (with("cron_expr", json!(null)), required),
        (with("cron_expr", json!("nonsense")), bad),
        (with("cron_expr", json!("* * * *")), bad),
        (with("cron_expr", json!("*/0 * * * *")), bad),
        (with("cron_expr", json!("60 * * * *")), bad),
        (with("cron_expr", json!("* * * * 7")), bad),
        (with("cron_expr", json!("@daily")), bad),
        (with("cron_expr", json!("0 0 30 2 *")), bad),
        (with("cron_expr", json!("1,".repeat(500))), bad),
        (
            with("timezone", json!("Mars/Olympus")),
            "invalid timezone: Mars/Olympus",
        ),
        (with("name", json!("n".repeat(256))), name),
        (
            with("name", json!("a\nb")),
            "name must not contain newline characters",
        ),
        (
            with("prompt", json!("p".repeat(65_537))),
            "prompt must be at most 65536 bytes",
        ),
    ] {
        let refused = post(&body).await;
        assert_eq!(refused.error(), (400, sentence), "{body}");
        let reason = refused.json["reason"].as_str().unwrap_or_default();
        assert_eq!(reason.is_empty(), sentence != bad, "{body}: {reason}");
    }
    let large = with("prompt", json!("p".repeat(600_000)));
    post(&large).await.expect(413);
    let rows = world.get(&at(&own, "")).bearer(&own.token).await;
    assert_eq!(rows.expect(200).json, json!([]));

    let id = make(&world, &own, "Kept", "0 9 * * *").await;
    let before = shown(&world, &own, &id).await;
    for (body, sentence) in [
        (json!([]), "invalid JSON"),
        (json!({"enabled": "yes"}), "invalid JSON"),
        (json!({"timezone": "Nowhere"}), "invalid timezone: Nowhere"),
        (json!({"cron_expr": "x"}), bad),
        (json!({"cron_expr": ""}), bad),
        (json!({"prompt": ""}), required),
    ] {
        let refused = change(&world, &own, &id, &body).await;
        assert_eq!(refused.error(), (400, sentence), "{body}");
    }
    assert_eq!(shown(&world, &own, &id).await, before);
}

#[tokio::test]
async fn names_are_unique_in_a_workspace_whoever_comes_at_once() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let body = json!({"name": "Same", "cron_expr": "0 9 * * *", "prompt": "p"});
    let post = || world.post(&at(&own, "")).bearer(&own.token).json(&body);
    let answers = at_once((0..5).map(|_| post())).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let taken = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((made, taken), (1, 4));
    make(&world, &other, "Same", "0 9 * * *").await;
    let second = make(&world, &own, "Second", "0 9 * * *").await;
    let rename = json!({"name": "Same", "prompt": "q"});
    change(&world, &own, &second, &rename).await.expect(409);
    assert_eq!(shown(&world, &own, &second).await["prompt"], "Do Second");
    // A name that is free again can be had again.
    change(&world, &own, &second, &json!({"name": "Third"}))
        .await
        .expect(200);
    make(&world, &own, "Second", "0 9 * * *").await;
    let path = at(&own, &format!("/{second}"));
    world
        .call(Method::DELETE, &path)
        .bearer(&own.token)
        .await
        .expect(200);
    make(&world, &own, "Third", "0 9 * * *").await;
}

#[tokio::test]
async fn a_workspace_has_a_hundred_schedules() {
    let world = World::new();
    let own = world.workspace("Own").await;
    for from in [0, 25, 50, 75] {
        let bodies = (from..from + 25).map(|n| {
            let body = json!({"name": n.to_string(), "cron_expr": "0 9 * * *", "prompt": "p"});
            world.post(&at(&own, "")).bearer(&own.token).json(&body)
        });
        let answers = at_once(bodies).await;
        assert!(answers.iter().all(|answer| answer.status == 201));
    }
    let body = json!({"name": "one more", "cron_expr": "0 9 * * *", "prompt": "p"});
    let post = || world.post(&at(&own, "")).bearer(&own.token).json(&body);
    let full = "maximum 100 schedules per workspace: delete one first";
    assert_eq!(post().await.error(), (409, full));
    let rows = world
        .get(&at(&own, ""))
        .bearer(&own.token)
        .await
        .expect(200);
    assert_eq!(rows.json.as_array().map(Vec::len), Some(100));
    let first = rows.json[0]["id"].as_str().expect("an id");
    let path = at(&own, &format!("/{first}"));
    world
        .call(Method::DELETE, &path)
        .bearer(&own.token)
        .await
        .expect(200);
    post().await.expect(201);
}

#[tokio::test]
async fn only_the_workspace_and_operators_have_its_schedules() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let id = make(&world, &own, "Mine", "0 9 * * *").await;
    let one = at(&own, &format!("/{id}"));
    let body = json!({"cron_expr": "0 9 * * *", "prompt": "p"});
    for (method, path) in [
        (Method::GET, at(&own, "")),
        (Method::POST, at(&own, "")),
        (Method::PATCH, one.clone()),
        (Method::DELETE, one.clone()),
        (Method::POST, format!("{one}/run")),
        (Method::GET, format!("{one}/history")),
    ] {
        let call = || world.call(method.clone(), &path).json(&body);
        let foreign = call().bearer(&other.token).await;
        assert_eq!(
            foreign.error(),
            (401, "invalid workspace auth token"),
            "{path}"
        );
        let nobody = call().await;
        assert_eq!(
            nobody.error(),
            (401, "missing workspace auth token"),
            "{path}"
        );
    }
    // By another workspace's path it is not there.
    for (method, rest) in [
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::POST, "/run"),
    ] {
        let path = at(&other, &format!("/{id}{rest}"));
        let call = world
            .call(method, &path)
            .bearer(&other.token)
            .json(&json!({}));
        assert_eq!(call.await.error(), (404, "schedule not found"), "{path}");
    }
    let history = at(&other, &format!("/{id}/history"));
    let history = world.get(&history).bearer(&other.token).await;
    assert_eq!(history.expect(200).json, json!([]));
    for (path, expected) in [
        (at(&own, "/nonsense"), 400),
        (at(&own, &format!("/{}", Uuid::new_v4())), 404),
        (format!("/workspaces/{STRANGER}/schedules/{id}"), 404),
    ] {
        let call = world.call(Method::DELETE, &path).bearer(&world.admin).await;
        assert_eq!(call.status, expected, "{path}");
    }
    let gone = world.post(&format!("/workspaces/{STRANGER}/schedules"));
    let gone = gone.bearer(&world.admin).json(&body).await;
    assert_eq!(gone.error(), (404, "workspace not found"));
    world.delete(&own.id).await;
    let late = world.post(&at(&own, "")).bearer(&world.admin).json(&body);
    assert_eq!(late.await.error(), (404, "workspace not found"));
}
