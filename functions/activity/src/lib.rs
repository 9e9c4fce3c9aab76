//! Activity: what agents tell people, what they did, and what they ask people for.

pub mod approvals;
pub mod list;
pub mod notify;
pub mod report;
pub mod session_search;

edge::handlers! { "activity":
    /// `POST /workspaces/{id}/notify`
    Notify = "notify",
    /// `POST /workspaces/{id}/activity`
    Report = "report",
    /// `GET /workspaces/{id}/activity`
    List = "list",
    /// `GET /workspaces/{id}/session-search`
    SessionSearch = "session_search",
    /// The approvals of a workspace, and those that wait everywhere
    Approvals = "approvals",
}
