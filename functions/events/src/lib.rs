//! Events: the log of every change, and who is told of it.

pub mod connect;
pub mod disconnect;
pub mod handshake;
pub mod list;
pub mod live;
mod news;
mod operators;
pub mod relay;
pub mod replay;
mod room;
pub mod sockets;
pub mod stream;
mod told;
pub mod views;

edge::handlers! { "events":
    /// `GET /events` and `GET /events/{id}`
    List = "list",
    /// `GET /workspaces/{id}/events/stream`
    Stream = "stream",
    /// `GET /workspaces/{id}/events/stream` where answers stream
    Live = "live",
    /// Somebody wants to listen at `/ws`.
    Connect = "connect",
    /// Somebody left, or said something.
    Disconnect = "disconnect",
    /// The table's stream: what happened goes to those who listen and to the bus.
    Relay = "relay",
    /// The table's stream: who comes back is told what was missed.
    Replay = "replay",
}

/// Describes the routes of this domain.
pub fn describe(api: &mut edge::openapi::Api) {
    api.tag(
        "events",
        "The log of every change. Live, it is a WebSocket at the output `WebSocketUrl`.",
    );
    list::describe(api);
    stream::describe(api);
}
