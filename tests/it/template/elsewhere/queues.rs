//! What waits, and how jobs get to their queues.

use std::time::Duration;

use domain::{WorkspaceId, job::Job, request::State};
use e2e::{
    Agent,
    counted::{ALWAYS, Fault},
    envelope, notes,
};
use jiff::{SignedDuration, Timestamp};
use messages::{
    deliver,
    flow::{Clock, Flow, line::drop_waiting, tick::tick},
    kick::{self, Jobs},
    queue::{self, Queues},
};
use serde_json::{Value, json};
use store::ledger::{Ledger as _, PendingJob};

use super::messages::{Walk, address};

impl Walk {
    /// What waits: looked at, dropped; jobs of every queue, carried there by the stream and by the tick.
    pub(super) async fn queues(&self) {
        let inside = &self.inside;
        let body = json!({"name": "Boots", "runtime": "example"});
        let made = inside.post("/workspaces").bearer(&inside.admin).json(&body);
        let id = made.await.expect(201).text("id");
        let (kept, _) = self.send(&id, &envelope("waits")).await;
        let kept = json!({"request_id": kept.expect(202).text("queue_id")});
        self.looked_at(&id, &kept).await;
        self.operators(&kept).await;

        let own: WorkspaceId = id.parse().expect("an id");
        let generation = 0;
        let all = [
            Job::OfferV1 { workspace_id: own },
            Job::ProvisionV1 {
                workspace_id: own,
                generation,
            },
            Job::StopV1 {
                workspace_id: own,
                generation,
            },
            Job::RestartV1 { workspace_id: own },
        ];
        let jobs_of = Jobs::start(inside.app).expect("queues");
        let sent = || Fault::Answer(200, json!({"MessageId": "1"}));
        inside.wire.fail("SendMessage", ALWAYS, sent());
        let records: Vec<Value> = all.iter().map(|job| record(own, job)).collect();
        let batch = serde_json::from_value(json!({"Records": records})).expect("a batch");
        inside.wire.take();
        kick::handle(jobs_of, batch).await.expect("sent");
        notes::needed("messages.kick", &inside.wire.take());

        // The same four as rows that nobody has carried.
        let pause = format!("/workspaces/{id}/pause");
        inside.post(&pause).bearer(&inside.admin).await.expect(200);
        let secret = format!("/workspaces/{id}/secrets");
        let secret = inside.post(&secret).bearer(&inside.admin);
        let secret = secret.json(&json!({"key": "K", "value": "v"}));
        secret.await.expect(200);
        let agent = Agent::start().await;
        let busy = inside.workspace("Busy").await;
        inside.register(&busy, &agent.url).await.expect(200);
        let offer = self.offered(&busy.id, &envelope("first")).await;
        self.send(&busy.id, &envelope("second")).await;
        let offer = serde_json::from_value(offer).expect("an offer");
        deliver::handle(self.back, offer).await.expect("delivered");
        inside.wire.take();
        let late = Flow {
            world: &inside.app.store,
            agents: &self.back.agents,
            clock: &Late,
            idle_timeout: self.back.idle_timeout,
            boot_within: None,
        };
        let report = tick(&late, jobs_of).await.expect("looked");
        notes::needed("messages.tick", &inside.wire.take());
        assert_eq!(report.failed, 0, "{report:?}");
        inside.wire.mend();
    }

    async fn operators(&self, kept: &Value) {
        let inside = &self.inside;
        let (live, dead) = (address("Deliveries"), address("DeliveriesDead"));
        let queues = Queues::over(self.back, live, dead);
        let letter = json!({"Messages": [{"MessageId": "1", "ReceiptHandle": "r", "Body": "{}"}]});
        for (operation, answer) in [
            ("GetQueueAttributes", json!({"Attributes": {}})),
            ("ReceiveMessage", letter),
            ("ReceiveMessage", json!({})),
            ("SendMessage", json!({"MessageId": "1"})),
            ("DeleteMessage", json!({})),
        ] {
            let answer = Fault::Answer(200, answer);
            inside.wire.fail(operation, 1, answer);
        }
        inside.wire.take();
        let path = "/admin/a2a-queue";
        for call in [
            inside.get(path),
            inside.post(&format!("{path}/redrive")),
            inside.post(&format!("{path}/drop-stale")),
        ] {
            let answer = call.bearer(&self.org).to(queues, queue::handle).await;
            answer.expect(200);
        }
        // Nothing is stale yet: so far as it would be.
        let id = kept["request_id"].as_str().expect("an id");
        let request = inside.app.store.request(id.parse().expect("an id")).await;
        let request = request.expect("read").expect("there");
        let flow = self.back.flow();
        let dropped = drop_waiting(&flow, &request, State::Dropped, "stale");
        dropped.await.expect("dropped");
        notes::needed("messages.queue", &inside.wire.take());
        inside.wire.mend();
    }
}

/// An hour from now: what was written a moment ago is late.
struct Late;

impl Clock for Late {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_hours(1)
    }

    async fn sleep(&self, _: Duration) {}
}

/// A job's row, as the stream has it.
fn record(of: WorkspaceId, job: &Job) -> Value {
    let row = PendingJob::new(of, job, Timestamp::now());
    let row = serde_json::to_value(row).expect("JSON");
    let fields = row.as_object().expect("an object").iter();
    let image: serde_json::Map<String, Value> = fields
        .map(|(name, value)| (name.clone(), json!({"S": value})))
        .collect();
    json!({"dynamodb": {"NewImage": image}})
}
