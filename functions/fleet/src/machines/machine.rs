//! What a machine is.

use std::{fmt, str::FromStr};

use domain::WorkspaceId;
use jiff::Timestamp;

use super::Trouble;

macro_rules! aws_ids {
    ($($(#[$doc:meta])* $name:ident: $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Trouble;

            // EC2's own check, made here: in a filter it would take any text for "not there".
            fn from_str(text: &str) -> Result<Self, Trouble> {
                let hex = text.strip_prefix($prefix).unwrap_or_default();
                let digits = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                if digits && matches!(hex.len(), 8 | 17) {
                    return Ok(Self(text.to_owned()));
                }
                Err(Trouble::defect(concat!("not an id of the form ", $prefix, "…")))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        // The prefix is its kind already.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

aws_ids! {
    /// A machine: `i-` and 8 or 17 hexadecimal digits.
    MachineId: "i-";
    /// A disk: `vol-` and 8 or 17 hexadecimal digits.
    VolumeId: "vol-";
}

/// Where a machine is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It boots.
    Pending,
    /// It runs.
    Running,
    /// On its way to stopped.
    Stopping,
    /// It is off and has its disk.
    Stopped,
    /// On its way to terminated.
    ShuttingDown,
    /// Gone; EC2 shows it for about an hour more.
    Terminated,
    /// None that we know: nothing follows from it.
    Other,
}

impl State {
    /// Whether it boots or runs. Booting counts: else every boot would look like a crash.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }

    /// Whether it is being terminated, or was.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::ShuttingDown | Self::Terminated)
    }
}

/// Who a machine or a disk was made for, by its tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Which of its machines: rises with every provisioning.
    pub generation: u32,
}

/// A machine as the backend shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its id.
    pub id: MachineId,
    /// Who it was made for; none if its tags cannot be read or another stack made it: then it is
    /// nobody's to touch.
    pub owner: Option<Owner>,
    /// Its state.
    pub state: State,
    /// When it was last started: a resumed machine is young again.
    pub launched_at: Option<Timestamp>,
    /// Its address inside the VPC, as long as it has one.
    pub private_ip: Option<String>,
    /// `t3.small`.
    pub instance_type: String,
    /// The token of the launch that made it.
    pub client_token: String,
}

/// A disk that belongs to no machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its id.
    pub id: VolumeId,
    /// Who its machine was made for; none if its tags cannot be read.
    pub owner: Option<Owner>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::Class;

    #[test]
    fn only_what_ec2_would_take_is_an_id() {
        for good in ["i-0123abcd", "i-0123456789abcdef0"] {
            assert_eq!(good.parse::<MachineId>().expect(good).as_str(), good);
        }
        for bad in [
            "",
            "i-",
            "0123abcd",
            "i-0123ABCD",
            "i-0123abcde",
            "vol-0123abcd",
            "i-0123abc*",
        ] {
            let refused = bad.parse::<MachineId>().expect_err(bad);
            assert_eq!(refused.class(), Class::Defect, "{bad}");
        }
        assert!("vol-0123456789abcdef0".parse::<VolumeId>().is_ok());
    }
}
