//! Machines that nobody wants go, those that are gone start anew, and a listing that failed means
//! nothing.

use std::time::Duration;

use domain::{WorkspaceId, workspace::Status};
use fleet::{
    machines::{
        MachineId, Owner,
        fake::{FakeEc2, Fault, Op},
    },
    sweeps::{
        Report, Watch,
        orphans::{self, Orphans},
    },
};
use jiff::SignedDuration;
use reqwest::Method;

use super::{World, counts};
use crate::calls_messages::permitted;

const ELEVEN: Duration = Duration::from_secs(660);

/// A machine of this workspace.
fn machine(fake: &FakeEc2, workspace_id: WorkspaceId) -> MachineId {
    let generation = 1;
    let owner = Owner {
        workspace_id,
        generation,
    };
    fake.stranger("prod", Some(owner))
}

/// A workspace that runs on a machine of the fake, as recorded.
async fn running(world: &World, fake: &FakeEc2) -> (WorkspaceId, MachineId) {
    let own = world.create("example").await;
    let id = machine(fake, own);
    world.boots(own, &id.to_string(), fake.now()).await;
    (own, id)
}

async fn sweep(world: &World, fake: &FakeEc2) -> Report {
    let orphans = Orphans::over(world.inside.app, fake.clone(), "tests");
    world.inside.wire.take();
    fake.asked();
    let report = orphans::sweep(orphans, Watch::at(fake.now())).await;
    permitted("fleet.orphans", &world.inside.wire.take());
    e2e::notes::asked("fleet.orphans", fake.asked());
    report.expect("a sweep")
}

fn alive(fake: &FakeEc2) -> Vec<MachineId> {
    fake.alive().into_iter().map(|machine| machine.id).collect()
}

#[tokio::test]
pub(crate) async fn what_nobody_wants_goes_and_what_is_recorded_stays() {
    let (world, fake) = (World::new().await, FakeEc2::new());
    let (_, kept) = running(&world, &fake).await;
    let (doubled, right) = running(&world, &fake).await;
    machine(&fake, doubled);
    let (removed, _) = running(&world, &fake).await;
    let path = format!("/workspaces/{removed}?confirm=true");
    let delete = world.inside.call(Method::DELETE, &path);
    delete.bearer(&world.inside.admin).await.expect(200);
    machine(&fake, WorkspaceId::random());
    fake.stranger("test", None);
    fake.stranger("prod", None);
    let disk = Owner {
        workspace_id: removed,
        generation: 1,
    };
    fake.leave(disk);

    assert_eq!(alive(&fake).len(), 7);
    fake.advance(Duration::from_secs(500));
    // The removal is long past by the fake's clock; the others are young.
    assert_eq!(counts(&sweep(&world, &fake).await), (1, 1, 0, 0));
    fake.advance(Duration::from_secs(200));
    assert_eq!(counts(&sweep(&world, &fake).await), (2, 2, 0, 0));
    fake.advance(Duration::from_secs(3_000));
    assert_eq!(counts(&sweep(&world, &fake).await), (1, 1, 0, 0));
    let alive = alive(&fake);
    assert_eq!(alive.len(), 4, "{alive:?}");
    assert!(alive.contains(&kept) && alive.contains(&right));
    assert_eq!(counts(&sweep(&world, &fake).await), (0, 0, 0, 0));
}

#[tokio::test]
pub(crate) async fn one_that_runs_though_it_was_to_stop_is_stopped() {
    let (world, fake) = (World::new().await, FakeEc2::new());
    let (own, id) = running(&world, &fake).await;
    let act = domain::lifecycle::Act::Pause;
    let ask = store::lifecycle::Ask::new(&act, SignedDuration::ZERO, fake.now());
    world.inside.app.store.act(own, &ask).await.expect("paused");
    assert_eq!(counts(&sweep(&world, &fake).await), (0, 0, 0, 0));
    fake.advance(ELEVEN);
    assert_eq!(counts(&sweep(&world, &fake).await), (1, 1, 0, 0));
    fake.advance(ELEVEN);
    assert_eq!(counts(&sweep(&world, &fake).await), (0, 0, 0, 0));
    assert_eq!(alive(&fake), [id], "it keeps its disk");
}

#[tokio::test]
async fn a_listing_that_failed_means_nothing() {
    let (world, fake) = (World::new().await, FakeEc2::new());
    let (own, _) = running(&world, &fake).await;
    machine(&fake, WorkspaceId::random());
    fake.advance(ELEVEN);
    let heard = fake.now() - SignedDuration::from_secs(100);
    world.set_time(own, "beat_at", heard).await;
    for fault in [Fault::CutShort, Fault::NeverArrives, Fault::THROTTLED] {
        fake.fail(Op::List, fault);
        assert_eq!(counts(&sweep(&world, &fake).await), (0, 0, 1, 0));
    }
    assert_eq!(world.status(own).await, Status::Online);
    assert_eq!(alive(&fake).len(), 2);
    // Disks are a pass of their own.
    fake.fail(Op::Leftovers, Fault::CutShort);
    assert_eq!(counts(&sweep(&world, &fake).await), (1, 1, 1, 0));
}

#[tokio::test]
async fn one_that_fails_is_tried_again_and_keeps_nobody_waiting() {
    let (world, fake) = (World::new().await, FakeEc2::new());
    machine(&fake, WorkspaceId::random());
    machine(&fake, WorkspaceId::random());
    fake.advance(ELEVEN);
    fake.fail(Op::Terminate, Fault::THROTTLED);
    assert_eq!(counts(&sweep(&world, &fake).await), (2, 1, 1, 0));
    assert_eq!(counts(&sweep(&world, &fake).await), (1, 1, 0, 0));
    assert_eq!(alive(&fake), []);
}

#[tokio::test]
async fn a_table_that_knows_nobody_ends_no_fleet() {
    let (world, fake) = (World::new().await, FakeEc2::new());
    for _ in 0..6 {
        machine(&fake, WorkspaceId::random());
    }
    fake.advance(ELEVEN);
    assert_eq!(counts(&sweep(&world, &fake).await), (6, 0, 0, 6));
    assert_eq!(alive(&fake).len(), 6);
}

#[tokio::test]
pub(crate) async fn who_lost_its_machine_is_started_anew_by_one_of_two() {
    let (world, fake) = (World::new().await, FakeEc2::new());
    let top = world.inside.workspace("Top").await;
    let own = world.create_below(&top, "example").await;
    let id = machine(&fake, own);
    world.boots(own, &id.to_string(), fake.now()).await;
    fake.put(&id, fleet::machines::State::Terminated);
    fake.advance(ELEVEN);
    let heard = |seconds| fake.now() - SignedDuration::from_secs(seconds);
    world.set_time(own, "beat_at", heard(30)).await;
    assert_eq!(counts(&sweep(&world, &fake).await), (0, 0, 0, 0));
    world.set_time(own, "beat_at", heard(70)).await;
    let orphans = Orphans::over(world.inside.app, fake.clone(), "tests");
    let watch = Watch::at(fake.now());
    world.inside.wire.take();
    let (one, other) = tokio::join!(
        orphans::sweep(orphans, watch),
        orphans::sweep(orphans, watch)
    );
    permitted("fleet.orphans", &world.inside.wire.take());
    let changed = one.expect("a sweep").changed + other.expect("a sweep").changed;
    assert_eq!(changed, 1);
    assert_eq!(world.status(own).await, Status::Provisioning);
    let machine = world.machine(own).await.expect("a machine");
    assert_eq!(machine.generation, 2);
}
