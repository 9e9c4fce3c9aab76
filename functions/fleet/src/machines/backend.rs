//! The backend there is, or that there is none.

use aws_config::SdkConfig;

use super::{
    Change, Launch, Listing, Machine, MachineId, Machines, NoBackend, Settings, Tier, Trouble,
    Volume, VolumeId, Whose, ec2::Ec2,
};

/// Machines, or why there are none. Without a backend every call says so by its class
/// ([`Class::NoBackend`](super::Class::NoBackend)) and none panics (contract: lifecycle-and-sweepers
/// 9.1). A caller with nothing on record need not ask at all.
#[derive(Debug, Clone)]
pub enum Backend<M = Ec2> {
    /// There is one.
    Ready(M),
    /// There is none.
    Absent(NoBackend),
}

impl Backend {
    /// EC2, if the settings are whole.
    pub fn new(settings: Result<Settings, NoBackend>, sdk: &SdkConfig) -> Self {
        match settings {
            Ok(settings) => Self::Ready(Ec2::new(settings, sdk)),
            Err(missing) => Self::Absent(missing),
        }
    }
}

impl<M> Backend<M> {
    fn ready(&self) -> Result<&M, Trouble> {
        match self {
            Self::Ready(machines) => Ok(machines),
            Self::Absent(missing) => Err(missing.clone().into()),
        }
    }
}

impl<M: Machines> Machines for Backend<M> {
    fn places(&self, tier: Tier) -> u32 {
        self.ready().map_or(0, |machines| machines.places(tier))
    }

    async fn start(&self, launch: &Launch) -> Result<Machine, Trouble> {
        self.ready()?.start(launch).await
    }

    async fn started(&self, launch: &Launch) -> Result<Option<Machine>, Trouble> {
        self.ready()?.started(launch).await
    }

    async fn resume(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.ready()?.resume(id).await
    }

    async fn stop(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.ready()?.stop(id).await
    }

    async fn reboot(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.ready()?.reboot(id).await
    }

    async fn terminate(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.ready()?.terminate(id).await
    }

    async fn describe(&self, ids: &[MachineId]) -> Result<Listing, Trouble> {
        self.ready()?.describe(ids).await
    }

    async fn list(&self, whose: Whose) -> Result<Listing, Trouble> {
        self.ready()?.list(whose).await
    }

    async fn console(&self, id: &MachineId) -> Result<String, Trouble> {
        self.ready()?.console(id).await
    }

    async fn leftovers(&self) -> Result<Vec<Volume>, Trouble> {
        self.ready()?.leftovers().await
    }

    async fn delete_volume(&self, id: &VolumeId) -> Result<Change, Trouble> {
        self.ready()?.delete_volume(id).await
    }
}
