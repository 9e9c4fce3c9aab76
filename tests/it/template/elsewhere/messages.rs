//! What the tests of messages do not do in process: the VPC, large bodies, trouble.

use std::time::Duration;

use domain::{Mode, address::Reach, job::Job};
use e2e::{
    Agent, Answer, Script, Workspace,
    counted::{AwsCall, Fault, InProcess, jobs},
    envelope, notes,
};
use messages::{
    Messages,
    agent::Agents,
    deliver, dispatch,
    outcome::{Body, Outcome},
    settings::Vpc,
};
use serde_json::{Value, json};

use crate::fleet::discover::placed;

/// Over 16 KB: it lies in the bucket.
const LARGE: usize = 20 * 1024;
const FUNCTIONS: [&str; 2] = ["messages.deliver", "messages.deliver_vpc"];

/// The address of a queue with this name in the template; nobody is there.
pub(super) fn address(queue: &str) -> String {
    format!("http://127.0.0.1:1/0/molecule-{queue}-0")
}

/// In a stack with a VPC: as `dispatch` has it, or as `deliver`.
fn context(inside: &InProcess, is_dispatch: bool) -> &'static Messages {
    let named = |name: &str, there: bool| {
        if there {
            name.to_owned()
        } else {
            String::new()
        }
    };
    Box::leak(Box::new(Messages {
        app: inside.app,
        hold: Duration::from_millis(200),
        idle_timeout: Duration::from_secs(5),
        lambda: aws_sdk_lambda::Client::new(&inside.app.sdk),
        deliver_function: named("MessagesDeliver", is_dispatch),
        vpc: Some(Vpc {
            function: named("MessagesDeliverVpc", is_dispatch),
            queue: named(&address("DeliveriesVpc"), !is_dispatch),
            sqs: aws_sdk_sqs::Client::new(&inside.app.sdk),
        }),
        agents: Agents::new(&inside.app.names, Reach::from(inside.app.settings.mode))
            .expect("a client"),
    }))
}

pub(super) async fn walk() {
    let inside = InProcess::apart(Mode::DevClosed).await;
    let walk = Walk {
        front: context(&inside, true),
        back: context(&inside, false),
        org: inside.org_token().await,
        inside,
    };
    Box::pin(walk.deliveries()).await;
    Box::pin(walk.inside_the_vpc()).await;
    Box::pin(walk.queues()).await;
}

pub(super) struct Walk {
    pub(super) inside: InProcess,
    front: &'static Messages,
    pub(super) back: &'static Messages,
    /// The token of an operator, which is looked up as the admin's is not.
    pub(super) org: String,
}

impl Walk {
    /// Sends this; `deliver` is invoked and says nothing. The answer, and what was asked of AWS.
    pub(super) async fn send(&self, to: &str, body: &Value) -> (Answer, Vec<AwsCall>) {
        let said = Outcome::Answered {
            status: 200,
            body: Body::of(b"{}"),
        };
        let said = serde_json::to_value(said).expect("JSON");
        let wire = &self.inside.wire;
        wire.fail("InvokeFunction", 1, Fault::Answer(200, said));
        wire.take();
        let call = self.inside.post(&format!("/workspaces/{to}/a2a"));
        let call = call.bearer(&self.org).json(body);
        let answer = call.to(self.front, dispatch::handle).await;
        let calls = wire.take();
        wire.mend();
        notes::needed("messages.dispatch", &calls);
        (answer, calls)
    }

    /// What `deliver` was invoked with.
    pub(super) async fn offered(&self, to: &str, body: &Value) -> Value {
        let (_, calls) = self.send(to, body).await;
        let invoke = calls.iter().find(|call| call.operation == "InvokeFunction");
        invoke.expect("it is offered").request.clone()
    }

    /// Has the function do this, and all that follows from it.
    async fn deliver(&self, function: &str, given: Value) {
        let given = serde_json::from_value(given).expect("an offer or a batch");
        self.inside.wire.take();
        let said = deliver::handle(self.back, given).await.expect("done");
        let said = serde_json::to_value(said).expect("JSON");
        assert!(
            said["batchItemFailures"]
                .as_array()
                .is_none_or(Vec::is_empty)
        );
        let calls = self.inside.wire.take();
        notes::needed(function, &calls);
        for job in jobs(&calls) {
            Box::pin(self.deliver(function, batch(&job))).await;
        }
    }

