//! EC2: the only code that speaks to it.
//!
//! What a function needs for it, beside the table: `ec2:RunInstances`, and `ec2:CreateTags` on what
//! it makes and on instances with our `platform:stage`; `ec2:StartInstances`, `StopInstances`, `RebootInstances`, `TerminateInstances` and
//! `GetConsoleOutput` on instances with our `platform:stage`; `ec2:DeleteVolume` on volumes with it;
//! `ec2:DescribeInstances` and `DescribeVolumes`, which know no resources; `iam:PassRole` for the
//! role in the launch template.

mod change;
mod console;
mod failure;
mod list;
mod read;
mod run;
mod volumes;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ec2::{Client, config::timeout::TimeoutConfig};

use super::{
    Change, Launch, Listing, Machine, MachineId, Machines, Settings, Tier, Trouble, Volume,
    VolumeId, Whose, change::Verb,
};

/// Machines in EC2.
#[derive(Debug, Clone)]
pub struct Ec2 {
    client: Client,
    settings: Settings,
}

impl Ec2 {
    /// Over this configuration, with its retries: all calls but the launch are tried again there.
    pub fn new(settings: Settings, sdk: &SdkConfig) -> Self {
        // A launch takes seconds, a listing of a thousand machines too: the 3 s of table calls would
        // make an unknown outcome of a slow one.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(15))
            .operation_timeout(Duration::from_secs(40))
            .build();
        let config = aws_sdk_ec2::config::Builder::from(sdk)
            .timeout_config(timeouts)
            .build();
        let client = Client::from_conf(config);
        Self { client, settings }
    }
}

impl Machines for Ec2 {
    fn places(&self, tier: Tier) -> u32 {
        self.settings.places.count(tier)
    }

    async fn start(&self, launch: &Launch) -> Result<Machine, Trouble> {
        self.run(launch).await
    }

    async fn started(&self, launch: &Launch) -> Result<Option<Machine>, Trouble> {
        self.by_token(&launch.token()).await
    }

    async fn resume(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.change(Verb::Resume, id).await
    }

    async fn stop(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.change(Verb::Stop, id).await
    }

    async fn reboot(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.reboot_living(id).await
    }

    async fn retag(&self, id: &MachineId, generation: u32) -> Result<Change, Trouble> {
        self.tag(id, generation).await
    }

    async fn terminate(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.change(Verb::Terminate, id).await
    }

    async fn describe(&self, ids: &[MachineId]) -> Result<Listing, Trouble> {
        Ok(Listing::asked(ids, self.by_ids(ids).await?))
    }

    async fn list(&self, whose: Whose) -> Result<Listing, Trouble> {
        Ok(Listing::tagged(whose, self.by_tags(whose).await?))
    }

    async fn console(&self, id: &MachineId) -> Result<String, Trouble> {
        self.console_output(id).await
    }

    async fn leftovers(&self) -> Result<Vec<Volume>, Trouble> {
        self.available_volumes().await
    }

    async fn delete_volume(&self, id: &VolumeId) -> Result<Change, Trouble> {
        self.delete(id).await
    }
}
