//! `DELETE /workspaces/{id}`: remove a workspace and all below it (contract:
//! lifecycle-and-sweepers 3.6).

use domain::{Result, WorkspaceId};
use edge::{App, Caller, Input, Reply};
use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use store::workspaces::Parts;

/// The answer.
#[derive(Debug, Serialize)]
struct Deleted {
    status: &'static str,
    cascade_deleted: usize,
}

/// Removes the workspace first, which closes the door for new children, then all below it, each in
/// one transaction. Interrupted half way, the same call goes on where it stopped.
///
/// # Errors
/// 400, 401. A workspace with children answers 409 until `confirm=true`.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    app.admin(&caller).await?;
    let id: WorkspaceId = input.param("id")?;
    let is = |name| input.query(name) == Some("true");

    if !is("confirm") {
        let children = app.store.child_ids(Some(id)).await?;
        if !children.is_empty() {
            return unconfirmed(app, &children).await;
        }
    }
    let gone = remove(app, id, &input).await?;
    let mut status = "removed";
    if is("purge") {
        for gone in &gone {
            app.store.purge_workspace(*gone).await?;
        }
        status = "purged";
    }
    Ok(Reply::ok(&Deleted {
        status,
        cascade_deleted: gone.len() - 1,
    }))
}

/// Removes a workspace and all below it; answers all of them, the workspace first.
async fn remove(app: &App, id: WorkspaceId, input: &Input) -> Result<Vec<WorkspaceId>> {
    let mut next = app.store.descendant_ids(id).await?;
    app.store
        .remove_workspace(id, Some(next.len()), input.now)
        .await?;
    let mut gone = vec![id];
    let mut closed = 0;
    loop {
        // Children before their parents: what an interrupted call leaves is still found from above.
        for descendant in next.iter().rev() {
            app.store
                .remove_workspace(*descendant, None, input.now)
                .await?;
        }
        gone.append(&mut next);
        // Until it was removed, each of them could get a child that was not on the list yet.
        for parent in &gone[closed..] {
            next.extend(app.store.descendant_ids(*parent).await?);
        }
        if next.is_empty() {
            return Ok(gone);
        }
        closed = gone.len();
    }
}

async fn unconfirmed(app: &App, children: &[WorkspaceId]) -> Result<Reply> {
    let children = app.store.load_workspaces(children, Parts::Core).await?;
    let named: Vec<_> = children
        .iter()
        .map(|child| json!({"id": child.meta.id, "name": child.meta.name}))
        .collect();
    let body = json!({
        "status": "confirmation_required",
        "message": "This workspace has sub-workspaces. Delete with ?confirm=true to cascade delete.",
        "children_count": named.len(),
        "children": named,
    });
    Ok(Reply::json(StatusCode::CONFLICT, &body))
}