    /// Answered small and large, by an offer and by the queue; not answered; refused; and each with
    /// somebody who waits behind it.
    async fn deliveries(&self) {
        let agent = Agent::start().await;
        let large = json!({"text": "x".repeat(LARGE)});
        for function in FUNCTIONS {
            for (script, by_queue) in [
                (Script::Echo, false),
                (Script::Status(200, large.clone()), true),
                (Script::Busy(1), false),
                (Script::Status(500, json!({})), true),
            ] {
                let own = self.inside.workspace("Target").await;
                self.inside.register(&own, &agent.url).await.expect(200);
                let message = envelope(&"m".repeat(LARGE));
                let offer = self.offered(&own.id, &message).await;
                let (waits, _) = self.send(&own.id, &envelope("second")).await;
                waits.expect(202);
                agent.next(script);
                let given = if by_queue {
                    queued(&offer)
                } else {
                    offer.clone()
                };
                self.deliver(function, given).await;
                // The same message again, of which there is an answer.
                self.send(&own.id, &message).await;
                self.looked_at(&own.id, &offer).await;
            }
            self.unreachable(function).await;
            self.asleep_meanwhile(function, &agent).await;
        }
    }

    /// Somebody sends it to sleep over its work, while another message waits: that one wakes it.
    async fn asleep_meanwhile(&self, function: &str, agent: &Agent) {
        let top = self.inside.online("Top").await;
        let own = self.inside.child("Sleeper", &top).await;
        self.inside.register(&own, &agent.url).await.expect(200);
        let offer = self.offered(&own.id, &envelope("first")).await;
        self.send(&own.id, &envelope("second")).await.0.expect(202);
        let sleep = format!("/workspaces/{}/hibernate?force=true", own.id);
        let sleep = self.inside.post(&sleep).bearer(&self.inside.admin);
        sleep.await.expect(200);
        self.deliver(function, offer).await;
        let shown = self.inside.get(&format!("/workspaces/{}/state", own.id));
        let shown = shown.bearer(&self.inside.admin).await.expect(200);
        assert_eq!(shown.text("status"), "awaiting_agent", "{function}");
    }

    async fn unreachable(&self, function: &str) {
        let own = self.inside.workspace("Gone").await;
        let nobody = "http://127.0.0.1:1/agent";
        self.inside.register(&own, nobody).await.expect(200);
        let offer = self.offered(&own.id, &envelope("anybody there?")).await;
        self.deliver(function, offer).await;
    }

    /// Where it stands, as somebody asks whose token is looked up.
    pub(super) async fn looked_at(&self, target: &str, offer: &Value) {
        let id = offer["request_id"].as_str().expect("an id");
        let path = format!("/workspaces/{target}/a2a/requests/{id}");
        let call = self.inside.get(&path).bearer(&self.org);
        let (answer, calls) = call.counted().await;
        answer.expect(200);
        notes::needed("messages.request", &calls);
    }

    /// One on a machine of ours: offered to the one inside, sent on to its queue by the other.
    async fn inside_the_vpc(&self) {
        let (top, agent) = (self.inside.online("Top").await, Agent::start().await);
        let (id, token) = placed(&self.inside, &top, [127, 0, 0, 1]).await;
        let own = Workspace {
            id: id.to_string(),
            token: token.reveal().to_owned(),
        };
        self.inside.register(&own, &agent.url).await.expect(200);
        let offer = self.offered(&own.id, &envelope("from inside")).await;
        let sent = Fault::Answer(200, json!({"MessageId": "1"}));
        self.inside.wire.fail("SendMessage", 1, sent);
        self.deliver("messages.deliver", queued(&offer)).await;
        self.inside.wire.mend();
    }
}

/// A batch of the queue with this job.
fn batch(job: &Job) -> Value {
    let body = serde_json::to_string(job).expect("JSON");
    json!({"Records": [{"messageId": "1", "body": body}]})
}

/// An offer as the queue brings it: without the call.
fn queued(offer: &Value) -> Value {
    let job = json!({
        "job": "DeliverV1", "request_id": offer["request_id"], "fence": offer["fence"],
    });
    batch(&serde_json::from_value(job).expect("a job"))
}
