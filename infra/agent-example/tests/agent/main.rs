//! The agent as a process, against a platform of a few lines.

mod platform;
mod process;

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    platform::{PEER, Platform, SELF, TOKEN},
    process::Process,
};

#[tokio::test]
async fn it_registers_until_it_is_accepted_and_uses_the_token_it_is_given() {
    let platform = Platform::start().await;
    platform.refuse_next_registration();
    let agent = Process::start(&platform);

    let registered = platform.wait_for("/registry/register", |_| true).await;
    assert_eq!(registered.body["id"], SELF);
    assert_eq!(registered.body["url"], agent.url);
    assert_eq!(registered.body["agent_card"]["name"], "Ada");
    assert_eq!(registered.bearer, None);

    let beat = platform.wait_for("/registry/heartbeat", |_| true).await;
    assert_eq!(beat.bearer.as_deref(), Some(TOKEN));
    let uptime = &beat.body["uptime_seconds"];
    assert!(uptime.is_u64());
    assert_eq!(
        beat.body,
        json!({
            "workspace_id": SELF,
            "error_rate": 0.0,
            "sample_error": "",
            "active_tasks": 0,
            "uptime_seconds": uptime,
            "current_task": "",
            "monthly_spend": 0,
            "runtime_state": "",
            "runtime_metadata": {"capabilities": {}},
        })
    );
}

#[tokio::test]
async fn it_introduces_itself() {
    let platform = Platform::start().await;
    let agent = Process::start(&platform);

    assert_eq!(agent.get("/health").await, json!({"status": "ok"}));
    let card = agent.get("/.well-known/agent-card.json").await;
    assert_eq!(card, agent.get("/.well-known/agent.json").await);
    assert_eq!(card["url"], agent.url);
    assert_eq!(card["protocolVersion"], "0.3.0");
    let skills = card["skills"].as_array().expect("skills");
    assert!(skills.iter().any(|skill| skill["id"] == "summarise"));
}

#[tokio::test]
async fn it_answers_messages_and_counts_them() {
    let platform = Platform::start().await;
    let agent = Process::start(&platform);

    assert_eq!(agent.say("echo good morning").await, "good morning");
    let greeting = agent.say("what do you do?").await;
    assert!(
        greeting.contains("Ada") && greeting.contains("what do you do?"),
        "{greeting}"
    );
    let summary = agent
        .send(json!([
            {"type": "text", "text": "summarise"},
            {"type": "file", "file": {"name": "a.txt", "bytes": "b25lIHR3bwp0aHJlZQo="}},
        ]))
        .await;
    assert_eq!(text(&summary), "a.txt: 3 words, 2 lines.\none two\nthree");

    let twice = json!({"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": {
        "messageId": "same", "parts": [{"kind": "text", "text": "echo once"}],
    }}});
    agent.post(&twice.to_string()).await;
    agent.post(&twice.to_string()).await;
    assert_eq!(agent.say("count").await, r#"{"total":5,"distinct":4}"#);

    let (status, fault) = agent.post("{").await;
    assert_eq!(
        (status, &fault["error"]["code"]),
        (StatusCode::OK, &json!(-32700))
    );
}

#[tokio::test]
async fn it_asks_peers_through_the_platform() {
    let platform = Platform::start().await;
    let agent = Process::start(&platform);
    platform.wait_for("/registry/heartbeat", |_| true).await;

    assert_eq!(
        agent.say("ask beta two echo hi").await,
        "Beta Two says: heard echo hi"
    );
    assert_eq!(
        agent.say(&format!("ask {PEER} hi")).await,
        "Beta Two says: heard hi"
    );
    let queued = agent.say("ask Beta Two queue this").await;
    assert!(queued.contains("queued"), "{queued}");
    let refused = agent.say("ask Beta Two refuse this").await;
    assert_eq!(
        refused,
        "Beta Two did not answer: workspace budget limit exceeded (HTTP 402)"
    );
    let unknown = agent.say("ask Nobody hi").await;
    assert_eq!(unknown, "I cannot tell which peer you mean: Nobody hi");

    let sent = platform
        .wait_for(&format!("/workspaces/{PEER}/a2a"), |_| true)
        .await;
    assert_eq!(sent.caller.as_deref(), Some(SELF));
    assert_eq!(sent.bearer.as_deref(), Some(TOKEN));
}

