//! `POST /org/import`: a whole organisation from a template (contract: lifecycle-and-sweepers 7.4).

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Error, Kind, Result, WorkspaceId,
    address::Reach,
    requirement::{Requirement, Requirements},
    secret::Scope,
    template::{MAX_DIR, relative},
};
use edge::{
    App, Caller, Input, Reply,
    http::{Fields, log_failure},
    openapi::{Api, Who},
};
use lambda_http::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::keys;
use uuid::Uuid;

use crate::{
    Importer,
    org::{
        create::{Outcome, create},
        model::Org,
        plan::{Planned, folders, plan, prompt_files},
        read::{Folder, ROOT, Variables},
        room::room,
        schedules::{Prompts, Skipped},
    },
};

/// The largest body, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// How long workspaces are begun, counted from the gateway: it gives up after 30 s, and those under
/// way are to be finished and told of.
const TIME: Duration = Duration::from_secs(22);

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "ImportOrgRequest")]
#[schemars(example = json!({
    "template": {"name": "Duo", "workspaces": [
        {"name": "Lead", "external": true, "children": [{"name": "Writer", "external": true}]},
    ]},
}))]
struct ImportRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    dir: String,
    #[serde(default)]
    template: Option<Value>,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    force: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportOrgReply")]
struct Answer<'a> {
    org: &'a str,
    workspaces: Vec<Row<'a>>,
    count: usize,
    /// What the template has that nothing acts upon yet, by its key.
    skipped: BTreeSet<String>,
    /// Under which name it is kept what was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    import_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Failure<'a>>,
    /// Those that were not begun.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_created: Vec<&'a str>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportedWorkspace")]
struct Row<'a> {
    id: WorkspaceId,
    name: &'a str,
    tier: i64,
    /// How many schedules it got.
    #[serde(skip_serializing_if = "is_zero")]
    schedules: usize,
    /// Those that could not be made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    schedules_skipped: Vec<Skipped>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FailedWorkspace")]
struct Failure<'a> {
    name: &'a str,
    error: String,
}

/// The refusal for want of secrets.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MissingVariables")]
struct Unmet {
    error: &'static str,
    missing_env: Vec<Requirement>,
    required_env: Vec<Requirement>,
    template: String,
    suggestion: &'static str,
}

/// Creates the workspaces of a template. What can be wrong with it is found before the first one.
///
/// # Errors
/// 400, 401, 404, 409 when there would be more workspaces than there may be, 413; 412 when variables are missing; 500 when that could not be verified; 503.
/// 207 tells that not all could be created.
pub async fn handle(context: &'static Importer, caller: Caller, input: Input) -> Result<Reply> {
    let app = context.app;
    app.admin(&caller).await?;
    let request: ImportRequest = input.json(MAX_BYTES, "invalid request body")?;
    let (org, variables, prompts) = read(app, &request).await?;
    if !request.force
        && let Some(refusal) = missing(app, &org).await?
    {
        return Ok(refusal);
    }
    let plan = plan(&org, &variables, &prompts, input.now).map_err(invalid)?;
    reachable(app, &plan).await?;
    room(app, plan.len()).await?;
    let kept = keep(app, &request, &org, &plan, input.now.to_string()).await?;
    let late = input.now.duration_since(input.received_at);
    let time = TIME.saturating_sub(late.unsigned_abs());
    let outcome = create(context, &plan, input.now, time).await;
    answer(&org, &plan, outcome, kept)
}

fn invalid(why: String) -> Error {
    Error::invalid("invalid org template").with("detail", why)
}

/// The template, out of the bucket or out of the request.
async fn read(app: &App, request: &ImportRequest) -> Result<(Org, Variables, Prompts)> {
    if request.dir.is_empty() {
        let inline = request.template.clone().filter(|it| !it.is_null());
        let inline = inline.ok_or_else(|| Error::invalid("provide 'dir' or 'template'"))?;
        let org = Org::read(inline).map_err(invalid)?;
        return Ok((org, Variables::default(), Prompts::new()));
    }
    let dir = relative(&request.dir).filter(|dir| dir.len() <= MAX_DIR);
    let dir = dir.ok_or_else(|| Error::invalid("invalid org directory"))?;
    let mut folder = Folder::open(&app.store, &dir).await?;
    if !folder.has(ROOT) {
        return Err(Error::missing(format!("org template not found: {dir}")));
    }
    let document = folder
        .document(ROOT)
        .await?
        .map_err(|why| Error::invalid("org template expansion failed").with("detail", why))?;
    let org = Org::read(document).map_err(invalid)?;
    let variables = folder.variables(folders(&org).map_err(invalid)?).await?;
    let prompts = prompt_files(&org).map_err(invalid)?;
    let prompts = folder.prompts(prompts).await?;
    Ok((org, variables, prompts))
}

