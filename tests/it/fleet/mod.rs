//! Machines: the functions of the fleet in this process, over the emulator's table and a fake of EC2;
//! in `life`, from outside, over the local fleet.

mod adopted;
mod chat_files;
mod console;
pub(crate) mod discover;
mod exchange;
mod images;
mod instance_events;
mod life;
mod machine;
pub(crate) mod permissions;
mod provision;
mod races;
mod refresh;
mod stop;
mod sts;
pub(crate) mod sweeps;
mod troubles;

use std::time::Duration;

use domain::{Mode, Result, WorkspaceId, lifecycle::Act};
use e2e::{Answer, counted::InProcess};
use fleet::{
    Crew,
    jobs::{Progress, Queue},
    machines::{Machine, MachineId, fake::FakeEc2},
    provision::Provisioner,
};
use serde_json::{Value, json};
use store::{
    lifecycle::{Acted, Ask, Machine as Record},
    secrets::Vault,
    workspaces::Parts,
};

/// Boots, stops and shutdowns are through.
const SETTLED: Duration = Duration::from_secs(20);
/// What EC2 does not show now, is not there.
const LAG: Duration = Duration::from_secs(5 * 60);

/// The functions, and the account they work on.
struct Yard {
    inside: InProcess,
    ec2: FakeEc2,
    works: Provisioner<FakeEc2>,
}

/// A workspace with a machine of ours.
#[derive(Clone, Copy)]
struct Own(WorkspaceId);

impl Yard {
    async fn new() -> Self {
        let inside = InProcess::new(Mode::DevClosed).await;
        let ec2 = FakeEc2::new();
        let works = works(&inside, &ec2);
        Self { inside, ec2, works }
    }

    /// A new workspace; its first job has not run.
    async fn workspace(&self) -> Own {
        let body = json!({"name": "Own", "runtime": "example"});
        let call = self.inside.post("/workspaces").bearer(&self.inside.admin);
        let made = call.json(&body).await.expect(201);
        Own(made.text("id").parse().expect("an id"))
    }

    /// A workspace whose machine runs and whose agent has registered.
    async fn online(&self) -> (Own, Machine) {
        let own = self.workspace().await;
        assert_eq!(self.provision(own, 1).await.expect("made"), Progress::Done);
        self.ec2.advance(SETTLED);
        self.register(own).await;
        (own, self.machine_of(own).await)
    }

    async fn register(&self, own: Own) {
        let body = json!({"id": own.0.to_string(), "url": "https://8.8.8.8/", "agent_card": {}});
        let call = self.inside.post("/registry/register");
        let call = call.bearer(&self.inside.admin).json(&body);
        call.await.expect(200);
    }

    async fn provision(&self, own: Own, generation: u32) -> Result<Progress> {
        self.works
            .provision(own.0, generation, self.ec2.now())
            .await
    }

    async fn stop(&self, own: Own, generation: u32) -> Result<Progress> {
        fleet::stop::stop(&self.works.crew, own.0, generation, self.ec2.now()).await
    }

    /// Does something to its life; answers with the generation after it.
    async fn act(&self, own: Own, act: Act) -> u32 {
        let ask = Ask::new(&act, jiff::SignedDuration::from_mins(10), self.ec2.now());
        match self.inside.app.store.act(own.0, &ask).await {
            Ok(Acted::Done { generation, .. }) => generation,
            other => panic!("{act:?}: {other:?}"),
        }
    }

    async fn delete(&self, own: Own) -> Answer {
        let path = format!("/workspaces/{}?confirm=true", own.0);
        let call = self.inside.call(reqwest::Method::DELETE, &path);
        call.bearer(&self.inside.admin).await.expect(200)
    }

    async fn shown(&self, own: Own) -> Value {
        let call = self.inside.get(&format!("/workspaces/{}", own.0));
        call.bearer(&self.inside.admin).await.expect(200).json
    }

    async fn status(&self, own: Own) -> String {
        let shown = self.shown(own).await;
        shown["status"].as_str().unwrap_or_default().to_owned()
    }

    /// Why it failed, as it is kept.
    async fn sample_error(&self, own: Own) -> String {
        let workspace = self.inside.app.store.workspace(own.0, Parts::Core).await;
        let meta = workspace.expect("an answer").expect("there").meta;
        meta.last_sample_error
    }

    async fn record(&self, own: Own) -> Option<Record> {
        let machine = self.inside.app.store.machine(own.0).await;
        machine.expect("an answer")
    }

    /// The recorded machine, as the account has it.
    async fn machine_of(&self, own: Own) -> Machine {
        let record = self.record(own).await.expect("a record");
        let id: MachineId = record
            .instance_id
            .expect("a machine")
            .parse()
            .expect("an id");
        let alive = self.ec2.alive();
        let machine = alive.into_iter().find(|it| it.id == id);
        machine.expect("alive")
    }

    async fn has_token(&self, own: Own) -> bool {
        let workspace = self.inside.app.store.workspace(own.0, Parts::Core).await;
        let beat = workspace.expect("an answer").expect("there").beat;
        beat.is_some_and(|beat| beat.has_tokens)
    }
}

fn works(inside: &InProcess, ec2: &FakeEc2) -> Provisioner<FakeEc2> {
    Provisioner {
        crew: Crew {
            app: inside.app,
            machines: ec2.clone(),
        },
        queue: Queue::provisions(inside.app).expect("set by `make test`"),
        vault: vault(inside),
        platform_url: "https://api.example.com".parse().expect("plain"),
        metrics: edge::metrics::Metrics::of("tests"),
    }
}

fn vault(inside: &InProcess) -> Vault {
    let key = std::env::var("SECRETS_KEY_ARN").expect("set by `make test`");
    e2e::counted::vault(inside.app, &key)
}