#[tokio::test]
async fn it_sends_notes_and_reports_tools() {
    let platform = Platform::start().await;
    let agent = Process::start(&platform);
    let notes = format!("/workspaces/{SELF}/notify");

    agent.say("notify all done").await;
    let note = platform.wait_for(&notes, |_| true).await;
    assert_eq!(note.body, json!({"message": "all done", "attachments": []}));

    // Without the upload route …
    agent.say("notify the report attach my report.txt").await;
    let note = platform
        .wait_for(&notes, |note| note["message"] == "the report")
        .await;
    assert_eq!(
        note.body["attachments"][0]["uri"],
        "workspace:/workspace/my report.txt"
    );
    // … and with it.
    platform.accept_uploads();
    agent.say("notify it again attach my report.txt").await;
    let note = platform
        .wait_for(&notes, |note| note["message"] == "it again")
        .await;
    assert_eq!(
        note.body["attachments"],
        json!([{"uri": "workspace:/stored", "name": "my_report.txt", "mimeType": "text/plain", "size": 7}])
    );

    assert_eq!(
        agent.say("tools").await,
        "I used two tools: read_file and web_search."
    );
    let activity = format!("/workspaces/{SELF}/activity");
    let row = platform
        .wait_for(&activity, |row| row["metadata"]["tool"] == "web_search")
        .await;
    assert_eq!(row.body["activity_type"], "agent_log");
    assert_eq!(row.body["method"], "tool_use");
}

#[tokio::test]
async fn what_it_is_told_to_report_has_arrived_before_it_answers() {
    let platform = Platform::start().await;
    let agent = Process::start(&platform);
    let told = || {
        platform.last("/registry/heartbeat", |beat| {
            !beat["runtime_metadata"].is_null()
        })
    };

    agent.say("wedge").await;
    assert_eq!(told()["runtime_state"], "wedged");
    agent.say("recover").await;
    assert_eq!(told()["runtime_state"], "");
    agent.say("errors 0.6").await;
    assert_eq!(told()["error_rate"], 0.6);
    agent.say("task write the report").await;
    assert_eq!(told()["current_task"], "write the report");
    agent.say("capability session on").await;
    agent.say("capability scheduler off").await;
    let metadata = told()["runtime_metadata"].clone();
    assert_eq!(
        metadata,
        json!({"capabilities": {"session": true, "scheduler": false}})
    );
}

#[tokio::test]
async fn a_task_is_reported_when_it_starts_and_when_it_ends() {
    let platform = Platform::start().await;
    let agent = Process::start(&platform);
    platform.wait_for("/registry/heartbeat", |_| true).await;

    let begun = Instant::now();
    assert_eq!(agent.say("slow 0.3 done").await, "done");
    assert!(begun.elapsed() >= Duration::from_millis(300));
    let busy = platform
        .wait_for("/registry/heartbeat", |beat| beat["active_tasks"] == 1)
        .await;
    assert_eq!(busy.body.get("runtime_metadata"), None);
    let ended = |beat: &Value| beat["active_tasks"] == 0 && beat.get("runtime_metadata").is_none();
    platform.wait_for("/registry/heartbeat", ended).await;
}

#[tokio::test]
async fn it_fails_and_refuses_on_request() {
    let platform = Platform::start().await;
    let agent = Process::start(&platform);

    let (status, body) = agent.post_text("fail 507").await;
    assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(body, json!({"error": "asked to fail"}));

    agent.say("busy 1").await;
    let refusal = agent.response("echo hi").await;
    assert_eq!(refusal.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refusal.headers()["retry-after"], "2");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(agent.say("echo hi").await, "hi");
    // The refused message was not received.
    assert_eq!(agent.say("count").await, r#"{"total":3,"distinct":3}"#);
}

#[tokio::test]
async fn it_ends_when_told_to() {
    let platform = Platform::start().await;

    let mut agent = Process::start(&platform);
    assert_eq!(agent.say("exit 7").await, "Goodbye, I end with code 7.");
    assert_eq!(agent.wait().await, Some(7));

    // A platform of its own: the task waited for must be this agent's.
    let platform = Platform::start().await;
    let mut agent = Process::start(&platform);
    let slow = tokio::spawn(agent.response("slow 60 never"));
    platform
        .wait_for("/registry/heartbeat", |beat| beat["active_tasks"] == 1)
        .await;
    agent.terminate();
    assert_eq!(agent.wait().await, Some(0));
    let reply = slow.await.expect("a reply");
    assert_eq!(reply.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn a_missing_variable_is_named() {
    let (code, stderr) = process::start_without("WORKSPACE_ID");
    assert_eq!(code, Some(2));
    assert_eq!(stderr, "WORKSPACE_ID must be set.\n");
}

fn text(reply: &Value) -> &str {
    reply["result"]["parts"][0]["text"]
        .as_str()
        .unwrap_or_default()
}
