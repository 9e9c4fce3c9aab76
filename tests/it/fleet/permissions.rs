//! A walk through the functions of machines, for what they need of AWS: `template/elsewhere.rs` holds it
//! against what they may.

use domain::{Mode, lifecycle::Act};
use e2e::{
    counted::{Fault, InProcess, gate},
    notes,
};
use fleet::{
    Crew,
    images::{Refresher, watch},
    instance_events::look,
    jobs::{Batch, Queue},
    machines::{Owner, State},
    provision,
    stop::{self, Stopper},
};
use serde_json::{Value, json};

use super::{
    Own, SETTLED, Yard, console,
    exchange::asks,
    images::{digest, running},
};

impl Yard {
    /// What was needed since the last look was needed by this function.
    fn by(&self, function: &str) {
        notes::needed(function, &self.inside.wire.take());
        notes::asked(function, self.ec2.asked());
    }

    /// It was needed by the test.
    fn by_nobody(&self) {
        self.inside.wire.take();
        self.ec2.asked();
    }

    /// A workspace below another one.
    async fn below(&self) -> Own {
        let top = self.inside.workspace("Top").await;
        let body = json!({"name": "Own", "runtime": "example", "parent_id": top.id});
        let call = self.inside.post("/workspaces").bearer(&self.inside.admin);
        let made = call.json(&body).await.expect(201);
        Own(made.text("id").parse().expect("an id"))
    }
}

/// A job that nobody can read: it comes back later.
fn nonsense() -> Batch {
    let batch = json!({"Records": [{"messageId": "1", "receiptHandle": "r", "body": "nonsense"}]});
    serde_json::from_value(batch).expect("a batch")
}

pub(crate) async fn walk() {
    let yard = Yard::new().await;
    machines(&yard).await;
    jobs_come_back(&yard).await;
    images().await;
}

async fn machines(yard: &Yard) {
    let own = yard.below().await;
    let secret = json!({"key": "K", "value": "v"});
    let path = format!("/workspaces/{}/secrets", own.0);
    let set = yard.inside.post(&path).bearer(&yard.inside.admin);
    set.json(&secret).await.expect(200);
    yard.by_nobody();
    yard.provision(own, 1).await.expect("made");
    yard.by("fleet.provision");
    let machine = yard.machine_of(own).await.id;
    yard.by_nobody();
    for _ in 0..2 {
        asks(yard, &machine).await.expect(200);
    }
    yard.by("fleet.exchange");
    let org = yard.inside.org_token().await;
    yard.by_nobody();
    let shown = yard.inside.get(&format!("/workspaces/{}/console", own.0));
    console::asked(yard, shown.bearer(&org)).await.expect(200);
    yard.by("fleet.console");
    yard.register(own).await;
    yard.ec2.put(&machine, State::Stopped);
    yard.by_nobody();
    let tell = async || {
        let told = look(&yard.works.crew, &machine, yard.ec2.now()).await;
        told.expect("looked");
        yard.by("fleet.instance_events");
    };
    tell().await;
    yard.ec2.advance(SETTLED);
    let refused = yard.workspace().await;
    yard.ec2.limit(0);
    yard.by_nobody();
    yard.provision(own, 2).await.expect("on");
    yard.provision(refused, 1).await.expect("failed");
    yard.by("fleet.provision");
    yard.ec2.advance(SETTLED);
    yard.register(own).await;
    // A machine that runs is rebooted.
    let again = yard.act(own, Act::Restart).await;
    yard.by_nobody();
    yard.provision(own, again).await.expect("rebooted");
    yard.by("fleet.provision");

    yard.ec2.advance(SETTLED);
    yard.register(own).await;
    let asleep = yard.act(own, Act::Hibernate { force: true }).await;
    yard.by_nobody();
    yard.stop(own, asleep).await.expect("stops");
    yard.ec2.advance(SETTLED);
    yard.stop(own, asleep).await.expect("off");
    yard.by("fleet.stop");
    yard.delete(own).await;
    yard.by_nobody();
    yard.stop(own, asleep + 1).await.expect("gone");
    yard.by("fleet.stop");
    finished_by_events(yard).await;
    left_over(yard).await;
    overtaken(yard).await;
}

