//! `POST /admin/workspaces/{id}/bootstrap-failed`: a machine, or who watches it, says that it will
//! not come up (contract: lifecycle-and-sweepers 3.12).

use domain::{
    Result, WorkspaceId,
    lifecycle::{Act, BootFailure, MAX_LOG_TAIL},
};
use edge::{
    App, Caller, Input, Missing, Reply,
    http::Fields,
    metrics::{Metric, Metrics},
    openapi::{Api, Who},
    required,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::lifecycle::{Acted, Ask};

const MAX_BYTES: usize = 1024 * 1024;
/// The longest sentence that is kept, in bytes: it travels in an event.
const MAX_ERROR: usize = 2048;
/// What stands for the beginning of a log that was cut off.
const CUT: &str = "...(truncated)...\n";

/// What the function needs: it counts what it hears.
#[derive(Debug)]
pub struct Reporting {
    /// The common part.
    pub app: &'static App,
    metrics: Metrics,
}

impl AsRef<App> for Reporting {
    fn as_ref(&self) -> &App {
        self.app
    }
}

impl Reporting {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        Ok(Self::over(app, &required("STACK_NAME")?))
    }

    /// Over these parts.
    pub fn over(app: &'static App, stack: &str) -> &'static Self {
        let metrics = Metrics::of(stack);
        Box::leak(Box::new(Self { app, metrics }))
    }
}

/// What went wrong.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "BootstrapFailedRequest")]
#[schemars(example = serde_json::json!({"error": "the agent did not start", "log_tail": "exit status 1"}))]
struct FailedRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    error: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    log_tail: String,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BootstrapFailedReply")]
struct FailedReply {
    ok: bool,
    /// Only where the workspace was not booting: then nothing is changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_change: Option<bool>,
}

/// Records that a workspace will not boot, if it is still booting. The workspace's own token will
/// do as well: it is the machine itself that knows.
///
/// # Errors
/// 400, 401, 413.
pub async fn handle(reporting: &'static Reporting, caller: Caller, input: Input) -> Result<Reply> {
    let app = reporting.app;
    let id: WorkspaceId = input.param("id")?;
    app.own(&caller, id).await?;
    let request: FailedRequest = input.json(MAX_BYTES, "invalid request body")?;
    let act = Act::Fail(BootFailure::Reported {
        error: head(request.error.trim()).to_owned(),
        log_tail: tail(&request.log_tail),
    });
    let acted = app.store.act(id, &Ask::new(&act, None, input.now)).await?;
    Ok(Reply::ok(&match acted {
        Acted::Done { .. } => {
            let failed = [(Metric::BootsFailed, 1)];
            reporting.metrics.write(&failed, input.now);
            FailedReply {
                ok: true,
                no_change: None,
            }
        }
        _ => FailedReply {
            ok: true,
            no_change: Some(true),
        },
    }))
}

/// The beginning of a sentence, whole characters.
fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_ERROR)]
}

/// The end of a log, whole characters.
fn tail(log: &str) -> String {
    match log.len().checked_sub(MAX_LOG_TAIL) {
        None | Some(0) => log.to_owned(),
        Some(over) => format!("{CUT}{}", &log[log.ceil_char_boundary(over)..]),
    }
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let route = "POST /admin/workspaces/{id}/bootstrap-failed";
    let summary = "Says that a machine will not come up";
    api.route("bootstrap_failed", route, Who::Own, summary)
        .body::<FailedRequest>(MAX_BYTES)
        .ok::<FailedReply>("It was noted, if the workspace is still booting.")
        .fails(&[]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_log_the_end_is_kept() {
        assert_eq!(tail("short"), "short");
        assert_eq!(tail(&"x".repeat(MAX_LOG_TAIL)), "x".repeat(MAX_LOG_TAIL));
        let long = format!("{}end", "ü".repeat(MAX_LOG_TAIL));
        let kept = tail(&long);
        assert!(kept.starts_with(CUT) && kept.ends_with("üend"), "{kept}");
        assert!(kept.len() <= CUT.len() + MAX_LOG_TAIL);
    }

    #[test]
    fn of_a_long_sentence_the_beginning_is_kept() {
        assert_eq!(head("no disk"), "no disk");
        let kept = head(&"ä".repeat(MAX_ERROR)).to_owned();
        assert_eq!(kept, "ä".repeat(MAX_ERROR / 2));
    }
}
