//! Fleet: the machines that workspaces run on.
//!
//! Only this crate compiles the EC2 SDK, and only [`machines::ec2`] speaks to it.

pub mod machines;
pub mod sweeps;

edge::handlers! { "fleet":
    /// Every minute: who is silent goes offline, who is idle goes to sleep.
    Silent = "silent",
    /// Every minute: machines that are not what is wished of them.
    Overdue = "overdue",
    /// Every five minutes: machines and disks that nobody wants, and machines that are gone.
    Orphans = "orphans",
}
