//! A world in memory, a call of every route in it, and what an answer must be.

use std::time::Duration;

use domain::Mode;
use e2e::{
    Answer, Workspace,
    counted::{InCall, InProcess, Memory, Snapshot},
    odd::CANARY,
    ssrf::{self, Liar},
};
use messages::{Messages, dispatch};
use proptest::{prelude::*, test_runner::TestCaseError};
use reqwest::Method;
use serde_json::json;
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

use super::{super::every_route::calls, change::described};

/// What answers later than this waits for something to happen.
const SOON: Duration = Duration::from_millis(200);

/// Sentences in which a name comes back that was sent: a runtime, a schedule, a folder.
const REPEATS: [&str; 4] = [
    "POST /admin/workspace-images/refresh",
    "POST /workspaces/{id}/schedules",
    "PATCH /workspaces/{id}/schedules/{schedule_id}",
    "POST /org/import",
];

/// A world, and a call of every route in it.
pub(super) struct Stage {
    runtime: Runtime,
    memory: Memory,
    messages: &'static Messages,
    pub(super) calls: Vec<InCall>,
    then: Snapshot,
}

impl Stage {
    pub(super) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (inside, memory) = runtime.block_on(InProcess::in_memory(Mode::DevClosed));
        let inside = inside.knowing(Liar::saying(&[&[ssrf::PUBLIC]]));
        inside.wire.stand_in();
        let messages = crate::calls_messages::context(&inside);
        let mut calls = runtime.block_on(calls(&inside));
        calls.extend(runtime.block_on(more(&inside, messages)));
        Self {
            messages,
            then: memory.snapshot(),
            runtime,
            memory,
            calls,
        }
    }

    /// The answer to a call, as if it were the first; none of one that waits for events.
    pub(super) fn answer(&self, call: InCall) -> Option<Answer> {
        self.memory.restore(&self.then);
        self.runtime.block_on(async {
            match call.function().as_str() {
                "messages.dispatch" => Some(call.to(self.messages, dispatch::handle).await),
                "events.stream" => timeout(SOON, call.into_future()).await.ok(),
                _ => Some(call.await),
            }
        })
    }

    /// What is wrong with an answer.
    pub(super) fn verdict(
        &self,
        call: &InCall,
        answer: Option<&Answer>,
    ) -> Result<(), TestCaseError> {
        let defects = self.memory.defects();
        prop_assert!(defects.is_empty(), "{defects:?}");
        let Some(answer) = answer else {
            return Ok(());
        };
        let route = call.route();
        let answers = &described(&route)["responses"];
        // Nothing is wrong with the datastore here: its 503 would be ours, too.
        let ours = answer.status == 500 || answer.json["code"] == "platform_unavailable";
        prop_assert!(!ours, "{}: {}", answer.status, answer.json);
        if answer.status < 400 || answers.is_null() {
            return Ok(());
        }
        let known = ["default".to_owned(), answer.status.to_string()];
        let known = known.iter().any(|status| answers.get(status).is_some());
        prop_assert!(
            known,
            "{} is not in docs/openapi.json: {}",
            answer.status,
            answer.json
        );
        // A page of somebody else's learns nothing.
        if answer.status == 403 && answer.bytes.is_empty() && call.has_header("origin") {
            return Ok(());
        }
        let said = answer.json["error"].as_str().unwrap_or_default();
        prop_assert!(!said.is_empty(), "{} says nothing", answer.status);
        let repeats = answer.json.to_string().contains(CANARY);
        prop_assert!(
            !repeats || REPEATS.contains(&route.as_str()),
            "{} repeats what was sent: {}",
            answer.status,
            answer.json
        );
        Ok(())
    }
}

/// What `calls` asks in vain, asked of what is there; and messages, which nobody answers in memory.
async fn more(inside: &InProcess, messages: &'static Messages) -> Vec<InCall> {
    let (poll, paused) = (
        inside.workspace("Poll").await,
        inside.online("Paused").await,
    );
    let push = inside.online("Push").await;
    let register = inside.post("/registry/register").bearer(&poll.token);
    let card = json!({"id": poll.id, "delivery_mode": "poll", "agent_card": {}});
    register.json(&card).await.expect(200);
    let of = |method: Method, to: &Workspace, rest: &str| {
        let call = inside.call(method, &format!("/workspaces/{}{rest}", to.id));
        call.bearer(&inside.admin)
    };
    let admin = |method: Method, path: &str| inside.call(method, path).bearer(&inside.admin);
    let message = |to| of(Method::POST, to, "/a2a").json(&e2e::envelope("hello"));
    let left = message(&poll)
        .to(messages, dispatch::handle)
        .await
        .expect(200);
    let request = format!("/a2a/requests/{}", left.text("queue_id"));
    of(Method::POST, &paused, "/pause").await.expect(200);
    let secret = json!({"key": "GONE", "value": "v"});
    let save = admin(Method::POST, "/settings/secrets").json(&secret);
    save.await.expect(200);
    let token = admin(Method::POST, "/org/tokens")
        .await
        .expect(200)
        .text("id");
    let signed = json!({"headers": {
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20261129/us-east-1/sts/aws4_request",
        "host": "sts.us-east-1.amazonaws.com",
        "x-amz-date": "20261129T000000Z",
        "x-molecule-stack": "in-process",
    }});
    vec![
        inside.post("/bootstrap/exchange").json(&signed),
        message(&poll),
        message(&push),
        of(Method::GET, &poll, &request),
        of(Method::POST, &push, "/hibernate"),
        of(Method::POST, &paused, "/resume"),
        of(Method::GET, &poll, "/schedules/health").header("X-Workspace-ID", &push.id),
        admin(Method::DELETE, "/settings/secrets/GONE"),
        admin(Method::DELETE, "/admin/secrets/GONE"),
        admin(Method::DELETE, &format!("/org/tokens/{token}")),
    ]
}
