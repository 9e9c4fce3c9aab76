//! What a message costs until its agent is called, and what its delivery costs.

use std::time::Duration;

use domain::{Mode, address::Reach};
use e2e::{
    Agent, Workspace,
    cost::Counted,
    counted::{AwsCall, Fault, InCall, InProcess, round_trips, show},
    template::Template,
};
use messages::{
    Messages,
    agent::Agents,
    deliver, dispatch,
    outcome::{Body, Outcome},
};
use serde_json::json;

pub(super) fn context(inside: &InProcess) -> &'static Messages {
    Box::leak(Box::new(Messages {
        vpc: None,
        app: inside.app,
        hold: Duration::from_secs(5),
        idle_timeout: Duration::from_secs(5),
        lambda: aws_sdk_lambda::Client::new(&inside.app.sdk),
        // As in the template, so that permissions can be compared.
        deliver_function: "MessagesDeliver".to_owned(),
        agents: Agents::new(&inside.app.names, Reach::from(inside.app.settings.mode))
            .expect("a client"),
    }))
}

fn message(inside: &InProcess, to: &Workspace, text: &str) -> InCall {
    inside
        .post(&format!("/workspaces/{}/a2a", to.id))
        .json(&e2e::envelope(text))
}

fn line(what: &str, calls: &[AwsCall]) -> String {
    let names: Vec<_> = calls.iter().map(AwsCall::name).collect();
    let writes: usize = calls.iter().map(AwsCall::write_units).sum();
    let reads: f64 = calls.iter().fold(0.0, |sum, call| sum + call.read_units());
    format!(
        "{what:34} {:>2} round trips, {writes:>2} write and {reads:>2} read units: {}",
        round_trips(calls),
        names.join(" ").replace("dynamodb:", "")
    )
}

/// Nothing that `function` may not do.
pub(super) fn permitted(function: &str, calls: &[AwsCall]) {
    let mut functions = Template::ours().functions();
    let granted = functions.find(|it| it.handler() == function);
    let granted = granted.expect("a function").grants();
    e2e::notes::needed(function, calls);
    for needed in calls.iter().flat_map(AwsCall::permissions) {
        assert!(granted.contains(&needed), "{function} lacks {needed:?}");
    }
}

#[tokio::test]
async fn a_message_reaches_its_agent_after_two_round_trips_and_a_claim() {
    let inside = InProcess::weighing(Mode::DevClosed).await;
    let messages = context(&inside);
    let agent = Agent::start().await;
    let (target, sender) = (inside.online("Target").await, inside.online("Sender").await);
    inside.register(&target, &agent.url).await.expect(200);

    let said = Outcome::Answered {
        status: 200,
        body: Body::of(b"{}"),
    };
    let said = serde_json::to_value(said).expect("JSON");
    let from_sender = |call: InCall| {
        let call = call.bearer(&sender.token);
        call.header("X-Workspace-ID", &sender.id)
    };
    let (mut table, mut sent) = (Vec::new(), Vec::new());
    for (what, call) in [
        (
            "from a person",
            message(&inside, &target, "one").bearer(&inside.admin),
        ),
        (
            "from a workspace",
            from_sender(message(&inside, &target, "two")),
        ),
        (
            "of 20 KB",
            from_sender(message(&inside, &target, &"x".repeat(20 * 1024))),
        ),
    ] {
        inside
            .wire
            .fail("InvokeFunction", 1, Fault::Answer(200, said.clone()));
        inside.wire.take();
        call.to(messages, dispatch::handle).await.expect(200);
        let calls = inside.wire.take();
        permitted("messages.dispatch", &calls);
        let invoke = calls
            .iter()
            .position(|call| call.name() == "lambda:InvokeFunction");
        let invoke = invoke.expect("deliver is invoked");
        let (before, invoke) = (&calls[..invoke], &calls[invoke]);
        let ours = before.iter().filter(|call| call.service == "dynamodb");
        Counted::of(&format!("message {what}"), "messages.dispatch", before).leave();
        let entry = line(&format!("message {what}, until invoked"), before);
        assert!(round_trips(ours) <= 2, "{entry}");
        table.push(entry);
        sent.push(invoke.request.clone());

        // The same message, delivered: nothing has claimed it yet.
        let offer = serde_json::from_value(invoke.request.clone()).expect("an offer");
        inside.wire.take();
        deliver::handle(messages, offer).await.expect("delivered");
        let calls = inside.wire.take();
        permitted("messages.deliver", &calls);
        assert_eq!(
            calls[0].name(),
            "dynamodb:UpdateItem",
            "the claim comes first"
        );
        if table.len() == 1 {
            Counted::of("its delivery", "messages.deliver", &calls).leave();
        }
        let entry = line("  its delivery", &calls);
        assert!(round_trips(&calls) <= 4, "{entry}");
        table.push(entry);
    }
    assert_eq!(agent.texts()[..2], ["one", "two"]);

    // Whoever comes second does nothing.
    let again = serde_json::from_value(sent[0].clone()).expect("an offer");
    deliver::handle(messages, again).await.expect("refused");
    let calls = inside.wire.take();
    assert_eq!(calls.len(), 1, "{}", line("a second delivery", &calls));
    assert_eq!(agent.texts().len(), 3);

    let request = |path: &str| inside.get(path).bearer(&inside.admin);
    let id = sent[0]["request_id"].as_str().expect("an id");
    let asked = request(&format!("/workspaces/{}/a2a/requests/{id}", target.id));
    let (answer, calls) = asked.counted().await;
    assert_eq!(answer.expect(200).json["state"], json!("completed"));
    permitted("messages.request", &calls);
    table.push(line("where a message stands", &calls));
    show(&table.join("\n"));
}
