//! Every key and index of the table, and every name in the bucket. Nobody else formats one.
//!
//! | item | `pk` | `sk` | indexes |
//! |---|---|---|---|
//! | beat: status, last heartbeat, token marks | `BEAT#<shard>` | workspace | none (hot) |
//! | meta: everything else of a workspace | `WS#<workspace>` | `META` | `tree`, `log` |
//! | load: slots, gate, counters | `WS#<workspace>` | `LOAD` | `due` |
//! | card | `WS#<workspace>` | `CARD` | |
//! | mark of its chat's files: another with every one that comes | `WS#<workspace>` | `CHAT_FILES` | |
//! | machine: what it should be, and which one | `WS#<workspace>` | `MACHINE` | `due` |
//! | token, for its workspace's list | `TOKENS#<workspace>` | token (v7) | |
//! | credential, by hash | `CRED#<sha-256>` | `CRED` | |
//! | organisation token, for their list | `ORG_TOKENS` | token (v7) | |
//! | how often somebody did what is counted exactly | `WINDOW#<what>#<who>` | `WINDOW` | |
//! | event streams that a workspace has open | `STREAMS#<workspace>` | `STREAMS` | |
//! | activity row | `ACTIVITY#<workspace>` | row (v7) | |
//! | body of a request or reply | `BODY#<body>` | `BODY` | |
//! | event row | `EVENTS#<workspace>` | event (v7) | `log` |
//! | WebSocket connection | `CONNECTIONS` | the gateway's name for it | |
//! | request | `REQUEST#<request>` | `STATE` | `due` |
//! | idempotency key of a message | `SEEN#<hash>` | `SEEN` | |
//! | place in a workspace's line | `LINE#<workspace>` | urgency, arrival, id | |
//! | job on its way to its queue | `JOB#<job>` | `JOB` | `due` |
//! | delegation | `DELEGATIONS#<workspace>` | delegation (v7) | |
//! | idempotency key of a delegation | `DELEGATED#<hash>` | `DELEGATED` | |
//! | idempotency key of a creation | `CREATED#<hash>` | `CREATED` | |
//! | keyring: a scope's data key, the names of its secrets | `SECRETS#<workspace or GLOBAL>` | `KEYRING` | |
//! | secret, encrypted | `SECRETS#<workspace or GLOBAL>` | `SECRET#<name>` | |
//! | schedule | `SCHEDULES#<workspace>` | schedule | `log`, `due` |
//! | a schedule's prompt | `SCHEDULE#<schedule>` | `PROMPT` | |
//! | a schedule's name, so that it is the only one; how many there are | `SCHEDULE_NAMES#<workspace>` | `NAME#<name>`, `COUNT` | |
//! | fire of a schedule, and what became of it | `FIRES#<schedule>` | slot | `due` |
//! | request for approval | `APPROVALS#<workspace>` | approval (v7) | `due` while pending |
//! | what an agent wants kept with one | `APPROVALS#<workspace>` | `#CONTEXT#<approval>` | |
//! | tokens used on a day | `USAGE#<workspace>` | day | |
//! | when a sweep last ran | `SWEEPS` | its name | |
//! | viewport of the canvas | `CANVAS` | `VIEWPORT` | |
//! | creations under a quota, counted | `QUOTA` | `WORKSPACES` | |
//! | head of a template, or of an organisation's | `TEMPLATES`, `ORG_TEMPLATES` | its folder | |
//! | how long templates' runtimes may take to register | `TEMPLATE_TIMEOUTS` | `TEMPLATE_TIMEOUTS` | |
//! | images of runtimes, by digest | `IMAGES` | `IMAGES` | |
//!
//! | index | partition | sort | serves |
//! |---|---|---|---|
//! | `tree` | `CHILDREN#<parent or ROOT>` | created, id | peers, cascades |
//! | `log` | `WORKSPACES` | created, id | the list of workspaces, oldest first |
//! | `log` | `SCHEDULES` | created, id | the schedules of all workspaces |
//! | `log` | `EVENTLOG#<shard>` | event (v7) | the newest events of all workspaces |
//! | `due` | `<kind>#<shard>` | due time, key | whatever someone must look at again |
//!
//! Indexes hold keys only and are read eventually: they nominate, the rows decide.

