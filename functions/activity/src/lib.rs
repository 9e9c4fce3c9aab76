//! Activity: what agents tell people, what they did, what they ask people for, and the files of chats.

pub mod approvals;
pub mod downloads;
mod kind;
pub mod list;
pub mod notify;
pub mod report;
pub mod session_search;
pub mod uploads;

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
    /// `POST /workspaces/{id}/chat/uploads`, and for large files `…/presign`, `…/complete`
    Uploads = "uploads",
    /// `GET /workspaces/{id}/chat/download`, and what there is at `GET …/chat/uploads`
    Downloads = "downloads",
}

/// Describes the routes of this domain.
pub fn describe(api: &mut edge::openapi::Api) {
    api.tag(
        "activity",
        "What agents tell people, what they did, what they ask people for, and the files of chats.",
    );
    notify::describe(api);
    report::describe(api);
    list::describe(api);
    session_search::describe(api);
    approvals::describe(api);
    uploads::describe(api);
    downloads::describe(api);
}
