//! Activity: what agents tell people, the files of their chats, and what agents did.

pub mod downloads;
mod kind;
pub mod list;
pub mod notify;
pub mod report;
pub mod uploads;

edge::handlers! { "activity":
    /// `POST /workspaces/{id}/notify`
    Notify = "notify",
    /// `POST /workspaces/{id}/activity`
    Report = "report",
    /// `GET /workspaces/{id}/activity`
    List = "list",
    /// `POST /workspaces/{id}/chat/uploads`, and for large files `…/presign`, `…/complete`
    Uploads = "uploads",
    /// `GET /workspaces/{id}/chat/download`, and what there is at `GET …/chat/uploads`
    Downloads = "downloads",
}
