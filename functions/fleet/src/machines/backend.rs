//! The backend there is, or that there is none.

use aws_config::SdkConfig;

use super::{
    Change, Launch, Listing, Machine, MachineId, Machines, NoBackend, Settings, Tier, Trouble,
    Volume, VolumeId, Whose, ec2::Ec2,
};

/// Machines, or why there are none (contract: lifecycle-and-sweepers 9.1).
///
/// Without a backend every call says so by its class ([`Class::NoBackend`](super::Class::NoBackend))
/// and none panics. A caller with nothing on record need not ask at all: nothing runs.
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

    async fn retag(&self, id: &MachineId, generation: u32) -> Result<Change, Trouble> {
        self.ready()?.retag(id, generation).await
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

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;

    use super::*;
    use crate::machines::{
        Class, Next, State,
        fake::FakeEc2,
        tests::{launch, machine, settings_with},
    };

    #[tokio::test]
    async fn half_a_backend_says_so_and_does_not_panic() {
        let half = settings_with(&[("MACHINE_LAUNCH_TEMPLATE", "")]);
        let none = Backend::new(half, &SdkConfig::builder().build());
        let id = machine(1, State::Running).id;
        let volume: VolumeId = "vol-0123456789abcdef0".parse().expect("an id");
        let troubles = [
            none.start(&launch(1)).await.err(),
            none.started(&launch(1)).await.err(),
            none.resume(&id).await.err(),
            none.stop(&id).await.err(),
            none.reboot(&id).await.err(),
            none.retag(&id, 2).await.err(),
            none.terminate(&id).await.err(),
            none.describe(std::slice::from_ref(&id)).await.err(),
            none.list(Whose::Stack).await.err(),
            none.console(&id).await.err(),
            none.leftovers().await.err(),
            none.delete_volume(&volume).await.err(),
        ];
        for trouble in troubles {
            let trouble = trouble.expect("none");
            let (class, next) = (trouble.class(), trouble.next());
            assert_eq!((class, next), (Class::NoBackend, Next::Nothing));
            assert!(trouble.code().contains("MACHINE_LAUNCH_TEMPLATE "));
        }
        assert_eq!(none.places(Tier::One), 0);
    }

    #[tokio::test]
    async fn a_whole_backend_passes_calls_on() {
        let backend = Backend::Ready(FakeEc2::new());
        let made = backend.start(&launch(1)).await.expect("started");
        let seen = backend.list(Whose::Stack).await.expect("whole");
        assert_eq!(seen.machines(), std::slice::from_ref(&made));
        assert_eq!(backend.places(Tier::One), 4);
        let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
        let whole = Backend::new(settings_with(&[]), &sdk.build());
        assert!(matches!(whole, Backend::Ready(_)));
    }
}
