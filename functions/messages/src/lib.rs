//! Messages: accepted by `dispatch`, carried by `deliver`, recorded in the ledger.
//!
//! `dispatch` checks and accepts; only `deliver` talks to agents. The caller going away, or its
//! window closing, does not stop a delivery.

pub mod agent;
pub mod delegate;
pub mod delegations;
pub mod deliver;
pub mod dispatch;
pub mod fire;
pub mod flow;
pub mod kick;
pub mod options;
pub mod outcome;
pub mod queue;
pub mod request;
pub mod restart_context;
pub mod revive;
pub mod route;
mod rows;
pub mod sender;
pub mod settings;
mod shelf;
pub mod submit;
pub mod tick;

pub use settings::Messages;

edge::handlers! { "messages":
    /// `POST /workspaces/{id}/a2a`
    Dispatch = "dispatch",
    /// Calls agents on public addresses; invoked by `dispatch`, and fed by the queue.
    Deliver = "deliver",
    /// Calls agents on machines of ours, by their recorded addresses inside the VPC.
    DeliverVpc = "deliver_vpc",
    /// Carries job rows from the table's stream to the queue.
    Kick = "kick",
    /// Every minute: whatever should have happened and has not.
    Tick = "tick",
    /// `POST /workspaces/{id}/delegate`
    Delegate = "delegate",
    /// `GET /workspaces/{id}/delegations`, `POST …/delegations/record`, `POST …/{delegation_id}/update`
    Delegations = "delegations",
    /// `GET /workspaces/{id}/a2a/requests/{request_id}`
    Request = "request",
    /// `GET /admin/a2a-queue`, `POST /admin/a2a-queue/redrive`, `POST /admin/a2a-queue/drop-stale`
    Queue = "queue",
}

/// Describes the routes of this domain.
pub fn describe(api: &mut edge::openapi::Api) {
    api.tag(
        "messages",
        "Messages of people and agents (A2A JSON-RPC), and where they stand.",
    );
    dispatch::describe(api);
    request::describe(api);
    delegate::describe(api);
    delegations::describe(api);
    queue::describe(api);
}