/// The refusal, if global secrets do not have what the template requires.
async fn missing(app: &App, org: &Org) -> Result<Option<Reply>> {
    let Requirements { required, .. } = org.requirements();
    if required.is_empty() {
        return Ok(None);
    }
    let verified = async {
        let rows = app.store.rows([keys::keyring(Scope::Global)]).await?;
        rows.keyring(Scope::Global)
    };
    let ring = verified.await.map_err(|error| {
        let sentence = "could not verify required environment variables; try again or pass \
                        force=true to override";
        Error::new(Kind::Internal, sentence).caused_by(error)
    })?;
    let has = |name: &str| {
        let name = name.parse();
        ring.as_ref()
            .is_some_and(|ring| name.is_ok_and(|name| ring.secrets().contains_key(&name)))
    };
    let missing: Vec<&Requirement> = required.iter().filter(|it| !it.is_met(has)).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let body = Unmet {
        error: "missing required environment variables",
        missing_env: missing.into_iter().cloned().collect(),
        required_env: required,
        template: org.name.clone(),
        suggestion: "set these as global secrets (POST /settings/secrets) or pass force=true to \
                     override",
    };
    Ok(Some(Reply::json(StatusCode::PRECONDITION_FAILED, &body)))
}

/// External workspaces may only be where agents may be.
async fn reachable(app: &App, plan: &[Planned]) -> Result<()> {
    let reach = Reach::from(app.settings.mode);
    for planned in plan.iter().filter(|it| !it.url.is_empty()) {
        let checked = app.names.reachable(&planned.url, &reach).await;
        checked.map_err(|reason| {
            tracing::info!(%reason, "an external workspace's address was refused");
            invalid(format!(
                "workspace {:?}: url may not be called from here",
                planned.name
            ))
        })?;
    }
    Ok(())
}

/// What nothing acts upon yet.
#[derive(Debug)]
struct Kept {
    skipped: BTreeSet<String>,
    import_id: Option<Uuid>,
}

/// Keeps what nothing acts upon yet, with the workspaces it is for, so that it is not lost: before
/// they are created, or a crash would lose it.
async fn keep(
    app: &App,
    request: &ImportRequest,
    org: &Org,
    plan: &[Planned],
    at: String,
) -> Result<Kept> {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Array(all) => !all.is_empty(),
        Value::Object(all) => !all.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    let keys = |of: &Map<String, Value>| -> Vec<String> {
        let said = of.iter().filter(|(_, value)| says(value));
        said.map(|(key, _)| key.clone()).collect()
    };
    let mut skipped: BTreeSet<String> = keys(&org.rest).into_iter().collect();
    skipped.extend(keys(&org.defaults.rest));
    skipped.extend(plan.iter().flat_map(|it| keys(&it.rest)));
    if plan.iter().any(|it| !it.files_dir.is_empty()) {
        skipped.insert("files_dir".to_owned());
    }
    if skipped.is_empty() {
        let import_id = None;
        return Ok(Kept { skipped, import_id });
    }
    let workspaces = plan.iter().map(|it| {
        json!({
            "workspace_id": it.place.id, "name": it.name, "files_dir": it.files_dir, "rest": it.rest,
        })
    });
    let record = json!({
        "org": org.name,
        "dir": request.dir,
        "imported_at": at,
        "rest": org.rest,
        "defaults": org.defaults.rest,
        "workspaces": workspaces.collect::<Vec<_>>(),
    });
    let id = Uuid::now_v7();
    let bytes = record.to_string().into_bytes();
    app.store.put_file(&keys::org_import(id), bytes).await?;
    Ok(Kept {
        skipped,
        import_id: Some(id),
    })
}

fn answer(org: &Org, plan: &[Planned], outcome: Outcome, kept: Kept) -> Result<Reply> {
    let Outcome { created, failed } = outcome;
    let begun = failed.iter().map(|(at, _)| *at);
    let begun: BTreeSet<usize> = begun.chain(created.keys().copied()).collect();
    let rows = created.into_iter();
    let rows = rows.filter_map(|(at, made)| Some((plan.get(at)?, made)));
    let rows: Vec<Row<'_>> = rows
        .map(|(it, made)| Row {
            id: it.place.id,
            name: &it.name,
            tier: it.tier,
            schedules: made.count,
            schedules_skipped: made.skipped,
        })
        .collect();
    let name = |at: usize| plan.get(at).map_or("", |it| it.name.as_str());
    let not_begun = (0..plan.len()).filter(|at| !begun.contains(at));
    let not_created: Vec<&str> = not_begun.map(name).collect();
    let mut failures = Vec::new();
    for (at, error) in failed {
        if rows.is_empty() {
            // Nothing is there: then it is an error like any other.
            return Err(error);
        }
        log_failure(&error, "/org/import");
        failures.push(Failure {
            name: name(at),
            error: error.message().to_owned(),
        });
    }
    let error = match failures.first() {
        Some(Failure { name, error }) => Some(format!("workspace {name:?}: {error}")),
        None if !not_created.is_empty() => Some("the time was over".to_owned()),
        None => None,
    };
    let status = match &error {
        Some(_) => StatusCode::MULTI_STATUS,
        None => StatusCode::CREATED,
    };
    let answer = Answer {
        org: &org.name,
        count: rows.len(),
        workspaces: rows,
        skipped: kept.skipped,
        import_id: kept.import_id,
        error,
        failed: failures,
        not_created,
    };
    Ok(Reply::json(status, &answer))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    api.route(
        "import_org",
        "POST /org/import",
        Who::Operator,
        "Creates a whole organisation",
    )
    .about("409 when there would be more workspaces than there may be.")
    .body::<ImportRequest>(MAX_BYTES)
    .created::<Answer<'_>>("All workspaces.")
    .answers::<Answer<'_>>(207, "Some of the workspaces: `error` says why not all.")
    .answers::<Unmet>(
        412,
        "Global secrets do not have what the template requires.",
    )
    .fails(&[Kind::Missing, Kind::Conflict]);
}
