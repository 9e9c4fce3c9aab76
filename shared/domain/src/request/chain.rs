//! Chains of calls: an agent that works on one request calls another agent for it (decision 33).

use crate::{WorkspaceId, activity::Source};

/// Whether a call from `caller`'s running chains to `target` needs no slot: the target waits for
/// this very answer, so making it wait for itself would never end.
pub fn is_reply_into_chain<'a>(
    chains: impl IntoIterator<Item = &'a Vec<WorkspaceId>>,
    target: WorkspaceId,
) -> bool {
    chains.into_iter().any(|chain| chain.contains(&target))
}

/// The chain of a new request to `target` by `caller`: the chain of the caller's single running
/// request, else the caller alone, and then the target.
pub fn chain_of<'a>(
    caller: &Source,
    running: impl IntoIterator<Item = &'a Vec<WorkspaceId>>,
    target: WorkspaceId,
) -> Vec<WorkspaceId> {
    let mut running = running.into_iter();
    let mut chain = match (running.next(), running.next()) {
        (Some(only), None) => only.clone(),
        _ => caller.id().into_iter().collect(),
    };
    chain.push(target);
    chain
}

/// Who sent the request that has this chain; none when it was no workspace.
pub fn sender_in(chain: &[WorkspaceId]) -> Option<WorkspaceId> {
    chain.iter().rev().nth(1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_grow_from_the_single_running_request() {
        let (a, b, c) = (
            WorkspaceId::random(),
            WorkspaceId::random(),
            WorkspaceId::random(),
        );
        let from_b = Source::Workspace(b);
        assert_eq!(chain_of(&Source::Person, [], a), [a]);
        assert_eq!(chain_of(&from_b, [], c), [b, c]);
        let running = vec![a, b];
        assert_eq!(chain_of(&from_b, [&running], c), [a, b, c]);
        assert_eq!(chain_of(&from_b, [&running, &vec![b]], c), [b, c]);
        assert!(is_reply_into_chain([&running], a));
        assert!(!is_reply_into_chain([&running], c));
    }

    #[test]
    fn the_sender_is_before_the_target() {
        let [first, sender, target] = [0; 3].map(|_| WorkspaceId::random());
        assert_eq!(sender_in(&[first, sender, target]), Some(sender));
        assert_eq!(sender_in(&[sender, target]), Some(sender));
        assert_eq!(sender_in(&[target]), None, "a person");
        let caller = Source::Workspace(sender);
        for running in [
            vec![],
            vec![vec![first, sender]],
            vec![vec![first, sender], vec![sender]],
        ] {
            let chain = chain_of(&caller, &running, target);
            assert_eq!(sender_in(&chain), Some(sender), "{running:?}");
        }
    }
}
