//! EC2's fake, each call of which waits for its turn.

use fleet::machines::{
    Change, Launch, Listing, Machine, MachineId, Machines, Tier, Trouble, Volume, VolumeId, Whose,
    fake::{FakeEc2, Op},
};

use super::stage::{Stage, Turn, named};

/// The fake on the stage.
#[derive(Debug, Clone)]
pub(super) struct Staged {
    pub(super) ec2: FakeEc2,
    pub(super) stage: Stage,
}

impl Staged {
    async fn call<T>(
        &self,
        op: Op,
        what: String,
        call: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        let turn = self.stage.machines(op, &what).await;
        if let Some(fault) = turn.fault() {
            self.ec2.fail(op, fault);
        }
        let done = call.await;
        if turn == Turn::Last {
            std::future::pending::<()>().await;
        }
        done
    }

    async fn change(
        &self,
        op: Op,
        id: &MachineId,
        call: impl Future<Output = Result<Change, Trouble>>,
    ) -> Result<Change, Trouble> {
        let touched = async {
            self.stage.touch(op, id);
            call.await
        };
        self.call(op, named(Some(id)), touched).await
    }
}

impl Machines for Staged {
    fn places(&self, tier: Tier) -> u32 {
        self.ec2.places(tier)
    }

    async fn start(&self, launch: &Launch) -> Result<Machine, Trouble> {
        self.call(Op::Start, launch.token(), self.ec2.start(launch))
            .await
    }

    async fn started(&self, launch: &Launch) -> Result<Option<Machine>, Trouble> {
        self.call(Op::Started, launch.token(), self.ec2.started(launch))
            .await
    }

    async fn resume(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.change(Op::Resume, id, self.ec2.resume(id)).await
    }

    async fn stop(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.change(Op::Stop, id, self.ec2.stop(id)).await
    }

    async fn reboot(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.change(Op::Reboot, id, self.ec2.reboot(id)).await
    }

    async fn retag(&self, id: &MachineId, generation: u32) -> Result<Change, Trouble> {
        self.change(Op::Retag, id, self.ec2.retag(id, generation))
            .await
    }

    async fn terminate(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.change(Op::Terminate, id, self.ec2.terminate(id)).await
    }

    async fn describe(&self, ids: &[MachineId]) -> Result<Listing, Trouble> {
        let what = format!("{ids:?}");
        self.call(Op::Describe, what, self.ec2.describe(ids)).await
    }

    async fn list(&self, whose: Whose) -> Result<Listing, Trouble> {
        let what = format!("{whose:?}");
        self.call(Op::List, what, self.ec2.list(whose)).await
    }

    async fn console(&self, id: &MachineId) -> Result<String, Trouble> {
        self.call(Op::Console, named(Some(id)), self.ec2.console(id))
            .await
    }

    async fn leftovers(&self) -> Result<Vec<Volume>, Trouble> {
        self.call(Op::Leftovers, String::new(), self.ec2.leftovers())
            .await
    }

    async fn delete_volume(&self, id: &VolumeId) -> Result<Change, Trouble> {
        self.call(
            Op::DeleteVolume,
            named(Some(id)),
            self.ec2.delete_volume(id),
        )
        .await
    }
}
