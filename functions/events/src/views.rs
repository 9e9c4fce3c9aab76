//! Who may see what: people everything, workspaces what the tree lets them talk to.

use std::collections::{HashMap, HashSet};

use domain::{
    Result, WorkspaceId,
    access::{Place, may_talk},
};
use jiff::{SignedDuration, Timestamp};
use store::{Store, connections::Connection, tokens, workspaces::Parts};
use tokio::sync::Mutex;

/// How long a place in the tree is believed. Reading it for each event would cost half a read unit
/// per listener and event.
pub(crate) const FRESH: SignedDuration = SignedDuration::from_secs(5);

/// Whom an event is for, beside people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Those who may talk with the workspace.
    Tree,
    /// The workspace itself.
    Own,
}

/// A workspace as far as visibility needs it.
#[derive(Debug, Clone)]
struct Known {
    place: Place,
    name: String,
}

/// What was read of a workspace at a moment.
#[derive(Debug, Clone)]
struct Look {
    /// None: it is not there.
    known: Option<Known>,
    /// The marks of its live tokens.
    marks: HashSet<[u8; 12]>,
    at: Timestamp,
}

/// Workspaces as they were read.
#[derive(Debug, Clone, Default)]
pub struct Places(HashMap<WorkspaceId, Look>);

impl Places {
    /// The name of a workspace; empty when it is not there.
    pub fn name(&self, id: WorkspaceId) -> &str {
        self.known(id).map_or("", |known| &known.name)
    }

    fn known(&self, id: WorkspaceId) -> Option<&Known> {
        self.0.get(&id)?.known.as_ref()
    }

    /// Whether the token that `connection` came with is revoked. What was read when it had hardly
    /// come tells nothing: its token may be newer.
    pub fn is_revoked(&self, connection: &Connection) -> bool {
        let look = connection.workspace_id.and_then(|id| self.0.get(&id));
        let (Some(mark), Some(look)) = (&connection.mark, look) else {
            return false;
        };
        look.at.duration_since(connection.connected_at) > FRESH && !look.marks.contains(mark)
    }

    /// Whether `connection` is told what happens to `workspace`.
    pub fn sees(&self, connection: &Connection, workspace: WorkspaceId, whom: Audience) -> bool {
        let Some(own) = connection.workspace_id else {
            return true;
        };
        if own == workspace {
            return true;
        }
        let (Some(a), Some(b)) = (self.known(own), self.known(workspace)) else {
            return false;
        };
        whom == Audience::Tree && may_talk(&a.place, &b.place)
    }
}

/// Places, read anew when they are a few seconds old. Those that are not there are not looked for
/// again until then.
#[derive(Debug, Default)]
pub struct Views(Mutex<HashMap<WorkspaceId, Look>>);

impl Views {
    /// The places of these workspaces.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn of(
        &self,
        store: &Store,
        ids: impl IntoIterator<Item = WorkspaceId>,
        now: Timestamp,
    ) -> Result<Places> {
        let wanted: HashSet<WorkspaceId> = ids.into_iter().collect();
        let mut kept = self.0.lock().await;
        kept.retain(|_, look| now.duration_since(look.at) < FRESH);
        let unknown: Vec<_> = wanted
            .iter()
            .filter(|id| !kept.contains_key(*id))
            .copied()
            .collect();
        if !unknown.is_empty() {
            let keys = unknown.iter().flat_map(|id| Parts::Core.keys(*id));
            let rows = store.rows(keys).await?;
            for id in unknown {
                let known = rows.workspace(id)?.map(|found| Known {
                    place: found.meta.place(),
                    name: found.meta.name,
                });
                let marks = tokens::marks(&rows, id);
                let at = now;
                kept.insert(id, Look { known, marks, at });
            }
        }
        let known = wanted
            .into_iter()
            .filter_map(|id| Some((id, kept.get(&id)?.clone())));
        Ok(Places(known.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(places: &[&Place]) -> Places {
        let all = places.iter().map(|place| {
            let place = (*place).clone();
            let (id, name) = (place.id, "N".to_owned());
            let known = Some(Known { place, name });
            let marks = HashSet::from([[7; 12]]);
            let at = Timestamp::UNIX_EPOCH;
            (id, Look { known, marks, at })
        });
        Places(all.collect())
    }

    #[test]
    fn people_see_all_and_workspaces_their_part_of_the_tree() {
        let root = Place::root(WorkspaceId::random());
        let (a, b) = (
            root.child(WorkspaceId::random()),
            root.child(WorkspaceId::random()),
        );
        let below = a.child(WorkspaceId::random());
        let places = known(&[&root, &a, &b, &below]);
        let unknown = WorkspaceId::random();
        let listens =
            |who: Option<WorkspaceId>| Connection::new("c", who, None, Timestamp::UNIX_EPOCH);
        for (who, about, tree, own) in [
            (None, a.id, true, true),
            (None, unknown, true, true),
            (Some(a.id), a.id, true, true),
            (Some(a.id), b.id, true, false),
            (Some(a.id), root.id, true, false),
            (Some(root.id), below.id, true, false),
            (Some(b.id), below.id, false, false),
            (Some(b.id), unknown, false, false),
            // Itself, also when it is purged.
            (Some(unknown), unknown, true, true),
        ] {
            let connection = listens(who);
            let seen = |audience| places.sees(&connection, about, audience);
            assert_eq!((seen(Audience::Tree), seen(Audience::Own)), (tree, own));
        }
    }

    #[test]
    fn a_connection_ends_with_its_token() {
        let place = Place::root(WorkspaceId::random());
        let places = known(&[&place]);
        let (long_ago, just_now) = (-SignedDuration::from_secs(60), -FRESH);
        for (who, mark, connected, expected) in [
            (Some(place.id), Some([7; 12]), long_ago, false),
            (Some(place.id), Some([8; 12]), long_ago, true),
            // Its token may have been minted since.
            (Some(place.id), Some([8; 12]), just_now, false),
            // An operator in the workspace's name, and a person.
            (Some(place.id), None, long_ago, false),
            (None, None, long_ago, false),
            (Some(WorkspaceId::random()), Some([7; 12]), long_ago, false),
        ] {
            let connected = Timestamp::UNIX_EPOCH + connected;
            let mut connection = Connection::new("c", who, None, connected);
            connection.mark = mark;
            assert_eq!(places.is_revoked(&connection), expected, "{connection:?}");
        }
    }
}
