//! What tests of schedules do again and again.

use e2e::{Answer, Workspace, World, until};
use reqwest::Method;
use serde_json::{Value, json};

pub(super) fn at(of: &Workspace, rest: &str) -> String {
    format!("/workspaces/{}/schedules{rest}", of.id)
}

/// A new schedule; its id.
pub(super) async fn make(world: &World, of: &Workspace, name: &str, cron: &str) -> String {
    let body = json!({"name": name, "cron_expr": cron, "prompt": format!("Do {name}")});
    let call = world.post(&at(of, "")).bearer(&of.token).json(&body);
    call.await.expect(201).text("id")
}

pub(super) async fn change(world: &World, of: &Workspace, id: &str, body: &Value) -> Answer {
    let path = at(of, &format!("/{id}"));
    let call = world.call(Method::PATCH, &path).bearer(&of.token);
    call.json(body).await
}

/// It, as listed.
pub(super) async fn shown(world: &World, of: &Workspace, id: &str) -> Value {
    let rows = world.get(&at(of, "")).bearer(&of.token).await.expect(200);
    let rows = rows.json.as_array().expect("a list").clone();
    let found = rows.into_iter().find(|row| row["id"] == id);
    found.expect("it is listed")
}

/// Its runs, newest first, once there are so many.
pub(super) async fn runs(
    world: &World,
    of: &Workspace,
    id: &str,
    count: usize,
    seconds: u64,
) -> Vec<Value> {
    let path = at(of, &format!("/{id}/history"));
    until(seconds, &format!("{count} runs"), || async {
        let runs = world.get(&path).bearer(&of.token).await.expect(200).json;
        let runs = runs.as_array().expect("a list").clone();
        (runs.len() >= count).then_some(runs)
    })
    .await
}
