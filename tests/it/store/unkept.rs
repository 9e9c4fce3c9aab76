//! A message whose body could not be kept, though the message itself was accepted: its caller is told to
//! come again, and does.

use domain::Mode;
use e2e::{
    Agent,
    counted::{Fault, InProcess},
    envelope,
};
use messages::{deliver, dispatch, flow::deliver::Offer};

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
