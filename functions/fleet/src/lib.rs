//! Fleet: the machines that workspaces run on.
//!
//! Only this crate compiles the EC2 SDK, and only [`machines::ec2`] speaks to it.

pub mod machines;
