//! What the functions may do in the table and with the key, against what they do. (What they may do
//! in EC2 is in the template alone: a fake asks for nothing.)

use std::collections::BTreeSet;

use domain::lifecycle::Act;
use e2e::{counted::AwsCall, template::Template};
use fleet::{instance_events::look, machines::State};
use serde_json::json;

use super::{SETTLED, Yard, exchange::asks};

type Permissions = BTreeSet<(String, String)>;

/// What was needed since the last look.
fn needed(yard: &Yard) -> Permissions {
    let calls = yard.inside.wire.take();
    calls.iter().flat_map(AwsCall::permissions).collect()
}

fn granted(handler: &str) -> Permissions {
    let mut functions = Template::ours().functions();
    let function = functions.find(|it| it.handler() == handler);
    let grants = function.expect("a function").grants().into_iter();
    let ours = |action: &str| action.starts_with("dynamodb:") || action.starts_with("kms:");
    grants.filter(|(action, _)| ours(action)).collect()
}

#[tokio::test]
async fn functions_of_the_fleet_may_do_what_they_do_and_nothing_else() {
    let yard = Yard::new().await;
    let mut used = [(); 4].map(|()| Permissions::new());
    let [provision, exchange, stop, events] = &mut used;

    let own = yard.workspace().await;
    let secret = json!({"key": "K", "value": "v"});
    let path = format!("/workspaces/{}/secrets", own.0);
    let set = yard.inside.post(&path).bearer(&yard.inside.admin);
    set.json(&secret).await.expect(200);
    needed(&yard);
    yard.provision(own, 1).await.expect("made");
    provision.extend(needed(&yard));
    let machine = yard.machine_of(own).await.id;
    needed(&yard);
    for _ in 0..2 {
        asks(&yard, &machine).await.expect(200);
    }
    exchange.extend(needed(&yard));
    yard.register(own).await;
    yard.ec2.put(&machine, State::Stopped);
    needed(&yard);
    look(&yard.works.crew, &machine, yard.ec2.now())
        .await
        .expect("looked");
    events.extend(needed(&yard));
    yard.ec2.advance(SETTLED);
    let refused = yard.workspace().await;
    yard.ec2.limit(0);
    needed(&yard);
    yard.provision(own, 2).await.expect("on");
    yard.provision(refused, 1).await.expect("failed");
    provision.extend(needed(&yard));

    yard.ec2.advance(SETTLED);
    yard.register(own).await;
    let asleep = yard.act(own, Act::Hibernate { force: true }).await;
    needed(&yard);
    yard.stop(own, asleep).await.expect("stops");
    yard.ec2.advance(SETTLED);
    yard.stop(own, asleep).await.expect("off");
    stop.extend(needed(&yard));
    yard.delete(own).await;
    needed(&yard);
    yard.stop(own, asleep + 1).await.expect("gone");
    let gone = needed(&yard);
    stop.extend(gone.clone());
    // Events finish what was to stop, too, and start what has paused ancestors.
    events.extend(stop.iter().cloned());
    events.insert(("dynamodb:ConditionCheckItem".to_owned(), "Table".to_owned()));

    let names = ["provision", "exchange", "stop", "instance_events"];
    for (name, used) in names.iter().zip(used) {
        assert_eq!(granted(&format!("fleet.{name}")), used, "fleet.{name}");
    }
}
