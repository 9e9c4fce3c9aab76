//! How often a client may call (contract: registry-and-auth 3, decision 35).
//!
//! A token bucket for each client in each process, so the figures in the headers are approximate:
//! Lambda runs as many processes of a function as there are requests at once. A client is an address,
//! or a workspace once one of its tokens was proven here: many agents share an address. The outer
//! wall is the gateway's throttling, which counts all requests together.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use domain::{WorkspaceId, token::TokenHash};
use jiff::Timestamp;
use store::{org_tokens::NOTE_EVERY, tokens::Credential};

/// Requests in a minute where nothing else is said.
pub const DEFAULT_PER_MINUTE: u32 = 600;

/// How many clients, and how many proven tokens, a process remembers.
const MOST: usize = 10_000;
/// A request, in the unit that a bucket of one per minute gains in a millisecond.
const REQUEST: i64 = 60_000;

/// The buckets of a process, and the tokens that were proven in it.
#[derive(Debug)]
pub struct Limits {
    per_minute: u32,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    buckets: HashMap<Client, Bucket>,
    proven: HashMap<[u8; 12], Proven>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Client {
    Address(String),
    Workspace(WorkspaceId),
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: i64,
    at: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Proven {
    /// None: an operator's, who is known by address.
    workspace: Option<WorkspaceId>,
    noted_at: Timestamp,
}

/// What became of a request's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    /// Whether it may be answered.
    pub(crate) allowed: bool,
    /// Requests in a minute.
    pub(crate) limit: u32,
    /// How many more there may be at once.
    pub(crate) remaining: i64,
    /// Seconds until all of them may be.
    pub(crate) reset: i64,
    /// Seconds until one may be; for a request that may not.
    pub(crate) retry_after: i64,
}

impl Limits {
    /// So many requests in a minute for each client.
    pub fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            known: Mutex::default(),
        }
    }

    /// Takes a request out of its client's bucket.
    pub(crate) fn take(
        &self,
        token: Option<&TokenHash>,
        address: Option<&str>,
        now: Timestamp,
    ) -> Share {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let proven = token.and_then(|hash| known.proven.get(&hash.mark()));
        let client = match proven.and_then(|proven| proven.workspace) {
            Some(id) => Client::Workspace(id),
            None => Client::Address(network(address.unwrap_or_default())),
        };
        let rate = i64::from(self.per_minute);
        let full = rate * REQUEST;
        if known.buckets.len() >= MOST && !known.buckets.contains_key(&client) {
            known
                .buckets
                .retain(|_, bucket| bucket.gained(rate, now) < full);
            if known.buckets.len() >= MOST {
                known.buckets.clear();
            }
        }
        let bucket = known.buckets.entry(client).or_insert(Bucket {
            level: full,
            at: now,
        });
        bucket.level = bucket.gained(rate, now);
        bucket.at = now;
        let allowed = bucket.level >= REQUEST;
        if allowed {
            bucket.level -= REQUEST;
        }
        let seconds = |missing: i64| ceiling(missing, rate * 1000);
        Share {
            allowed,
            limit: self.per_minute,
            remaining: bucket.level / REQUEST,
            reset: seconds(full - bucket.level),
            retry_after: seconds(REQUEST - bucket.level).max(1),
        }
    }

    /// Remembers that a token is this workspace's, where no credential was looked up.
    pub fn belongs(&self, hash: &TokenHash, workspace: WorkspaceId) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.proven.len() >= MOST {
            known.proven.clear();
        }
        known.proven.entry(hash.mark()).or_insert(Proven {
            workspace: Some(workspace),
            noted_at: Timestamp::UNIX_EPOCH,
        });
    }

    /// Forgets whose a token was.
    pub(crate) fn forget(&self, hash: &TokenHash) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.proven.remove(&hash.mark());
    }

    /// Remembers whose a token is. Answers whether its use is to be written now, which is at most
    /// once a minute.
    pub(crate) fn proven(&self, hash: &TokenHash, credential: &Credential, now: Timestamp) -> bool {
        let workspace = match credential {
            Credential::Workspace { workspace_id, .. } => Some(*workspace_id),
            Credential::Org { .. } => None,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.proven.get(&hash.mark()).map(|it| it.noted_at);
        let since = |at: Timestamp| now.as_microsecond() - at.as_microsecond();
        if before.is_some_and(|at| since(at) < NOTE_EVERY) {
            return false;
        }
        if known.proven.len() >= MOST {
            known.proven.clear();
        }
        let proven = Proven {
            workspace,
            noted_at: now,
        };
        known.proven.insert(hash.mark(), proven);
        true
    }
}

