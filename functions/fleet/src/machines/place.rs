//! Where an attempt goes: a subnet and an instance type.

use domain::WorkspaceId;

use super::Tier;

/// The subnets and instance types there are to choose from; none of the lists is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    subnets: Vec<String>,
    types: [Vec<String>; 4],
}

/// Where one attempt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// `subnet-…`
    pub subnet: &'a str,
    /// `t3.small`
    pub instance_type: &'a str,
}

impl Places {
    /// These subnets, and the types of the four tiers, the preferred first; none if a list is empty.
    pub fn new(subnets: Vec<String>, types: [Vec<String>; 4]) -> Option<Self> {
        let empty = subnets.is_empty() || types.iter().any(Vec::is_empty);
        (!empty).then_some(Self { subnets, types })
    }

    /// How many attempts go to different places.
    pub fn count(&self, tier: Tier) -> u32 {
        let count = self.subnets.len() * self.types[tier.index()].len();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The place of an attempt: first every subnet with the preferred type, beginning at one that
    /// the workspace's id chooses, then every subnet with the next type, and so round again.
    /// It follows from ids alone, so a repeat of an attempt is the same request.
    pub fn of(&self, tier: Tier, workspace: WorkspaceId, attempt: u32) -> Place<'_> {
        let types = &self.types[tier.index()];
        let subnets = self.subnets.len();
        let attempt = attempt as usize % (subnets * types.len());
        let first = (workspace.as_uuid().as_u128() % subnets as u128) as usize;
        Place {
            subnet: &self.subnets[(first + attempt) % subnets],
            instance_type: &types[attempt / subnets],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::tests::{places, workspace};

    #[test]
    fn attempts_go_through_all_places_and_begin_again() {
        let places = places();
        let went = |number, attempts: std::ops::Range<u32>| {
            let at = |attempt| places.of(Tier::Two, workspace(number), attempt);
            attempts
                .map(at)
                .map(|place| format!("{} {}", place.subnet, place.instance_type))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            went(1, 0..5),
            [
                "subnet-b t3.small",
                "subnet-a t3.small",
                "subnet-b t3a.small",
                "subnet-a t3a.small",
                "subnet-b t3.small",
            ]
        );
        assert_eq!(went(2, 0..1), ["subnet-a t3.small"]);
        assert_eq!(places.count(Tier::Two), 4);
    }

    #[test]
    fn there_must_be_somewhere_to_go() {
        let types = || [(); 4].map(|()| vec!["t3.small".to_owned()]);
        assert!(Places::new(Vec::new(), types()).is_none());
        let mut some = types();
        some[3].clear();
        assert!(Places::new(vec!["subnet-a".to_owned()], some).is_none());
    }
}
