//! Activity: what agents tell people, and what they did.

pub mod list;
pub mod notify;
pub mod report;

edge::handlers! { "activity":
    /// `POST /workspaces/{id}/notify`
    Notify = "notify",
    /// `POST /workspaces/{id}/activity`
    Report = "report",
    /// `GET /workspaces/{id}/activity`
    List = "list",
}
