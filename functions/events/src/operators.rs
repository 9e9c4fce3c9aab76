//! Connections of operators: they last no longer than the admin token or the organisation token that they
//! came with.

use std::collections::{HashMap, HashSet};

use domain::{Result, TokenId, token::TokenHash};
use jiff::{SignedDuration, Timestamp};
use store::{Store, connections::Connection};
use tokio::sync::Mutex;

use crate::views::FRESH;

/// How long a deploy may take to give all functions the new admin token: for so long after this process
/// has it another may let in who has the old one.
const DEPLOY: SignedDuration = SignedDuration::from_mins(10);

/// Which credentials of operators hold. Organisation tokens are read anew when they are a few seconds old:
/// a read unit for each, and none while nobody listens with one.
#[derive(Debug)]
pub(crate) struct Operators {
    /// None: there is no admin token.
    admin: Option<[u8; 12]>,
    /// Since when this process knows that admin token.
    since: Timestamp,
    seen: Mutex<HashMap<TokenId, Seen>>,
}

/// A token as it was read.
#[derive(Debug, Clone, Copy)]
struct Seen {
    is_live: bool,
    at: Timestamp,
}

impl Operators {
    /// With this admin token, from now on.
    pub(crate) fn of(admin_token: &str, now: Timestamp) -> Self {
        let admin = (!admin_token.is_empty()).then(|| TokenHash::of(admin_token).mark());
        Self {
            admin,
            since: now,
            seen: Mutex::default(),
        }
    }

    /// Whether it came with an admin token that is another one now. Who came long after this process may
    /// know one that this process does not.
    fn is_of_another(&self, it: &Connection) -> bool {
        it.connected_at < self.since + DEPLOY && it.admin.is_some() && it.admin != self.admin
    }

    /// The ids of those connections whose credential is void. One that has hardly come is not looked at: its
    /// token may be newer than what was read.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub(crate) async fn void(
        &self,
        store: &Store,
        connections: &[Connection],
        now: Timestamp,
    ) -> Result<HashSet<String>> {
        let old = connections
            .iter()
            .filter(|it| now.duration_since(it.connected_at) > FRESH);
        let wanted: HashSet<TokenId> = old.clone().filter_map(|it| it.org_token).collect();
        let mut seen = self.seen.lock().await;
        seen.retain(|_, token| now.duration_since(token.at) < FRESH);
        let unseen = wanted.iter().filter(|id| !seen.contains_key(*id));
        let unseen: Vec<TokenId> = unseen.copied().collect();
        if !unseen.is_empty() {
            let live = store.live_org_tokens(&unseen).await?;
            seen.extend(unseen.into_iter().map(|id| {
                let is_live = live.contains(&id);
                (id, Seen { is_live, at: now })
            }));
        }
        let is_void = |it: &&Connection| {
            let token = it.org_token.and_then(|id| seen.get(&id));
            self.is_of_another(it) || token.is_some_and(|token| !token.is_live)
        };
        Ok(old.filter(is_void).map(|it| it.id.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_newer_admin_token_than_this_process_is_left_alone() {
        let (old, new) = (TokenHash::of("old").mark(), TokenHash::of("new").mark());
        let started = Timestamp::UNIX_EPOCH;
        let operators = Operators::of("new", started);
        for (admin, seconds, expected) in [
            (Some(new), -60, false),
            (Some(old), -60, true),
            // Another function had the old one for a while.
            (Some(old), 60, true),
            (Some(old), 601, false),
            (None, -60, false),
        ] {
            let at = started + SignedDuration::from_secs(seconds);
            let mut connection = Connection::new("c", None, None, at);
            connection.admin = admin;
            let is = operators.is_of_another(&connection);
            assert_eq!(is, expected, "{seconds} s");
        }
    }
}
