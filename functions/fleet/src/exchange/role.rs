//! The role of our machines, and which machine a session of it is.

use std::str::FromStr;

use crate::machines::MachineId;

/// The role of our machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineRole {
    /// What the ARN of each of its sessions begins with.
    sessions: String,
}

impl FromStr for MachineRole {
    type Err = &'static str;

    /// From `arn:<partition>:iam::<account>:role/<path…/name>`. The ARN of a session has no path.
    fn from_str(arn: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", partition, "iam", "", account, resource] = parts.as_slice() else {
            return Err("not the ARN of a role");
        };
        let name = resource
            .strip_prefix("role/")
            .and_then(|path| path.rsplit('/').next())
            .filter(|name| !name.is_empty())
            .ok_or("not the ARN of a role")?;
        let sessions = format!("arn:{partition}:sts::{account}:assumed-role/{name}/");
        Ok(Self { sessions })
    }
}

impl MachineRole {
    /// The machine whose session this is: EC2 names sessions by instances, and only it may assume
    /// the role.
    pub fn machine(&self, arn: &str) -> Option<MachineId> {
        arn.strip_prefix(&self.sessions)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_this_role_are_machines() {
        let role: MachineRole = "arn:aws:iam::000000000000:role/agents/machine"
            .parse()
            .expect("a role");
        let id = "i-0123456789abcdef0";
        let session = |rest: &str| format!("arn:aws:sts::000000000000:assumed-role/{rest}");
        let machine = role.machine(&session(&format!("machine/{id}")));
        assert_eq!(machine.expect("a machine").as_str(), id);
        for other in [
            session(&format!("other/{id}")),
            session("machine/somebody"),
            session(&format!("machine/{id}/{id}")),
            session(&format!("machine2/{id}")),
            format!("arn:aws:sts::111111111111:assumed-role/machine/{id}"),
            format!("arn:aws-cn:sts::000000000000:assumed-role/machine/{id}"),
            format!("arn:aws:iam::000000000000:user/{id}"),
        ] {
            assert_eq!(role.machine(&other), None, "{other}");
        }
        for bad in [
            "",
            "machine",
            "arn:aws:iam::1:user/x",
            "arn:aws:iam::1:role/",
        ] {
            assert!(bad.parse::<MachineRole>().is_err(), "{bad}");
        }
    }
}
