//! `POST /workspaces/{id}/a2a`: targets that take no message, and in which order the refusals come.

use e2e::{Agent, STRANGER, World};
use serde_json::json;

const DENIED: &str = "access denied: workspaces cannot communicate per hierarchy rules";

#[tokio::test]
async fn targets_that_cannot_take_a_message() {
    let world = World::new();
    let sender = world.workspace("Sender").await;
    let (gone, agent) = world.online("Gone").await;
    let below = world.child("Below", &gone).await;
    world.delete(&gone.id).await;
    let waiting = world.workspace("Waiting").await;
    let booting = world.managed("Booting").await;
    let missing = || json!({"error": "workspace not found"});
    let no_url = |status| json!({"error": "workspace has no URL", "status": status});

    for (to, by_person, by_workspace) in [
        (STRANGER, (404, missing()), (403, json!({"error": DENIED}))),
        (&gone.id, (404, missing()), (404, missing())),
        (&below.id, (404, missing()), (403, json!({"error": DENIED}))),
        (
            &waiting.id,
            (503, no_url("awaiting_agent")),
            (503, no_url("awaiting_agent")),
        ),
        (
            &booting.id,
            (503, no_url("provisioning")),
            (503, no_url("provisioning")),
        ),
    ] {
        let answer = world.message(to, "hello").await;
        assert_eq!((answer.status, answer.json), by_person);
        assert_eq!(answer.headers.get("retry-after"), None);
        let answer = world.message_from(&sender, to, "hello").await;
        assert_eq!((answer.status, answer.json), by_workspace);
    }
    let nameless = world.message("no-uuid", "hello").await;
    assert_eq!(nameless.error(), (400, "invalid workspace ID"));
    assert!(agent.received().is_empty());
}

#[tokio::test]
async fn refusals_come_in_the_order_access_budget_address_json() {
    let world = World::new();
    let limited = |name| json!({"name": name, "external": true, "budget_limit": 100});
    let stranger = {
        let parent = world.workspace("Elsewhere").await;
        world.child("Stranger", &parent).await
    };
    let spent = world.create(limited("Spent")).await;
    let beat = json!({"monthly_spend": 100});
    world.beat(&spent, beat).await.expect(200);
    let unreachable = world.create(limited("No address")).await;
    let (fine, agent) = world.online("Fine").await;

    let (access, budget, address, invalid) = (
        (403, DENIED),
        (402, "workspace budget limit exceeded"),
        (503, "workspace has no URL"),
        (400, "invalid JSON"),
    );
    for (target, by_stranger, by_person) in [
        (&spent, access, budget),
        (&unreachable, access, address),
        (&fine, access, invalid),
    ] {
        let broken = || world.send(&target.id).body("{");
        assert_eq!(broken().by(&stranger).await.error(), by_stranger);
        assert_eq!(broken().bearer(&world.admin).await.error(), by_person);
    }
    assert!(agent.received().is_empty());
}

#[tokio::test]
async fn a_budget_is_spent_at_its_limit() {
    let world = World::new();
    let limited = json!({"name": "Thrifty", "external": true, "budget_limit": 100});
    let (thrifty, agent) = (world.create(limited).await, Agent::start().await);
    world.register(&thrifty, &agent.url).await.expect(200);

    for (spend, status) in [(99, 200), (100, 402), (101, 402)] {
        let beat = json!({"monthly_spend": spend});
        world.beat(&thrifty, beat).await.expect(200);
        world.message(&thrifty.id, "hello").await.expect(status);
    }
    assert_eq!(agent.texts().len(), 1);
    // What it sends itself costs it as well; what it sends others is theirs to pay.
    let itself = world.message_from(&thrifty, &thrifty.id, "hello").await;
    assert_eq!(itself.error(), (402, "workspace budget limit exceeded"));
    let (other, _agent) = world.online("Other").await;
    let answer = world.message_from(&thrifty, &other.id, "hello").await;
    assert_eq!(answer.status, 200);

    let nothing = json!({"name": "Nothing", "external": true, "budget_limit": 0});
    let nothing = world.create(nothing).await;
    let answer = world.message(&nothing.id, "hello").await;
    assert_eq!(answer.error(), (402, "workspace budget limit exceeded"));
}
