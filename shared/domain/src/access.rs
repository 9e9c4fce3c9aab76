//! Who may talk to whom: the org tree, decided from two paths in one comparison.

use serde::{Deserialize, Serialize};

use crate::WorkspaceId;

/// How far up an ancestor still counts (contract: registry-and-auth 6).
pub const MAX_STEPS: usize = 32;

/// A workspace's place in the tree: itself and its nearest ancestors.
///
/// The path is stored with each workspace and rewritten when a subtree moves. While it is stale
/// the comparison fails, and failing means "no".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The workspace.
    pub id: WorkspaceId,
    /// Its ancestors, nearest last, at most [`MAX_STEPS`].
    pub path: Vec<WorkspaceId>,
}

impl Place {
    /// A workspace without a parent.
    pub fn root(id: WorkspaceId) -> Self {
        Self {
            id,
            path: Vec::new(),
        }
    }

    /// A child of this place.
    pub fn child(&self, id: WorkspaceId) -> Self {
        let mut path = self.path.clone();
        path.push(self.id);
        if path.len() > MAX_STEPS {
            path.remove(0);
        }
        Self { id, path }
    }

    /// The parent, if there is one.
    pub fn parent(&self) -> Option<WorkspaceId> {
        self.path.last().copied()
    }

    /// Whether `other` is among the ancestors.
    pub fn is_below(&self, other: WorkspaceId) -> bool {
        self.path.contains(&other)
    }
}

/// Whether the two may talk: the same workspace, siblings (all roots are), or one above the other.
pub fn may_talk(a: &Place, b: &Place) -> bool {
    a.id == b.id || a.parent() == b.parent() || a.is_below(b.id) || b.is_below(a.id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(n: usize) -> WorkspaceId {
        WorkspaceId::from_uuid(Uuid::from_u128(n as u128 + 1))
    }

    /// The contract's rule, walked step by step over parent links.
    fn by_walking(parents: &[Option<usize>], a: usize, b: usize) -> bool {
        let above = |from: usize, to: usize| {
            let mut at = parents[from];
            for _ in 0..MAX_STEPS {
                match at {
                    Some(up) if up == to => return true,
                    Some(up) => at = parents[up],
                    None => return false,
                }
            }
            false
        };
        a == b || parents[a] == parents[b] || above(a, b) || above(b, a)
    }

    fn places(parents: &[Option<usize>]) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for (n, parent) in parents.iter().enumerate() {
            places.push(match parent {
                Some(p) => places[*p].child(id(n)),
                None => Place::root(id(n)),
            });
        }
        places
    }

    fn agree(parents: &[Option<usize>]) {
        let places = places(parents);
        for a in 0..parents.len() {
            for b in 0..parents.len() {
                assert_eq!(
                    may_talk(&places[a], &places[b]),
                    by_walking(parents, a, b),
                    "{a} to {b} in {parents:?}"
                );
            }
        }
    }

    #[test]
    fn every_forest_of_up_to_six_workspaces() {
        // Each node's parent is an earlier one or none: 1 × 2 × 3 × 4 × 5 × 6 forests of six.
        for size in 1..=6_usize {
            let forests: usize = (1..=size).product();
            for mut number in 0..forests {
                let mut parents = Vec::new();
                for n in 0..size {
                    let choice = number % (n + 1);
                    number /= n + 1;
                    parents.push(choice.checked_sub(1));
                }
                agree(&parents);
            }
        }
    }

    proptest! {
        #[test]
        fn deep_trees_agree_with_the_walk(
            choices in proptest::collection::vec(any::<prop::sample::Index>(), 1..80),
            chainy in any::<bool>(),
        ) {
            let mut parents = vec![None];
            for (n, choice) in choices.iter().enumerate() {
                let newest = n.saturating_sub(if chainy { 2 } else { n });
                let span = n + 1 - newest;
                parents.push(Some(newest + choice.index(span)));
            }
            agree(&parents);
        }
    }
}
