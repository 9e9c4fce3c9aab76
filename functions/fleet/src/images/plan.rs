//! What follows from what registries said. Pure.

use std::collections::BTreeMap;

use store::images::{Images, Resolved};

/// What was seen of one runtime's image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The runtime.
    pub runtime: String,
    /// Its image, as the operator wrote it.
    pub configured: String,
    /// The same by digest; none if it could not be resolved.
    pub pinned: Option<String>,
}

/// What is to be recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The whole record as it should be: what failed is as it was.
    pub resolved: BTreeMap<String, Resolved>,
    /// Whose image is seen for the first time.
    pub seeded: Vec<String>,
    /// Whose image is another than the recorded one.
    pub changed: Vec<String>,
}

impl Plan {
    /// The plan for a record as it was read.
    pub fn of(before: &Images, seen: &[Seen]) -> Self {
        let mut plan = Self {
            resolved: before.resolved.clone(),
            ..Self::default()
        };
        for one in seen {
            let Some(pinned) = &one.pinned else { continue };
            match before.pinned(&one.runtime, &one.configured) {
                Some(known) if known == pinned => continue,
                Some(_) => plan.changed.push(one.runtime.clone()),
                None => plan.seeded.push(one.runtime.clone()),
            }
            let resolved = Resolved {
                from: one.configured.clone(),
                to: pinned.clone(),
            };
            plan.resolved.insert(one.runtime.clone(), resolved);
        }
        plan
    }

    /// Whether the record is right already.
    pub fn is_empty(&self) -> bool {
        self.seeded.is_empty() && self.changed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(runtime: &str, configured: &str, pinned: Option<&str>) -> Seen {
        Seen {
            runtime: runtime.to_owned(),
            configured: configured.to_owned(),
            pinned: pinned.map(str::to_owned),
        }
    }

    fn recorded(plan: Plan) -> Images {
        let mut images = Images::default();
        images.resolved = plan.resolved;
        images
    }

    #[test]
    fn first_seeds_then_changes_and_failures_change_nothing() {
        let first = Plan::of(
            &Images::default(),
            &[seen("a", "r:1", Some("r@1")), seen("b", "s", None)],
        );
        assert_eq!((first.seeded.len(), first.changed.len()), (1, 0));
        assert!(!first.resolved.contains_key("b"));
        let known = recorded(first);
        let same = Plan::of(&known, &[seen("a", "r:1", Some("r@1"))]);
        assert!(same.is_empty());
        let failed = Plan::of(&known, &[seen("a", "r:1", None)]);
        assert!(failed.is_empty() && failed.resolved == known.resolved);
        let changed = Plan::of(&known, &[seen("a", "r:1", Some("r@2"))]);
        assert_eq!(
            (changed.changed.as_slice(), changed.seeded.len()),
            (&["a".to_owned()][..], 0)
        );
        assert_eq!(recorded(changed).image("a", "r:1"), "r@2");
        // The operator wrote another image: of that one nothing is known.
        let other = Plan::of(&known, &[seen("a", "r:2", Some("r@3"))]);
        assert_eq!((other.seeded.len(), other.changed.len()), (1, 0));
        assert_eq!(known.image("a", "r:2"), "r:2");
    }
}
