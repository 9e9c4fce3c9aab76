//! The part of the walk that goes through families of routes: each is made, shown, changed and ended.

use e2e::{
    Workspace,
    counted::{InProcess, PUBLIC},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{super::permissions::Needed, LARGE};

/// Created, changed, run, shown, deleted; one is left for the removal of its workspace.
pub(super) async fn schedules(
    inside: &InProcess,
    needed: &mut Needed,
    own: &Workspace,
    top: &Workspace,
) {
    let call = |method: Method, rest: &str| {
        let path = format!("/workspaces/{}/schedules{rest}", own.id);
        inside.call(method, &path).bearer(&own.token)
    };
    let mut made = Vec::new();
    for name in ["One", "Two"] {
        let new = json!({"name": name, "cron_expr": "0 9 * * *", "prompt": "p"});
        let create = call(Method::POST, "").json(&new);
        made.push(needed.by(create).await.expect(201).text("id"));
    }
    let at = |rest: &str| format!("/{}{rest}", made[0]);
    let change = json!({"name": "Renamed", "prompt": "q", "enabled": false});
    let change = call(Method::PATCH, &at("")).json(&change);
    needed.by(change).await.expect(200);
    needed.by(call(Method::POST, &at("/run"))).await.expect(200);
    needed
        .by(call(Method::GET, &at("/history")))
        .await
        .expect(200);
    needed.by(call(Method::GET, "")).await.expect(200);
    let health = call(Method::GET, "/health").bearer(&top.token);
    needed
        .by(health.header("X-Workspace-ID", &top.id))
        .await
        .expect(200);
    needed.by(call(Method::DELETE, &at(""))).await.expect(200);
    let all = inside.get("/admin/schedules/health");
    needed
        .by(all.clone().bearer(&inside.admin))
        .await
        .expect(200);
    needed.by(all.bearer(&own.token)).await.expect(401);
}

/// Minted, listed, revoked; and by whom it may not be.
pub(super) async fn org_tokens(inside: &InProcess, needed: &mut Needed, own: &Workspace) {
    let path = "/org/tokens";
    let mint = inside.post(path).bearer(&inside.admin);
    let minted = needed.by(mint).await.expect(200);
    let list = inside.get(path).bearer(&minted.text("auth_token"));
    needed.by(list).await.expect(200);
    let one = format!("{path}/{}", minted.text("id"));
    let revoke = inside.call(Method::DELETE, &one).bearer(&inside.admin);
    needed.by(revoke).await.expect(200);
    let refused = inside.get(path).bearer(&own.token);
    needed.by(refused).await.expect(401);
}

/// Asked with all there may be, by a child; listed, decided, listed everywhere.
pub(super) async fn approvals(inside: &InProcess, needed: &mut Needed, own: &Workspace) {
    let path = format!("/workspaces/{}/approvals", own.id);
    let all = json!({"action": "a", "reason": "r", "task_id": "t", "context": {"k": "v"}});
    let ask = inside.post(&path).bearer(&own.token).json(&all);
    let id = needed.by(ask).await.expect(201).text("approval_id");
    let list = inside.get(&path).bearer(&own.token);
    needed.by(list).await.expect(200);
    let pending = inside.get("/approvals/pending");
    needed
        .by(pending.clone().bearer(&own.token))
        .await
        .expect(401);
    needed.by(pending.bearer(&inside.admin)).await.expect(200);
    let decide = inside.post(&format!("{path}/{id}/decide"));
    let decide = decide.json(&json!({"decision": "approved"}));
    needed
        .by(decide.clone().bearer(&own.token))
        .await
        .expect(403);
    needed.by(decide.bearer(&inside.admin)).await.expect(200);
}

pub(super) async fn delegations(
    inside: &InProcess,
    needed: &mut Needed,
    own: &Workspace,
    to: &Workspace,
) {
    let at = |rest: &str| format!("/workspaces/{}{rest}", own.id);
    let post = |path: &str, body: Value| inside.post(path).bearer(&own.token).json(&body);
    for size in [10, LARGE] {
        let text = "t".repeat(size);
        let task = json!({"target_id": to.id, "task": text, "idempotency_key": size.to_string()});
        let delegate = || post(&at("/delegate"), task.clone());
        needed.by(delegate()).await.expect(202);
        needed.by(delegate()).await.expect(200);
        let record = json!({"target_id": to.id, "task": text, "delegation_id": text[..10]});
        let record = post(&at("/delegations/record"), record);
        needed.by(record).await.expect(202);
        for said in [
            json!({"status": "completed", "response_preview": text}),
            json!({"status": "failed", "error": text}),
        ] {
            let update = at(&format!("/delegations/{}/update", &text[..10]));
            needed.by(post(&update, said)).await.expect(200);
        }
    }
    let list = inside.get(&at("/delegations")).bearer(&own.token);
    needed.by(list).await.expect(200);
}

/// On a machine of ours and below others, where each act does most.
pub(super) async fn life(inside: &InProcess, needed: &mut Needed, top: &Workspace) {
    let admin = |method: Method, path: &str| inside.call(method, path).bearer(&inside.admin);
    let new = json!({"name": "On a machine", "runtime": "example", "parent_id": top.id});
    let made = admin(Method::POST, "/workspaces").json(&new).await;
    let id = made.expect(201).text("id");
    let minted = admin(Method::POST, &format!("/workspaces/{id}/tokens")).await;
    let own = Workspace {
        token: minted.expect(201).text("auth_token"),
        id: id.clone(),
    };
    let act = |act: &str| {
        let call = inside.post(&format!("/workspaces/{id}/{act}"));
        call.bearer(&own.token)
    };
    let state = inside.get(&format!("/workspaces/{id}/state"));
    needed.by(state.bearer(&own.token)).await.expect(200);
    let failed = inside.post(&format!("/admin/workspaces/{id}/bootstrap-failed"));
    let failed = failed.bearer(&own.token).json(&json!({"error": "no disk"}));
    needed.by(failed).await.expect(200);
    // Its own agent is refused while its machine is to go; an operator is not.
    let elsewhere = json!({"id": id, "url": PUBLIC, "agent_card": {}});
    let elsewhere = admin(Method::POST, "/registry/register").json(&elsewhere);
    elsewhere.await.expect(200);
    for act_of_operators in ["pause", "resume", "hibernate"] {
        needed.by(act(act_of_operators)).await.expect(403);
    }
    let asleep = admin(Method::POST, &format!("/workspaces/{id}/hibernate"));
    needed.by(asleep).await.expect(200);
    needed.by(act("restart")).await.expect(200);
    // The token died with the machine's process.
    let act =
        |of: &Workspace, act: &str| admin(Method::POST, &format!("/workspaces/{}/{act}", of.id));
    needed.by(act(top, "pause")).await.expect(200);
    needed.by(act(&own, "restart")).await.expect(409);
    needed.by(act(&own, "resume")).await.expect(409);
    needed.by(act(top, "resume")).await.expect(200);
    inside
        .post(&format!("/workspaces/{id}/tokens"))
        .bearer(&inside.admin)
        .await
        .expect(201);
    needed.by(act(&own, "pause")).await.expect(200);
    needed.by(act(&own, "resume")).await.expect(200);
    inside.register(top, PUBLIC).await.expect(200);
}
