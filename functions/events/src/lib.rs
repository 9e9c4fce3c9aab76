//! Events: the log of every change.

pub mod list;

edge::handlers! { "events":
    /// `GET /events` and `GET /events/{id}`
    List = "list",
}
