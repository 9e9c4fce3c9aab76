//! The tags that lead from a machine back to its record (contract: lifecycle-and-sweepers 10.2).

use super::{Launch, Owner};

/// `true` on everything we make.
pub const MANAGED: &str = "platform:managed";
/// The stack that made it: others may live in the same account.
pub const STAGE: &str = "platform:stage";
/// The organisation, if the stack serves one.
pub const ORG: &str = "platform:org-id";
/// The workspace.
pub const WORKSPACE: &str = "platform:workspace-id";
/// Which of the workspace's machines.
pub const GENERATION: &str = "platform:gen";
/// What people read in the console.
pub const NAME: &str = "Name";

/// The tags of a launch, for the machine and for its disk.
pub fn of(launch: &Launch, stack: &str, org: Option<&str>) -> Vec<(&'static str, String)> {
    let mut tags = vec![
        (MANAGED, "true".to_owned()),
        (STAGE, stack.to_owned()),
        (WORKSPACE, launch.workspace_id.to_string()),
        (GENERATION, launch.generation.to_string()),
        (NAME, launch.name()),
    ];
    // An empty tag would look like an organisation without a name.
    if let Some(org) = org {
        tags.insert(2, (ORG, org.to_owned()));
    }
    tags
}

/// Whose it is: none if a tag is missing or is no id.
pub fn owner<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Option<Owner> {
    Some(Owner {
        workspace_id: value(WORKSPACE)?.parse().ok()?,
        generation: value(GENERATION)?.parse().ok()?,
    })
}

/// Whether this stack made it.
pub fn is_ours<'a>(stack: &str, value: impl Fn(&str) -> Option<&'a str>) -> bool {
    value(MANAGED) == Some("true") && value(STAGE) == Some(stack)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::tests::launch;

    #[test]
    fn tags_lead_back_to_the_owner() {
        let tags = of(&launch(7), "prod", None);
        let value = |key: &str| {
            let tag = tags.iter().find(|(name, _)| *name == key);
            tag.map(|(_, value)| value.as_str())
        };
        assert_eq!(owner(value), Some(launch(7).owner()));
        assert!(is_ours("prod", value));
        assert!(!is_ours("test", value));
        assert_eq!(value(ORG), None);
    }

    #[test]
    fn what_cannot_be_read_is_nobody_s() {
        let garbled = |key: &str| (key == WORKSPACE).then_some("not an id");
        assert_eq!(owner(garbled), None);
        assert!(!is_ours("prod", garbled));
    }
}