/// EC2 tells of a machine that was to be asleep, and of one that was to be gone.
async fn finished_by_events(yard: &Yard) {
    yard.ec2.limit(usize::MAX);
    for act in [Some(Act::Hibernate { force: true }), None] {
        let (own, machine) = yard.online().await;
        if let Some(act) = act {
            yard.act(own, act).await;
        } else {
            yard.delete(own).await;
        }
        // A second one of its own, which no record names, still runs.
        yard.ec2.stranger("prod", machine.owner);
        yard.ec2.put(&machine.id, State::Stopped);
        yard.by_nobody();
        let told = look(&yard.works.crew, &machine.id, yard.ec2.now()).await;
        told.expect("looked");
        yard.by("fleet.instance_events");
    }
}

/// A machine of a wish that is over, which no record names.
async fn left_over(yard: &Yard) {
    let own = yard.workspace().await;
    let again = yard.act(own, Act::Restart).await;
    let owner = Owner {
        workspace_id: own.0,
        generation: again - 1,
    };
    yard.ec2.stranger("prod", Some(owner));
    yard.by_nobody();
    yard.provision(own, again).await.expect("made");
    yard.by("fleet.provision");
}

/// It is to sleep again before it is recorded that it was woken.
async fn overtaken(yard: &Yard) {
    let (own, _) = yard.online().await;
    let paused = yard.act(own, Act::Pause).await;
    yard.stop(own, paused).await.expect("stops");
    yard.ec2.advance(SETTLED);
    let resumed = yard.act(own, Act::Resume).await;
    let held = gate();
    yard.inside
        .wire
        .fail("UpdateItem", 1, Fault::Hold(held.clone()));
    yard.by_nobody();
    let meanwhile = async {
        held.wait().await;
        yard.act(own, Act::Pause).await;
        held.wait().await;
    };
    let (done, ()) = tokio::join!(yard.provision(own, resumed), meanwhile);
    done.expect("overtaken");
    // With it, what the pause needed: the same in the table.
    yard.by("fleet.provision");
}

async fn jobs_come_back(yard: &Yard) {
    let later = || {
        let answer = Fault::Answer(200, json!({}));
        yard.inside.wire.fail("ChangeMessageVisibility", 1, answer);
    };
    yard.by_nobody();
    let works: &'static _ = Box::leak(Box::new(super::works(&yard.inside, &yard.ec2)));
    later();
    provision::handle(works, nonsense()).await.expect("said");
    yard.by("fleet.provision");
    let stopper: &'static _ = Box::leak(Box::new(Stopper {
        crew: Crew {
            app: yard.inside.app,
            machines: yard.ec2.clone(),
        },
        queue: Queue::stops(yard.inside.app).expect("set by `make test`"),
    }));
    later();
    stop::handle(stopper, nonsense()).await.expect("said");
    yard.by("fleet.stop");
}

/// A tag that names another image, while a machine runs the one before.
async fn images() {
    const IMAGE: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com/agent:latest";
    let images = [("example", IMAGE.to_owned())];
    let inside = InProcess::with_images(Mode::DevClosed, &images).await;
    let refresher = Refresher::start(inside.app).expect("a client");
    let watcher = watch::Watcher::over(refresher, "tests");
    running(&inside, "i-00000001").await;
    let org = inside.org_token().await;
    let pushed = |number| {
        let answer = json!({"imageDetails": [{"imageDigest": digest(number)}]});
        let answer = Fault::Answer(200, answer);
        inside.wire.fail("DescribeImages", 1, answer);
    };
    for number in [1, 2] {
        pushed(number);
        let refresh = inside.post("/admin/workspace-images/refresh").bearer(&org);
        let (answer, calls) = refresh.counted().await;
        answer.expect(200);
        notes::needed("fleet.images", &calls);
        pushed(number + 2);
        inside.wire.take();
        watch::handle(watcher, Value::Null).await.expect("looked");
        notes::needed("fleet.image_watch", &inside.wire.take());
    }
}
