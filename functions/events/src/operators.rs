//! Connections of operators: they last no longer than the admin token or the organisation token that they
//! came with.

use std::collections::{HashMap, HashSet};

use domain::{Result, TokenId, token::TokenHash};
use jiff::Timestamp;
use store::{Store, connections::Connection};
use tokio::sync::Mutex;

use crate::views::FRESH;

/// Which credentials of operators hold. Organisation tokens are read anew when they are a few seconds old:
/// a read unit for each, and none while nobody listens with one.
#[derive(Debug)]
pub(crate) struct Operators {
    /// None: there is no admin token.
    admin: Option<[u8; 12]>,
    seen: Mutex<HashMap<TokenId, Seen>>,
}

/// A token as it was read.
#[derive(Debug, Clone, Copy)]
struct Seen {
    is_live: bool,
    at: Timestamp,
}

impl Operators {
    /// With this admin token.
    pub(crate) fn of(admin_token: &str) -> Self {
        let admin = (!admin_token.is_empty()).then(|| TokenHash::of(admin_token).mark());
        Self {
            admin,
            seen: Mutex::default(),
        }
    }

    /// The ids of those connections whose credential is void. One that has hardly come is not looked at: a
    /// process of yesterday does not know the admin token of today.
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
            let other = it.admin.is_some() && it.admin != self.admin;
            let token = it.org_token.and_then(|id| seen.get(&id));
            other || token.is_some_and(|token| !token.is_live)
        };
        Ok(old.filter(is_void).map(|it| it.id.clone()).collect())
    }
}