impl Bucket {
    /// Its level by now.
    fn gained(&self, rate: i64, now: Timestamp) -> i64 {
        let passed = now.as_millisecond() - self.at.as_millisecond();
        // After a minute it is full, however long it was.
        let gain = passed.clamp(0, REQUEST) * rate;
        (self.level + gain).min(rate * REQUEST)
    }
}

fn ceiling(a: i64, b: i64) -> i64 {
    (a + b - 1) / b
}

/// A client's address; of one in IPv6 the network, as each client has 2^64 addresses there.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::TokenId;
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn at(millis: i64) -> Timestamp {
        NOW + SignedDuration::from_millis(millis)
    }

    fn credential(workspace_id: WorkspaceId) -> Credential {
        let token_id: TokenId = "00000000-0000-7000-8000-000000000001"
            .parse()
            .expect("valid");
        Credential::Workspace {
            workspace_id,
            token_id,
        }
    }

    #[test]
    fn a_bucket_empties_says_when_and_fills_again() {
        let limits = Limits::new(3);
        let take = |millis| limits.take(None, Some("192.0.2.1"), at(millis));
        let share = |allowed, remaining, reset, retry_after| Share {
            allowed,
            limit: 3,
            remaining,
            reset,
            retry_after,
        };
        assert_eq!(take(0), share(true, 2, 20, 1));
        assert_eq!(take(0), share(true, 1, 40, 1));
        assert_eq!(take(0), share(true, 0, 60, 20));
        assert_eq!(take(0), share(false, 0, 60, 20));
        assert_eq!(take(500), share(false, 0, 60, 20));
        assert_eq!(take(19_500), share(false, 0, 41, 1));
        // The one that was refused took nothing; a clock that goes back gives nothing.
        assert_eq!(take(20_000), share(true, 0, 60, 20));
        assert_eq!(take(10_000), share(false, 0, 60, 20));
        assert_eq!(take(3_600_000), share(true, 2, 20, 1));
    }

    #[test]
    fn clients_are_addresses_or_proven_workspaces() {
        let limits = Limits::new(1);
        let (own, other) = (TokenHash::of("own"), TokenHash::of("other"));
        let id = WorkspaceId::random();
        assert!(limits.proven(&own, &credential(id), NOW));
        assert!(limits.take(None, Some("192.0.2.1"), NOW).allowed);
        // Its address has used up its share, the workspace has not.
        assert!(limits.take(Some(&own), Some("192.0.2.1"), NOW).allowed);
        assert!(!limits.take(Some(&own), Some("192.0.2.2"), NOW).allowed);
        // Whoever makes up tokens is known by address all the same.
        assert!(!limits.take(Some(&other), Some("192.0.2.1"), NOW).allowed);
        assert!(limits.take(Some(&other), Some("192.0.2.3"), NOW).allowed);
        // In IPv6 by network.
        assert!(limits.take(None, Some("2001:db8::1"), NOW).allowed);
        assert!(!limits.take(None, Some("2001:db8::2"), NOW).allowed);
        assert!(limits.take(None, Some("2001:db8:0:1::1"), NOW).allowed);
    }

    #[test]
    fn a_use_is_written_once_a_minute() {
        let (limits, hash) = (Limits::new(1), TokenHash::of("own"));
        let credential = credential(WorkspaceId::random());
        let notes = |millis| limits.proven(&hash, &credential, at(millis));
        assert!(notes(0));
        assert!(!notes(59_999));
        assert!(notes(60_000));
        assert!(!notes(61_000));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let limits = Limits::new(1);
        for n in 0..=MOST {
            let share = limits.take(None, Some(&n.to_string()), NOW);
            assert!(share.allowed);
            limits.proven(
                &TokenHash::of(&n.to_string()),
                &credential(WorkspaceId::random()),
                NOW,
            );
        }
        let known = limits.known.lock().expect("lock");
        assert!(known.buckets.len() <= MOST && known.proven.len() <= MOST);
    }
}
