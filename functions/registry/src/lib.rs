//! The registry: workspaces register, send heartbeats, and find each other.

pub mod check_access;
pub mod discover;
pub mod heartbeat;
pub mod nudge;
pub mod peers;
pub mod register;
pub mod update_card;

edge::handlers! { "registry":
    /// `POST /registry/register`
    Register = "register",
    /// `POST /registry/heartbeat`
    Heartbeat = "heartbeat",
    /// `POST /registry/update-card`
    UpdateCard = "update_card",
    /// `GET /registry/discover/{id}`
    Discover = "discover",
    /// `GET /registry/{id}/peers`
    Peers = "peers",
    /// `POST /registry/check-access`
    CheckAccess = "check_access",
}

/// Describes the routes of this domain.
pub fn describe(api: &mut edge::openapi::Api) {
    api.tag(
        "registry",
        "Who is there: agents register, say that they live, and find each other.",
    );
    register::describe(api);
    heartbeat::describe(api);
    update_card::describe(api);
    discover::describe(api);
    peers::describe(api);
    check_access::describe(api);
}
