//! Creating a workspace: all its items and events, or nothing.

use domain::{Error, Result, access::Place, event::Event, token::Token, workspace::Status};
use jiff::Timestamp;

use super::{Meta, Once};
use crate::{
    Store, TransactError,
    beats::{Beat, SLEEPS_AFTER, TOKENS, mark_set},
    events,
    expr::{Write, item, value},
    keys::{self, LOG, TREE},
    ledger::{Gate, Load},
    lifecycle::{self, Machine},
    secrets::Sealed,
    tokens,
};

/// What a new workspace is made of.
#[derive(Debug)]
pub struct NewWorkspace<'a> {
    /// The cold item.
    pub meta: Meta,
    /// The status it starts with.
    pub status: Status,
    /// Its parent as read before; it must still be there, and in the same place.
    pub parent: Option<&'a Place>,
    /// What is told, in order.
    pub events: Vec<Event>,
    /// A token to make live with it.
    pub token: Option<&'a Token>,
    /// Its machine, and when somebody looks whether it has registered.
    pub machine: Option<(Machine, Timestamp)>,
    /// Its first secrets.
    pub secrets: Option<&'a Sealed>,
    /// The key under which it may be made once.
    pub once: Option<(&'a str, &'a Once)>,
}

/// What became of a creation.
#[derive(Debug, PartialEq, Eq)]
pub enum Created {
    /// It is there.
    Yes,
    /// There is one with this id already (or was: ids are not used twice).
    Exists,
    /// Its parent has gone or moved meanwhile.
    ParentChanged,
    /// Its key was used meanwhile.
    Repeat,
    /// There are so many already, and no more may be.
    Full(usize),
}

/// Where the load is among [`writes`].
const LOAD: usize = 2;

/// The index attributes and the items that every new workspace starts with.
pub(crate) fn writes(
    meta: &Meta,
    status: Status,
    heard_at: Option<Timestamp>,
    token: Option<&Token>,
) -> Vec<Write> {
    let id = meta.id;
    let created = keys::created(meta.created_at, id);
    let mut cold = item(keys::meta(id), meta);
    for (attribute, text) in [
        (TREE.pk, keys::children(meta.parent())),
        (TREE.sk, created.clone()),
        (LOG.pk, keys::roster()),
        (LOG.sk, created),
    ] {
        cold.insert(attribute.to_owned(), value(text));
    }
    let mut hot = item(
        keys::beat(id),
        &Beat::new(status, heard_at, meta.max_concurrent_tasks),
    );
    if let Some(minutes) = meta.hibernation_idle_minutes {
        hot.insert(SLEEPS_AFTER.to_owned(), value(minutes));
    }
    if let Some(token) = token {
        hot.insert(TOKENS.to_owned(), mark_set(&token.hash()));
    }
    let load = Load::new(meta.max_concurrent_tasks);
    let mut writes = vec![
        Write::put_item(cold).if_new(),
        Write::put_item(hot).if_new(),
        Write::put(keys::load(id), &load).if_new(),
    ];
    if let Some(token) = token {
        writes.extend(tokens::rows(id, token, meta.created_at));
    }
    writes
}

/// The check that `place` is still where it was read, and not removed.
pub(crate) fn unmoved(place: &Place) -> Write {
    Write::check(keys::meta(place.id))
        .when("attribute_exists(pk) AND attribute_not_exists(removed_at) AND #path = :path")
        .naming("path")
        .with("path", &place.path)
}

impl Store {
    /// Creates a workspace.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn create_workspace(&self, new: &NewWorkspace<'_>) -> Result<Created> {
        let created = self.create_with(new, None).await?;
        created.ok_or_else(|| Error::internal("no turn was asked for"))
    }

    /// The same with one write more; none if that one's condition does not hold.
    pub(super) async fn create_with(
        &self,
        new: &NewWorkspace<'_>,
        turn: Option<Write>,
    ) -> Result<Option<Created>> {
        let NewWorkspace {
            meta,
            status,
            parent,
            events,
            token,
            machine,
            secrets,
            once,
        } = new;
        let mut all = writes(meta, *status, None, *token);
        if let Some((machine, deadline)) = machine {
            all.extend(lifecycle::born(
                meta.id,
                machine,
                *deadline,
                meta.created_at,
            ));
            if machine.ours
                && let Some(load) = all.get_mut(LOAD)
            {
                // Messages are kept until it is up.
                let waking = Load {
                    gate: Gate::Wake,
                    ..Load::new(meta.max_concurrent_tasks)
                };
                *load = Write::put(keys::load(meta.id), &waking).if_new();
            }
        }
        let parent_at = all.len();
        all.extend(parent.map(unmoved));
        all.extend(
            events
                .iter()
                .map(|event| events::record(meta.id, event, meta.created_at)),
        );
        all.extend(secrets.iter().flat_map(|sealed| sealed.0.clone()));
        let once_at = all.len();
        all.extend(once.map(|(key, once)| once.taking(key, meta.created_at)));
        let turn_at = turn.as_ref().map(|_| all.len());
        all.extend(turn);
        match self.transact(all).await {
            Ok(()) => Ok(Some(Created::Yes)),
            Err(TransactError::Cancelled(why)) if once.is_some() && why.failed(once_at) => {
                Ok(Some(Created::Repeat))
            }
            Err(TransactError::Cancelled(why)) if parent.is_some() && why.failed(parent_at) => {
                Ok(Some(Created::ParentChanged))
            }
            Err(TransactError::Cancelled(why)) if why.failed(0) => Ok(Some(Created::Exists)),
            Err(TransactError::Cancelled(why)) if turn_at.is_some_and(|at| why.failed(at)) => {
                Ok(None)
            }
            Err(other) => Err(other.into_error()),
        }
    }
}
