//! `DELETE /workspaces/{id}`: remove a workspace and all below it (contract:
//! lifecycle-and-sweepers 3.6).

use domain::{Error, Kind, Result, WorkspaceId};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use lambda_http::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use store::{keys, workspaces::Parts};

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeleteWorkspaceReply")]
struct Deleted {
    status: &'static str,
    cascade_deleted: usize,
}

/// The refusal of a workspace that others are below of.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeleteUnconfirmed")]
struct Unconfirmed {
    status: &'static str,
    message: &'static str,
    children_count: usize,
    children: Vec<Child>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChildWorkspace")]
struct Child {
    id: WorkspaceId,
    name: String,
}

/// What [`broken`] answers, for the API's description; any other 500 has the sentence alone.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeleteBroken")]
struct Broken {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_failures: Option<usize>,
}

/// Removes the workspace first, which closes the door for new children, then all below it, each in
/// one transaction. Interrupted half way, the same call goes on where it stopped.
///
/// # Errors
/// 400, 401. A workspace with children answers 409 until `confirm=true`. 500 with what is left when
/// the datastore failed half way.
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
    let gone = match remove(app, id, is("purge"), &input).await? {
        Cascade::Whole(gone) => gone,
        Cascade::Broken { gone, left, why } => return Err(broken(gone.len(), &left, why)),
    };
    if is("purge") {
        purge(app, id).await?;
    }
    Ok(Reply::ok(&Deleted {
        status: if is("purge") { "purged" } else { "removed" },
        cascade_deleted: gone.len() - 1,
    }))
}

/// Deletes what is kept of those who were removed, the one last that knows the others.
async fn purge(app: &App, top: WorkspaceId) -> Result<()> {
    let with = app.store.purged_with(top).await?;
    for id in with.into_iter().chain([top]) {
        app.store.delete_file(&keys::initial_memories(id)).await?;
        app.store.purge_workspace(id).await?;
    }
    Ok(())
}

/// What became of a cascade.
enum Cascade {
    /// All of these are removed, the workspace first.
    Whole(Vec<WorkspaceId>),
    /// These are, and those are left: the datastore failed half way.
    Broken {
        gone: Vec<WorkspaceId>,
        left: Vec<WorkspaceId>,
        why: Error,
    },
}

/// Removes a workspace and all below it, which is noted first for a purge.
///
/// # Errors
/// The datastore failed before anything was removed.
async fn remove(app: &App, id: WorkspaceId, purge: bool, input: &Input) -> Result<Cascade> {
    let mut next = app.store.descendant_ids(id).await?;
    if purge {
        app.store.note_purge(id, &next).await?;
    }
    app.store
        .remove_workspace(id, Some(next.len()), input.now)
        .await?;
    let mut gone = vec![id];
    if let Err(error) = below(app, &mut gone, &mut next, purge, input).await {
        // Whose children could not be listed is not done with itself.
        let left = if next.is_empty() { gone.clone() } else { next };
        return Ok(Cascade::Broken {
            gone,
            left,
            why: error,
        });
    }
    Ok(Cascade::Whole(gone))
}

/// Moves those of `next`, and all below, to `gone`, removing them.
async fn below(
    app: &App,
    gone: &mut Vec<WorkspaceId>,
    next: &mut Vec<WorkspaceId>,
    purge: bool,
    input: &Input,
) -> Result<()> {
    let mut closed = 0;
    loop {
        // Children before their parents: what an interrupted call leaves is still found from above.
        while let Some(descendant) = next.last().copied() {
            app.store
                .remove_workspace(descendant, None, input.now)
                .await?;
            next.pop();
            gone.push(descendant);
        }
        // Until it was removed, each of them could get a child that was not on the list yet.
        let mut late = Vec::new();
        for parent in &gone[closed..] {
            late.extend(app.store.descendant_ids(*parent).await?);
        }
        closed = gone.len();
        if late.is_empty() {
            return Ok(());
        }
        if let (true, Some(top)) = (purge, gone.first()) {
            app.store.note_purge(*top, &late).await?;
        }
        *next = late;
    }
}

/// The contract's answer for a cascade that broke off. The same call once more does the rest.
fn broken(removed: usize, left: &[WorkspaceId], why: Error) -> Error {
    let ids: Vec<String> = left.iter().map(ToString::to_string).collect();
    let error = format!(
        "workspace marked removed, but {} stop call(s) failed — please retry: {}",
        left.len(),
        ids.join(", ")
    );
    Error::new(Kind::Internal, error)
        .with("removed_count", removed)
        .with("stop_failures", left.len())
        .caused_by(why)
}

async fn unconfirmed(app: &App, children: &[WorkspaceId]) -> Result<Reply> {
    let children = app.store.load_workspaces(children, Parts::Core).await?;
    let children: Vec<Child> = children
        .into_iter()
        .map(|child| Child {
            id: child.meta.id,
            name: child.meta.name,
        })
        .collect();
    let body = Unconfirmed {
        status: "confirmation_required",
        message: "This workspace has sub-workspaces. Delete with ?confirm=true to cascade delete.",
        children_count: children.len(),
        children,
    };
    Ok(Reply::json(StatusCode::CONFLICT, &body))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "Removes a workspace and all below it";
    api.route(
        "delete_workspace",
        "DELETE /workspaces/{id}",
        Who::Operator,
        summary,
    )
    .query::<bool>("confirm", "`true`: also if there are workspaces below it.")
    .query::<bool>("purge", "`true`: nothing is kept of them.")
    .ok::<Deleted>("They are removed. Also for one that is not there.")
    .answers::<Unconfirmed>(
        409,
        "There are workspaces below it: `confirm=true` removes them too.",
    )
    .answers::<Broken>(500, "It broke off: the same call again does the rest.")
    .fails(&[]);
}
