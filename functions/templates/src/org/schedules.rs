//! Schedules of a template's workspaces (contract: lifecycle-and-sweepers 7.4). What is wrong with
//! one keeps nothing else from being made: it is skipped, and named in the answer with its reason.

use std::collections::BTreeMap;

use domain::{
    Error,
    schedule::{Asked, Draft, MAX_SCHEDULES},
    template::relative,
};
use edge::{
    App,
    http::{Fields, log_failure},
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::schedules::Placed;
use tokio::time::Instant;

use super::plan::Planned;

/// A schedule as a template says it.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Written {
    /// Its name, by which it is changed when it comes again.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub name: String,
    /// When it fires.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub cron_expr: String,
    /// In which zone.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub timezone: String,
    /// What it says.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub prompt: String,
    /// The file with what it says, in the workspace's folder, if it is not said here.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub prompt_file: String,
    /// Whether it fires.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// One that was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SkippedSchedule")]
pub struct Skipped {
    /// What the template calls it.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// The texts of prompts that are files, by their path in the template.
pub type Prompts = BTreeMap<String, Option<String>>;

impl Written {
    /// The path of its prompt in the template, if that is a file; none as well of one that leaves
    /// the folder.
    pub fn file(&self, files_dir: &str) -> Option<String> {
        if !self.prompt.is_empty() || self.prompt_file.is_empty() {
            return None;
        }
        let file = relative(&self.prompt_file)?;
        match files_dir {
            "" => Some(file),
            dir => Some(format!("{dir}/{file}")),
        }
    }

    fn draft(&self, files_dir: &str, prompts: &Prompts, now: Timestamp) -> Result<Draft, String> {
        let by_file = self.prompt.is_empty() && !self.prompt_file.is_empty();
        let from_file = self
            .file(files_dir)
            .and_then(|path| prompts.get(&path)?.as_deref());
        let prompt = match from_file {
            Some(text) => text,
            None if by_file => return Err("prompt_file is no text file of the template".to_owned()),
            None => &self.prompt,
        };
        let asked = Asked {
            name: &self.name,
            cron_expr: &self.cron_expr,
            timezone: &self.timezone,
            prompt,
            enabled: self.enabled,
        };
        asked.draft(now).map_err(|error| reason(&error))
    }
}

/// The reason that an error gives, or else its sentence.
fn reason(error: &Error) -> String {
    let reason = error.details().get("reason").and_then(|it| it.as_str());
    reason.unwrap_or(error.message()).to_owned()
}

/// Those of one workspace that can be made, in the template's order, and those that cannot.
pub fn sort_out(
    written: &[Written],
    files_dir: &str,
    prompts: &Prompts,
    now: Timestamp,
) -> (Vec<Draft>, Vec<Skipped>) {
    let (mut drafts, mut skipped) = (Vec::new(), Vec::new());
    for one in written {
        match one.draft(files_dir, prompts, now) {
            Ok(draft) => drafts.push(draft),
            Err(reason) => skipped.push(Skipped {
                name: one.name.clone(),
                reason,
            }),
        }
    }
    (drafts, skipped)
}

/// What became of a workspace's schedules.
#[derive(Debug, Default)]
pub struct Made {
    /// How many it has from the template.
    pub count: usize,
    /// Those that it has not.
    pub skipped: Vec<Skipped>,
}

/// Makes the schedules of a workspace that was created. They are no part of its transaction, which
/// has no room for a hundred: a crash between the two leaves a workspace without them.
pub async fn make(app: &App, planned: &Planned, now: Timestamp, until: Instant) -> Made {
    let mut made = Made {
        count: 0,
        skipped: planned.schedules_skipped.clone(),
    };
    let mut at = now;
    for draft in &planned.schedules {
        // Lists are in the order of creation: so they come in that of the template.
        at += SignedDuration::from_micros(1);
        let placed = if Instant::now() < until {
            app.store.place_schedule(planned.place.id, draft, at).await
        } else {
            made.skipped.push(Skipped {
                name: draft.name.clone(),
                reason: "the time was over".to_owned(),
            });
            continue;
        };
        let reason = match placed {
            Ok(Placed::Created) => {
                made.count += 1;
                continue;
            }
            Ok(Placed::Updated) => continue,
            Ok(Placed::Kept) => {
                "the workspace has one of that name, which no template made".to_owned()
            }
            Ok(Placed::Full) => format!("maximum {MAX_SCHEDULES} schedules per workspace"),
            Ok(Placed::NoWorkspace) => "the workspace was removed".to_owned(),
            Err(error) => {
                log_failure(&error, "/org/import");
                error.message().to_owned()
            }
        };
        made.skipped.push(Skipped {
            name: draft.name.clone(),
            reason,
        });
    }
    made
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn one(json: Value) -> Result<Draft, String> {
        let written: Written = serde_json::from_value(json).expect("a schedule");
        let prompts = [
            ("lead/morning.md", Some("Look\r\naround")),
            ("lead/none.md", None),
        ];
        let prompts = prompts.map(|(path, text)| (path.to_owned(), text.map(str::to_owned)));
        written.draft("lead", &prompts.into(), NOW)
    }

    #[test]
    fn prompts_are_said_or_files_of_the_folder() {
        let said = json!({"cron_expr": "0 9 * * *", "prompt": "p\r\n", "prompt_file": "x.md"});
        assert_eq!(one(said).expect("fine").prompt, "p\n");
        let file = json!({"cron_expr": "0 9 * * *", "prompt_file": "./morning.md", "name": null});
        assert_eq!(one(file).expect("fine").prompt, "Look\naround");
        let off = json!({"cron_expr": "0 9 * * *", "prompt": "p", "enabled": false});
        assert!(!one(off).expect("fine").enabled);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_reason() {
        let no_file = "prompt_file is no text file of the template";
        for (written, why) in [
            (json!({"prompt": "p"}), "cron_expr and prompt are required"),
            (
                json!({"cron_expr": "* * * * *"}),
                "cron_expr and prompt are required",
            ),
            (
                json!({"cron_expr": "* * * * *", "prompt_file": "none.md"}),
                no_file,
            ),
            (
                json!({"cron_expr": "* * * * *", "prompt_file": "../org.yaml"}),
                no_file,
            ),
            (
                json!({"cron_expr": "* * * * *", "prompt": "p", "timezone": "Mars"}),
                "invalid timezone: Mars",
            ),
        ] {
            assert_eq!(one(written.clone()).expect_err("refused"), why, "{written}");
        }
        let never = json!({"cron_expr": "0 0 30 2 *", "prompt": "p"});
        let why = one(never).expect_err("refused");
        assert_ne!(why, "invalid request body");
    }
}
