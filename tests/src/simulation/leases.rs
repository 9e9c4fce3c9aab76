//! A delivery that lost its lease drops its call. In a storm that hardly happens: who renews every
//! few seconds loses it only to somebody who is wrong about it.

use std::{future::pending, net::IpAddr, time::Duration};

use domain::{
    Result,
    activity::{Activity, Content},
    request::{Hold, RENEW_EVERY, Request, State},
    trace::Trace,
};
use jiff::{SignedDuration, Timestamp};
use messages::{
    flow::{
        Clock as _, Exchange, Flow, Shelf as _, Talks,
        deliver::{Offer, deliver},
    },
    outcome::Outcome,
};
use store::ledger::{Ending, Ledger as _};

use super::{plan::Plan, run::Sim, shared::Shared, time::Time};
use crate::twin::Twin;

/// An agent that never answers.
#[derive(Debug)]
struct Silent;

impl Talks for Silent {
    async fn talk(
        &self,
        _: &str,
        _: Option<IpAddr>,
        _: Vec<u8>,
        _: Option<Trace>,
    ) -> (Exchange, i64) {
        pending().await
    }
}

/// When somebody takes the lease of a running delivery away.
const TAKEN: Duration = Duration::from_secs(100);

/// Delivers to an agent that never answers, while `takes` happens; what it came to, and after how
/// long, and the request then.
fn delivered<T>(takes: fn(Sim, Request) -> T) -> (Outcome, SignedDuration, Request)
where
    T: Future<Output = Result<()>> + Send + 'static,
{
    let time = Time::default();
    let sim = Sim::new(Plan::with_one_crash(usize::MAX, 0), time.clone(), false);
    let root = async move {
        let request = sim.request(&sim.plan().letters[0]).expect("a request");
        let world = sim.world();
        world.accept(&request, false).await.expect("accepted");
        let body = format!("0 {}", request.id).into_bytes();
        let kept = world.put(request.body, &body, request.accepted_at).await;
        kept.expect("kept");
        let flow: Flow<'_, Twin<Shared>, Silent, Time> = Flow {
            world,
            agents: &Silent,
            clock: sim.shared().time(),
            idle_timeout: Duration::from_secs(300),
            boot_within: None,
        };
        let offer = Offer {
            request_id: request.id,
            fence: 1,
            call: None,
        };
        let taking = async {
            flow.clock.sleep(TAKEN).await;
            let seen = world.request(request.id).await.expect("an answer");
            takes(sim.clone(), seen.expect("a request")).await
        };
        let delivery = async {
            let outcome = deliver(&flow, offer).await.expect("an outcome");
            (outcome, flow.clock.now())
        };
        let ((outcome, at), taken) = tokio::join!(delivery, taking);
        taken.expect("taken");
        let row = world.request(request.id).await.expect("an answer");
        let took = at.duration_since(Timestamp::UNIX_EPOCH);
        (outcome, took, row.expect("a request"))
    };
    time.run(root).expect("an end")
}

fn hangs_up_in_time(outcome: &Outcome, took: SignedDuration) {
    assert_eq!(*outcome, Outcome::NotOurs);
    let taken = SignedDuration::try_from(TAKEN).expect("a while");
    let way = SignedDuration::from_secs(1);
    assert!(took > taken && took < taken + RENEW_EVERY + way, "{took:?}");
}

#[test]
fn a_delivery_whose_request_waits_again_hangs_up() {
    let (outcome, took, row) = delivered(|sim, seen| async move {
        let (world, now) = (sim.world(), sim.shared().now());
        let hold = Hold::Capacity(now);
        assert!(world.requeue(&seen, hold, "why", true, now).await?);
        Ok(())
    });
    hangs_up_in_time(&outcome, took);
    assert_eq!((row.state, row.fence), (State::Waiting, 1));
}

#[test]
fn a_delivery_whose_request_has_ended_hangs_up() {
    let (outcome, took, row) = delivered(|sim, seen| async move {
        let now = sim.shared().now();
        let ending = Ending::failed(503, "why", activity(&seen));
        sim.world().finish(&seen, &ending, now).await.map(drop)
    });
    hangs_up_in_time(&outcome, took);
    assert_eq!(row.state, State::Failed);
}

#[test]
fn a_delivery_that_keeps_its_lease_goes_on() {
    let (outcome, took, row) = delivered(|_, _| async { Ok(()) });
    assert_eq!(outcome, Outcome::Queued);
    assert!(took >= SignedDuration::from_secs(300), "{took:?}");
    assert!(row.redelivered, "{row:?}");
}

fn activity(request: &Request) -> Activity {
    Activity {
        id: store::activity::new_id(),
        workspace: request.target,
        activity_type: String::new(),
        source: request.caller.clone(),
        target_id: None,
        method: None,
        summary: None,
        request_body: Content::Absent,
        response_body: Content::Absent,
        tool_trace: Content::Absent,
        duration_ms: None,
        status: String::new(),
        error_detail: None,
        created_at: request.accepted_at,
    }
}
