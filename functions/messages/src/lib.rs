//! Messages: accepted by `dispatch`, carried by `deliver`, recorded in the ledger.
//!
//! `dispatch` checks and accepts; only `deliver` talks to agents. The caller going away, or its
//! window closing, does not stop a delivery.

pub mod agent;
pub mod deliver;
pub mod dispatch;
pub mod envelope;
pub mod outcome;
pub mod request;
pub mod route;
mod rows;
pub mod sender;
pub mod settings;

pub use settings::Messages;

edge::handlers! { "messages":
    /// `POST /workspaces/{id}/a2a`
    Dispatch = "dispatch",
    /// Calls an agent on a public address; invoked by `dispatch`.
    Deliver = "deliver",
    /// Calls an agent on a machine of ours, by its recorded address inside the VPC.
    DeliverVpc = "deliver_vpc",
    /// `GET /workspaces/{id}/a2a/requests/{request_id}`
    Request = "request",
}
