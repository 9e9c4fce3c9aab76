//! What all machines do, whoever makes them: run on the fake and, through the SDK, on the EC2 code
//! with the fake behind its wire.

mod changes;
mod looks;
mod starts;

use std::time::Duration;

use aws_config::retry::RetryConfig;

use super::{double::double, launch, settings_with};
use crate::machines::{Machine, Machines, ec2::Ec2, fake::FakeEc2};

/// Boots, stops and shutdowns are through.
const SETTLED: Duration = Duration::from_secs(20);

/// EC2 over this fake. Without retries: what is broken once is to be seen broken.
fn ec2(fake: &FakeEc2) -> Ec2 {
    let settings = settings_with(&[]).expect("whole");
    Ec2::new(settings, &double(fake).sdk(RetryConfig::disabled()))
}

/// A machine of workspace `number` that runs.
async fn running(machines: &impl Machines, fake: &FakeEc2, number: u32) -> Machine {
    let machine = machines.start(&launch(number)).await.expect("started");
    fake.advance(SETTLED);
    machine
}

/// Each of these, on the fake and on EC2.
macro_rules! on_all_machines {
    ($($name:ident)+) => {
        mod fake {
            $(#[tokio::test]
            async fn $name() {
                let fake = crate::machines::fake::FakeEc2::new();
                super::$name(&fake, &fake).await;
            })+
        }
        mod ec2 {
            $(#[tokio::test]
            async fn $name() {
                let fake = crate::machines::fake::FakeEc2::new();
                super::$name(&super::super::ec2(&fake), &fake).await;
            })+
        }
    };
}
use on_all_machines;
