//! The sweeps over a table of their own, with a clock that is moved and machines that are not there.

mod cost;
mod deployed;
mod idle;
pub(crate) mod orphans;
pub(crate) mod overdue;
mod phantom;
pub(crate) mod silent;
mod strangers;

use domain::{Mode, WorkspaceId, workspace::Status};
use e2e::{
    Workspace,
    counted::{InProcess, PUBLIC},
};
use fleet::sweeps::{
    Report, Watch,
    overdue::{Overdue, sweep as sweep_overdue},
    silent::{NAME, Silent, silence::Limits, sweep as sweep_silent},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::{
    keys,
    lifecycle::{Found, Machine},
    sweeps::Run,
    workspaces::Parts,
};

use crate::calls_messages::permitted;

/// The functions over a table of their own: sweeps concern all workspaces.
struct World {
    inside: InProcess,
    began: Timestamp,
}

impl World {
    async fn new() -> Self {
        let inside = InProcess::alone(Mode::DevClosed).await;
        Self {
            inside,
            began: Timestamp::now(),
        }
    }

    /// So many seconds from now.
    fn after(&self, seconds: i64) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(seconds)
    }

    /// A workspace of this runtime; `example` has an image, so a machine of ours runs it.
    async fn create(&self, runtime: &str) -> WorkspaceId {
        self.made(json!({"name": "Ada", "runtime": runtime})).await
    }

    /// The same below another one.
    async fn create_below(&self, parent: &Workspace, runtime: &str) -> WorkspaceId {
        let body = json!({"name": "Ada", "runtime": runtime, "parent_id": parent.id});
        self.made(body).await
    }

    async fn made(&self, body: Value) -> WorkspaceId {
        let call = self.inside.post("/workspaces").bearer(&self.inside.admin);
        let made = call.json(&body).await;
        made.expect(201).text("id").parse().expect("an id")
    }

    /// One with a machine of ours that was launched and has registered.
    async fn running(&self, instance: &str) -> WorkspaceId {
        let id = self.create("example").await;
        self.boots(id, instance, self.began).await;
        id
    }

    /// Its machine is this one, and its agent registers.
    async fn boots(&self, id: WorkspaceId, instance: &str, at: Timestamp) {
        let instance_id = instance.to_owned();
        let found = Found::Launched { instance_id, at };
        let store = &self.inside.app.store;
        assert!(store.found(id, 1, &found).await.expect("recorded"));
        let call = self.inside.post("/registry/register");
        let body = json!({"id": id, "url": PUBLIC, "agent_card": {"name": "test"}});
        let call = call.bearer(&self.inside.admin).json(&body);
        call.await.expect(200);
    }

    async fn status(&self, id: WorkspaceId) -> Status {
        let found = self.inside.app.store.workspace(id, Parts::Core).await;
        found
            .expect("read")
            .map_or(Status::Removed, |it| it.status())
    }

    async fn machine(&self, id: WorkspaceId) -> Option<Machine> {
        self.inside.app.store.machine(id).await.expect("read")
    }

    /// When somebody looks at its machine again, in seconds from now.
    async fn due_in(&self, id: WorkspaceId) -> Option<i64> {
        let at = keys::due_time(&self.machine(id).await?.due_at?)?;
        Some((at - Timestamp::now()).get_seconds())
    }

    async fn events(&self, id: WorkspaceId) -> Vec<String> {
        let rows = self.inside.app.store.newest_events_of(id).await;
        let rows = rows.expect("events");
        rows.into_iter().map(|row| row.event_type).collect()
    }

    /// How many jobs of this kind for it were put on their way, and not taken.
    async fn jobs(&self, kind: &str, id: WorkspaceId) -> usize {
        let due = store::ledger::Ledger::due(&self.inside.app.store, self.after(86_400), 100);
        let due = due.await.expect("what is due").due;
        let jobs = due.iter().filter(|due| match due {
            store::ledger::Due::Job(job) => {
                job.job.contains(kind) && job.job.contains(&id.to_string())
            }
            _ => false,
        });
        jobs.count()
    }

    async fn set_time(&self, id: WorkspaceId, attribute: &str, at: Timestamp) {
        let key = keys::beat(id);
        let micros = at.as_microsecond();
        self.inside.scale.set_number(&key, attribute, micros).await;
    }

    /// As it is every minute: the sweep before was one ago.
    async fn silent_at(&self, now: Timestamp) -> Report {
        self.swept_at(now - SignedDuration::from_mins(1)).await;
        self.silent_next_at(now).await
    }

    /// The sweep has been there at this moment.
    async fn swept_at(&self, at: Timestamp) {
        let store = &self.inside.app.store;
        let noted = store.note_run(NAME, &Run::at(at)).await;
        noted.expect("noted");
    }

    /// After whichever was before.
    async fn silent_next_at(&self, now: Timestamp) -> Report {
        let silent = Silent::over(self.inside.app, Limits::default(), "tests");
        self.inside.wire.take();
        let report = sweep_silent(silent, Watch::at(now)).await;
        permitted("fleet.silent", &self.inside.wire.take());
        report.expect("a sweep")
    }

    async fn overdue_at(&self, now: Timestamp) -> Report {
        let overdue = Overdue::over(self.inside.app, "tests");
        self.inside.wire.take();
        let report = sweep_overdue(overdue, Watch::at(now)).await;
        permitted("fleet.overdue", &self.inside.wire.take());
        report.expect("a sweep")
    }
}

fn id(workspace: &Workspace) -> WorkspaceId {
    workspace.id.parse().expect("an id")
}

/// Found, changed, failed and held.
fn counts(report: &Report) -> (usize, usize, usize, usize) {
    (report.found, report.changed, report.failed, report.held)
}