mod indexes;
mod messages;
mod objects;
mod schedules;

use domain::{
    ActivityId, ApprovalId, BodyId, EventId, TokenId, WorkspaceId,
    secret::{Scope, SecretName},
    token::TokenHash,
};
pub use indexes::*;
pub use messages::*;
pub use objects::*;
pub use schedules::*;

/// Partition key attribute.
pub const PK: &str = "pk";
/// Sort key attribute.
pub const SK: &str = "sk";
/// When an item may be tidied away, epoch seconds. Reads compare it: TTL only tidies.
pub const EXPIRES_AT: &str = "expires_at";

/// Over how many partitions hot items and logs are spread. Changing it moves items: never do.
pub const SHARDS: u8 = 4;

/// An index of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Its partition key attribute.
    pub pk: &'static str,
    /// Its sort key attribute.
    pub sk: &'static str,
}

/// Children by parent.
pub const TREE: Index = Index {
    name: "tree",
    pk: "tree_pk",
    sk: "tree_sk",
};
/// All workspaces; all events.
pub const LOG: Index = Index {
    name: "log",
    pk: "log_pk",
    sk: "log_sk",
};
/// Whatever is not finished.
pub const DUE: Index = Index {
    name: "due",
    pk: "due_pk",
    sk: "due_at",
};

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Partition.
    pub pk: String,
    /// Sort.
    pub sk: String,
}

impl Key {
    pub(crate) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }
}

/// Which of the [`SHARDS`] a workspace's hot item and events are in.
pub fn shard(id: WorkspaceId) -> u8 {
    id.as_uuid().as_bytes()[15] % SHARDS
}

/// The partition of all beats of one shard.
pub fn beats(shard: u8) -> String {
    format!("BEAT#{shard}")
}

/// A workspace's hot item.
pub fn beat(id: WorkspaceId) -> Key {
    Key::new(beats(shard(id)), id.to_string())
}

/// A workspace's cold item.
pub fn meta(id: WorkspaceId) -> Key {
    Key::new(format!("WS#{id}"), "META")
}

/// A workspace's slots, gate and counters.
pub fn load(id: WorkspaceId) -> Key {
    Key::new(format!("WS#{id}"), "LOAD")
}

/// A workspace's agent card.
pub fn card(id: WorkspaceId) -> Key {
    Key::new(format!("WS#{id}"), "CARD")
}

/// What a workspace's machine should be, and which one it is.
pub fn machine(id: WorkspaceId) -> Key {
    Key::new(format!("WS#{id}"), "MACHINE")
}

/// The partition of a workspace's token rows.
pub fn tokens(id: WorkspaceId) -> String {
    format!("TOKENS#{id}")
}

/// A token's row in its workspace's list.
pub fn token(workspace: WorkspaceId, id: TokenId) -> Key {
    Key::new(tokens(workspace), id.to_string())
}

/// What a presented token stands for.
pub fn credential(hash: &TokenHash) -> Key {
    Key::new(format!("CRED#{}", hash.hex()), CREDENTIAL)
}

/// The sort key of all credentials.
pub(crate) const CREDENTIAL: &str = "CRED";

/// The partition of all organisation tokens' rows.
pub(crate) const ORG_TOKENS: &str = "ORG_TOKENS";

/// An organisation token's row in the list.
pub fn org_token(id: TokenId) -> Key {
    Key::new(ORG_TOKENS, id.to_string())
}

/// The counter of what somebody did.
pub fn window(what: &str, who: &str) -> Key {
    Key::new(format!("WINDOW#{what}#{who}"), "WINDOW")
}

/// The leases of a workspace's event streams of one kind.
pub fn streams(id: WorkspaceId, kind: &str) -> Key {
    Key::new(format!("STREAMS#{id}"), kind)
}

/// The partition of a workspace's activity.
pub fn activities(id: WorkspaceId) -> String {
    format!("ACTIVITY#{id}")
}

/// An activity row.
pub fn activity(workspace: WorkspaceId, id: ActivityId) -> Key {
    Key::new(activities(workspace), id.to_string())
}

