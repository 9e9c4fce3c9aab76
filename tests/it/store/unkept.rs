//! Half of what a message needs, while the table throttles: its body is not kept though it was accepted, or its
//! job finds the table busy.

use std::time::{Duration, Instant};

use domain::{Mode, job::Job, request::State};
use e2e::{
    Agent,
    counted::{Fault, InProcess},
    envelope,
};
use messages::{deliver, dispatch, flow::deliver::Offer};
use serde_json::json;
use store::{ledger::Ledger as _, workspaces::Parts};

use crate::calls_messages::context;

#[tokio::test]
async fn a_message_without_a_body_gets_it_from_its_repeat() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let messages = context(&inside);
    let agent = Agent::start().await;
    let target = inside.online("Target").await;
    inside.register(&target, &agent.url).await.expect(200);
    let path = format!("/workspaces/{}/a2a", target.id);
    let message = inside.post(&path).json(&envelope("do not lose me"));
    let message = message.bearer(&inside.admin);
    let send = || message.clone().to(messages, dispatch::handle);

    inside.wire.fail("PutItem", 1, Fault::throttled());
    let refused = send().await.expect(503);
    assert_eq!(refused.json["code"], "platform_unavailable");

    // It is accepted already, and nobody carries it before its offer runs out.
    let kept = send().await.expect(202);
    let request_id = kept.text("queue_id").parse().expect("an id");
    let offer = Offer {
        request_id,
        fence: 1,
        call: None,
    };
    let given = deliver::Given::Offer(offer);
    deliver::handle(messages, given).await.expect("delivered");
    assert_eq!(agent.texts(), ["do not lose me"]);
    let answer = send().await.expect(200);
    let text = &answer.json["result"]["parts"][0]["text"];
    assert_eq!(text, "echo: do not lose me");
    assert_eq!(agent.texts().len(), 1);
}

#[tokio::test]
async fn a_message_is_not_failed_while_its_body_may_still_come() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let messages = context(&inside);
    let agent = Agent::start().await;
    let target = inside.online("Target").await;
    inside.register(&target, &agent.url).await.expect(200);
    let path = format!("/workspaces/{}/a2a", target.id);
    let message = inside.post(&path).json(&envelope("slowly kept"));
    let message = message.bearer(&inside.admin);
    inside.wire.fail("PutItem", 1, Fault::throttled());
    let send = message.clone().to(messages, dispatch::handle);
    send.await.expect(503);
    let store = &inside.app.store;
    let load = store.workspace(super::id(&target), Parts::WithLoad).await;
    let load = load.expect("read").expect("there").load.expect("a load");
    let request_id = load.slots.keys().next().expect("it has the slot");
    let request_id = request_id.parse().expect("an id");
    let deliver = |fence| {
        let offer = Offer {
            request_id,
            fence,
            call: None,
        };
        deliver::handle(messages, deliver::Given::Offer(offer))
    };

    // Whoever carries it is faster than its body.
    deliver(1).await.expect("done");
    let request = store.request(request_id).await.expect("read");
    assert_eq!(request.expect("there").state, State::Waiting);
    let send = message.clone().to(messages, dispatch::handle);
    send.await.expect(202);
    inside.beat(&target, json!({})).await.expect(200);
    let flow = messages.flow();
    let looked = messages::flow::line::look(&flow, super::id(&target)).await;
    looked.expect("looked");
    let request = store.request(request_id).await.expect("read");
    deliver(request.expect("there").fence).await.expect("done");
    assert_eq!(agent.texts(), ["slowly kept"]);
    let send = message.to(messages, dispatch::handle);
    let answer = send.await.expect(200);
    let text = &answer.json["result"]["parts"][0]["text"];
    assert_eq!(text, "echo: slowly kept");
}

#[tokio::test]
async fn a_job_that_meets_a_busy_table_is_tried_again_at_once_and_not_after_the_longest_delivery() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let messages = context(&inside);
    let target = inside.online("Target").await;
    let work = |body: String| {
        let message_id = "job".to_owned();
        let records = vec![deliver::Record { message_id, body }];
        deliver::handle(messages, deliver::Given::Queue { records })
    };
    let said = |said| serde_json::to_value(said).expect("JSON");
    let workspace_id = super::id(&target);
    let job = serde_json::to_string(&Job::OfferV1 { workspace_id }).expect("JSON");

    inside.wire.fail("BatchGetItem", 1, Fault::throttled());
    inside.wire.fail("Query", 1, Fault::throttled());
    let done = work(job).await.expect("an answer");
    assert_eq!(said(done), json!({"batchItemFailures": []}));
    // What is no job does not become one.
    let begun = Instant::now();
    let nonsense = work("{}".to_owned()).await.expect("an answer");
    let failed = json!({"batchItemFailures": [{"itemIdentifier": "job"}]});
    assert_eq!(said(nonsense), failed);
    assert!(begun.elapsed() < Duration::from_secs(1), "tried again");
}
