//! Names of objects in the bucket.

use domain::{BodyId, WorkspaceId, chat_file::StoredName};

/// Where a body lies in the bucket when the table is too small for it.
pub fn body_object(id: BodyId) -> String {
    format!("bodies/{id}")
}

/// Where the files of templates lie in the bucket, each template in a folder of its own.
pub const TEMPLATE_FILES: &str = "templates/";
/// Where those of organisations' templates lie.
pub const ORG_TEMPLATE_FILES: &str = "org-templates/";

/// Where the files of a workspace's chat lie in the bucket.
pub fn chat_files(id: WorkspaceId) -> String {
    format!("chat-files/{id}/")
}

/// Where one of them lies.
pub fn chat_file(id: WorkspaceId, name: &StoredName) -> String {
    format!("{}{}", chat_files(id), name.as_str())
}

/// Where it is kept what an organisation was made from.
pub fn org_import(id: uuid::Uuid) -> String {
    format!("org-imports/{id}.json")
}

/// Where it is kept what a new workspace is to remember from the start.
pub fn initial_memories(id: WorkspaceId) -> String {
    format!("initial-memories/{id}.json")
}