/// The partition of a workspace's requests for approval.
pub fn approvals(id: WorkspaceId) -> String {
    format!("APPROVALS#{id}")
}

/// A request for approval.
pub fn approval(workspace: WorkspaceId, id: ApprovalId) -> Key {
    Key::new(approvals(workspace), id.to_string())
}

/// Below all requests in their partition, and above their contexts.
pub const ABOVE_CONTEXTS: &str = "$";

/// What an agent wants kept with a request: apart, as lists of requests do not show it.
pub fn approval_context(workspace: WorkspaceId, id: ApprovalId) -> Key {
    Key::new(approvals(workspace), format!("#CONTEXT#{id}"))
}

/// A stored body.
pub fn body(id: BodyId) -> Key {
    Key::new(format!("BODY#{id}"), "BODY")
}

/// The partition of a workspace's events.
pub fn events(id: WorkspaceId) -> String {
    format!("EVENTS#{id}")
}

/// An event row.
pub fn event(workspace: WorkspaceId, id: EventId) -> Key {
    Key::new(events(workspace), id.to_string())
}

/// Whom an event's key is about.
pub fn event_of(key: &Key) -> Option<WorkspaceId> {
    key.pk.strip_prefix("EVENTS#")?.parse().ok()
}

/// The partition of all open WebSocket connections: few and small, always read together.
pub fn connections() -> String {
    "CONNECTIONS".to_owned()
}

/// A WebSocket connection.
pub fn connection(id: &str) -> Key {
    Key::new(connections(), id)
}

/// What a creation's idempotency key was used for.
pub fn created_once(key: &str) -> Key {
    Key::new(format!("CREATED#{key}"), "CREATED")
}

/// The partition of a scope's secrets and of the key they are encrypted with.
pub fn secrets(scope: Scope) -> String {
    match scope {
        Scope::Global => "SECRETS#GLOBAL".to_owned(),
        Scope::Workspace(id) => format!("SECRETS#{id}"),
    }
}

/// A scope's keyring.
pub fn keyring(scope: Scope) -> Key {
    Key::new(secrets(scope), "KEYRING")
}

/// A secret.
pub fn secret(scope: Scope, name: &SecretName) -> Key {
    Key::new(secrets(scope), format!("SECRET#{name}"))
}

/// Tokens used by a workspace on a day (`YYYY-MM-DD`, UTC).
pub fn usage(id: WorkspaceId, day: &str) -> Key {
    Key::new(usages(id), day)
}

/// What all days' tokens of a workspace are in.
pub fn usages(id: WorkspaceId) -> String {
    format!("USAGE#{id}")
}

/// How many workspaces were created under a quota.
pub fn quota() -> Key {
    Key::new("QUOTA", "WORKSPACES")
}

/// The partition of what is known of sweeps.
pub fn sweeps() -> String {
    "SWEEPS".to_owned()
}

/// When a sweep last ran.
pub fn sweep(name: &str) -> Key {
    Key::new(sweeps(), name)
}

/// The canvas' saved viewport.
pub fn viewport() -> Key {
    Key::new("CANVAS", "VIEWPORT")
}

/// Which image each runtime was resolved to: one item, for whoever lets a machine in.
pub fn images() -> Key {
    Key::new("IMAGES", "IMAGES")
}

/// The partition of the heads of templates.
pub fn templates() -> String {
    "TEMPLATES".to_owned()
}

/// The head of a template.
pub fn template(dir: &str) -> Key {
    Key::new(templates(), dir)
}

/// The partition of the heads of organisations' templates.
pub fn org_templates() -> String {
    "ORG_TEMPLATES".to_owned()
}

/// The head of an organisation's template.
pub fn org_template(dir: &str) -> Key {
    Key::new(org_templates(), dir)
}

/// How long templates' runtimes may take to register: one item, for whoever shows workspaces.
pub fn template_timeouts() -> Key {
    Key::new("TEMPLATE_TIMEOUTS", "TEMPLATE_TIMEOUTS")
}

/// What tells whether a file has come to a workspace's chat.
pub fn chat_mark(id: WorkspaceId) -> Key {
    Key::new(format!("WS#{id}"), "CHAT_FILES")
}
