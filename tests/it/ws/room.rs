//! How many event streams one workspace may have open.

use std::time::Duration;

use domain::{Mode, WorkspaceId};
use e2e::{Backstage, Workspace, counted::InProcess};
use events::live;
use jiff::{SignedDuration, Timestamp};
use store::leases::{Lease, Leased, STREAMS, Waits};

/// Before everything.
const FIRST: &str = "01900000-0000-7000-8000-000000000000";

fn id(workspace: &Workspace) -> WorkspaceId {
    workspace.id.parse().expect("an id")
}

fn path(workspace: &Workspace) -> String {
    format!("/workspaces/{}/events/stream", workspace.id)
}

/// Takes so many places for a minute, all at the same moment.
async fn take(inside: &InProcess, of: WorkspaceId, waits: Waits, count: usize) -> Vec<Leased> {
    let now = Timestamp::now();
    let until = now + SignedDuration::from_mins(1);
    let tries = (0..count).map(|n| async move {
        // As apart as calls of one moment are.
        let now = now + SignedDuration::from_micros(i64::try_from(n).expect("few") % 7);
        inside.app.store.lease_stream(of, waits, until, now).await
    });
    let taken = futures_util::future::try_join_all(tries).await;
    taken.expect("the emulator answers")
}

fn leases(taken: Vec<Leased>) -> Vec<Lease> {
    let leases = taken.into_iter().filter_map(|it| match it {
        Leased::Taken(lease) => Some(lease),
        Leased::Full { .. } => None,
    });
    leases.collect()
}

#[tokio::test]
async fn so_many_leases_are_taken_at_once_and_end_by_themselves() {
    let inside = InProcess::apart(Mode::Strict).await;
    let (of, other) = (WorkspaceId::random(), WorkspaceId::random());
    let mut taken = leases(take(&inside, of, Waits::Stream, STREAMS / 2).await);
    taken.extend(leases(take(&inside, of, Waits::Stream, STREAMS / 2).await));
    assert_eq!(taken.len(), STREAMS);
    let store = &inside.app.store;
    let now = Timestamp::now();
    let in_a_minute = now + SignedDuration::from_mins(1);
    let lease = async |of, now| {
        let lease = store
            .lease_stream(of, Waits::Stream, in_a_minute, now)
            .await;
        lease.expect("the emulator answers")
    };
    let Leased::Full { until } = lease(of, now).await else {
        panic!("one more than there are");
    };
    assert!(until > now && until <= in_a_minute, "{until}");
    assert!(matches!(lease(other, now).await, Leased::Taken(_)));
    // One that is given back is free, and once.
    let first = taken.pop().expect("a lease");
    store.release_stream(first).await.expect("given back");
    assert!(matches!(lease(of, now).await, Leased::Taken(_)));
    assert!(matches!(lease(of, now).await, Leased::Full { .. }));
    // What nobody gave back is free when it is over.
    let later = in_a_minute + SignedDuration::from_secs(1);
    let until = later + SignedDuration::from_mins(1);
    for _ in 0..STREAMS {
        let again = store.lease_stream(of, Waits::Stream, until, later).await;
        assert!(matches!(again.expect("an answer"), Leased::Taken(_)));
    }
    // One that was given back too late is somebody else's by now.
    let late = taken.pop().expect("a lease");
    store.release_stream(late).await.expect("no failure");
    let full = store.lease_stream(of, Waits::Stream, until, later).await;
    assert!(matches!(full.expect("an answer"), Leased::Full { .. }));
}

#[tokio::test]
async fn one_workspace_has_twenty_streams_and_operators_and_who_does_not_wait_need_none() {
    let inside = InProcess::apart(Mode::Strict).await;
    let (own, other) = (
        inside.workspace("Own").await,
        inside.workspace("Other").await,
    );
    for waits in [Waits::Answer, Waits::Stream] {
        for _ in 0..4 {
            take(&inside, id(&own), waits, STREAMS / 4).await;
        }
    }
    let sentence = "this workspace has 20 event streams open: end some";
    let path = path(&own);
    let waiting = inside.get(&path).bearer(&own.token);
    let live = inside.get(&path).bearer(&own.token);
    for refused in [waiting.await, live.streamed(live::handle).await] {
        assert_eq!(refused.error(), (429, sentence));
        let wait: i64 = refused.header("retry-after").parse().expect("seconds");
        assert!((1..=61).contains(&wait), "{wait}");
    }
    let since = || inside.get(&path).header("last-event-id", FIRST);
    since().bearer(&own.token).await.expect(200);
    let org = inside.org_token().await;
    for token in [&inside.admin, &org] {
        let let_in = since().bearer(token).streamed(live::handle).await;
        let_in.expect(200);
    }
    let others = inside.get(&self::path(&other)).bearer(&other.token);
    let others = others.header("last-event-id", FIRST);
    others.streamed(live::handle).await.expect(200);
}

#[tokio::test]
async fn an_answer_that_ends_early_leaves_its_place() {
    let inside = InProcess::apart(Mode::Strict).await;
    let own = inside.workspace("Own").await;
    let backstage = Backstage::beneath(&inside).await;
    for _ in 0..STREAMS - 1 {
        take(&inside, id(&own), Waits::Answer, 1).await;
    }
    // There is one place, and each of these waits until something happens.
    for _ in 0..2 {
        let waiting = inside.get(&path(&own)).bearer(&own.token).into_future();
        let comes = async {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            backstage.write_events(&own, 1).await;
        };
        let (answer, ()) = tokio::join!(waiting, comes);
        let text = String::from_utf8(answer.expect(200).bytes).expect("text");
        assert!(text.contains("AGENT_CARD_UPDATED"), "{text}");
    }
}
