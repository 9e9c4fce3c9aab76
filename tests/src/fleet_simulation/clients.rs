//! What people do, and the agents on their own hosts.

use domain::{WorkspaceId, access::Place as At, event::Event, workspace::Status};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{
    Store,
    ledger::Ledger as _,
    lifecycle::Machine,
    tokens,
    workspaces::{Created, Meta, NewWorkspace, Parts},
};
use uuid::Uuid;

use super::{
    jobs::nothing,
    sim::{Effect, Place, Sim},
    yard::{ADMIN, Ask, RUNTIME, Route},
};

/// The most workspaces of a run: more machines than a sweep holds back for being many would need a
/// storm of another kind.
const MOST: usize = 5;

/// Who runs a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Managed,
    ByHand,
    External,
}

impl Sim {
    /// Creates a workspace, below this one or not.
    ///
    /// By the store, as `workspaces.create` does: the route draws ids of its own, and a seed would
    /// decide less than everything.
    pub(super) async fn create(&mut self, kind: Kind, parent: Option<WorkspaceId>) {
        if self.places.len() == MOST {
            return;
        }
        let mut bytes = [0; 16];
        self.rng.fill(&mut bytes);
        let id = WorkspaceId::from_uuid(uuid::Builder::from_random_bytes(bytes).into_uuid());
        let external = kind == Kind::External;
        let token = external.then(|| tokens::fresh().expect("randomness"));
        self.places.push(Place {
            id,
            token: token.as_ref().map(|it| it.reveal().to_owned()),
        });
        let (yard, now) = (self.yard, self.now());
        let work = async move {
            let made = make(&yard.app.store, id, kind, parent, token.as_ref(), now).await;
            nothing(made)
        };
        self.start(
            format!("create {id} {kind:?} below {parent:?}"),
            10,
            work,
            |_| {},
        )
        .await;
    }

    /// A person does something to a workspace.
    pub(super) async fn person(&mut self) {
        let Some(place) = self.pick(&self.places.clone()) else {
            return;
        };
        use Route::{BootstrapFailed, Delete, Hibernate, Pause, Restart, Resume, Update};
        let kinds = [
            (Pause, ""),
            (Resume, ""),
            (Resume, ""),
            (Restart, ""),
            (Restart, "reset=true"),
            (Hibernate, ""),
            (Hibernate, "force=true"),
            (BootstrapFailed, ""),
            (Update, ""),
            (Delete, "confirm=true"),
            (Delete, "confirm=true&purge=true"),
        ];
        let Some((route, query)) = self.pick(&kinds) else {
            return;
        };
        // Removal is for ever: rarer.
        if route == Delete && self.chance(0.5) {
            return;
        }
        let body = match route {
            Update => json!({"hibernation_idle_minutes": self.rng.u32(0..12)}),
            BootstrapFailed => json!({"error": "no luck", "log_tail": "end of it"}),
            _ => json!({}),
        };
        self.ask(route, &place, query, ADMIN, body).await;
    }

    /// An agent on a host of the user's registers or beats; an operator may register one, too.
    pub(super) async fn host(&mut self) {
        let Some(place) = self.pick(&self.places.clone()) else {
            return;
        };
        let register = self.rng.bool();
        let Some(token) = place.token.clone() else {
            return;
        };
        self.host_acts(&place, &token, register).await;
    }

    pub(super) async fn host_acts(&mut self, place: &Place, token: &str, register: bool) {
        let id = place.id.to_string();
        if register {
            let card = json!({"id": id, "url": "https://8.8.8.8/", "agent_card": {}});
            self.ask(Route::Register, place, "", token, card).await;
        } else {
            let beat = json!({"workspace_id": id});
            self.ask(Route::Beat, place, "", token, beat).await;
        }
    }

    async fn ask(
        &mut self,
        route: Route,
        place: &Place,
        query: &'static str,
        bearer: &str,
        body: Value,
    ) {
        let ask = Ask {
            route,
            id: place.id.to_string(),
            query,
            bearer: bearer.to_owned(),
            body,
            now: self.now(),
        };
        let (yard, name) = (self.yard, format!("{route:?} {} {query}", place.id));
        let told = name.clone();
        let work = async move {
            let (status, body) = yard.ask(ask).await;
            let effect: Effect = Box::new(move |sim| {
                sim.note(|| format!("{told}: {status} {body}"));
                // A cascade that broke off says so with a 500.
                if status == 500 && route != Route::Delete {
                    sim.violation(format!("{told} failed: {body}"));
                }
            });
            effect
        };
        self.start(name, 29, work, |_| {}).await;
    }

    /// A message is for a workspace that sleeps.
    pub(super) async fn wake(&mut self) {
        let Some(place) = self.pick(&self.places.clone()) else {
            return;
        };
        let (yard, now) = (self.yard, self.now());
        let work = async move { nothing(yard.app.store.wake(place.id, None, now).await) };
        self.start(format!("wake {}", place.id), 29, work, |_| {})
            .await;
    }
}

async fn make(
    store: &Store,
    id: WorkspaceId,
    kind: Kind,
    parent: Option<WorkspaceId>,
    token: Option<&domain::token::Token>,
    now: Timestamp,
) -> domain::Result<Option<Created>> {
    let above = match parent {
        Some(parent) => match store.workspace(parent, Parts::Core).await? {
            Some(found) if found.beat.is_some() => Some(found.meta.place()),
            _ => return Ok(None),
        },
        None => None,
    };
    let place = above
        .as_ref()
        .map_or_else(|| At::root(id), |above| above.child(id));
    let meta = meta(id, kind, place, now);
    let events = match kind {
        Kind::Managed | Kind::ByHand => vec![Event::Provisioning {
            name: meta.name.clone(),
            tier: meta.tier,
            runtime: meta.runtime.clone(),
        }],
        Kind::External => vec![Event::AwaitingAgent {
            name: meta.name.clone(),
        }],
    };
    let deadline = now + domain::lifecycle::boot_within(&meta.runtime);
    let external = kind == Kind::External;
    let new = NewWorkspace {
        status: if external {
            Status::AwaitingAgent
        } else {
            Status::Provisioning
        },
        meta,
        parent: above.as_ref(),
        events,
        token,
        machine: (!external).then(|| (Machine::new(kind == Kind::Managed), deadline)),
        secrets: None,
        once: None,
    };
    store.create_workspace(&new).await.map(Some)
}

fn meta(id: WorkspaceId, kind: Kind, place: At, now: Timestamp) -> Meta {
    let runtime = match kind {
        Kind::Managed => RUNTIME,
        Kind::ByHand => "langgraph",
        Kind::External => "external",
    };
    Meta {
        path: place.path,
        ..Meta::new(id, "Ada", runtime, now)
    }
}

/// The id of a workspace that never was.
pub(super) fn nobody(bits: u128) -> WorkspaceId {
    WorkspaceId::from_uuid(Uuid::from_u128(bits))
}
