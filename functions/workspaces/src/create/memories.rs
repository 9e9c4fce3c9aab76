//! What a new workspace is to remember from the start (contract: lifecycle-and-sweepers 3.1.2): kept in
//! the bucket for whoever implements memories, as nothing reads them yet.
//!
//! They are kept as they were given: what looks like a credential is to be taken out when they are
//! read. Until then nobody can, but with the bucket; no log line has them.

use domain::{Result, WorkspaceId, activity::preview, secret::SecretValue};
use edge::{App, http::Fields};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use store::keys;

/// The most that is kept of one, in bytes; the rest is cut off.
const MAX_CONTENT: usize = 100_000;

/// One of them. It does not show itself, as people put anything there.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "InitialMemory")]
pub(super) struct Memory {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    content: SecretValue,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    scope: String,
}

impl Memory {
    /// As it is kept; none if it is empty or of a scope that there is not.
    fn kept(&self) -> Option<Value> {
        let content = self.content.reveal();
        let scope = match self.scope.to_uppercase().as_str() {
            "" | "LOCAL" => "LOCAL",
            "TEAM" => "TEAM",
            "GLOBAL" => "GLOBAL",
            _ => return None,
        };
        let cut = preview(content, MAX_CONTENT, "");
        (!content.is_empty()).then(|| json!({"content": cut, "scope": scope}))
    }
}

/// Keeps those that count: before the workspace is there, or a crash would lose them. Without one
/// nothing is written.
///
/// Price: a creation that is refused after this leaves a file that nobody finds, since this function
/// may not delete any. So the one refusal left that can last is looked at here as well; others need
/// another call at the same moment.
///
/// # Errors
/// 409 when there are as many workspaces as there may be; the bucket did not answer.
pub(super) async fn keep(app: &App, id: WorkspaceId, memories: &[Memory]) -> Result<()> {
    let kept: Vec<Value> = memories.iter().filter_map(Memory::kept).collect();
    if kept.is_empty() {
        return Ok(());
    }
    let most = app.settings.max_workspaces;
    if most > 0 {
        let there = app.store.count_workspaces().await?;
        if there >= most {
            return Err(app.settings.quota_reached(there));
        }
    }
    let record = json!({"namespace": format!("workspace:{id}"), "memories": kept});
    let bytes = record.to_string().into_bytes();
    app.store.put_file(&keys::initial_memories(id), bytes).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(memory: Value) -> Option<Value> {
        serde_json::from_value::<Memory>(memory)
            .expect("a memory")
            .kept()
    }

    #[test]
    fn scopes_are_three_and_what_is_none_is_left_out() {
        for (scope, expected) in [
            ("", Some("LOCAL")),
            ("local", Some("LOCAL")),
            ("Team", Some("TEAM")),
            ("GLOBAL", Some("GLOBAL")),
            ("PRIVATE", None),
            (" LOCAL", None),
        ] {
            let kept = kept(json!({"content": "c", "scope": scope}));
            let scope = kept.as_ref().and_then(|it| it["scope"].as_str());
            assert_eq!(scope, expected, "{kept:?}");
        }
        assert_eq!(kept(json!({"content": "", "scope": "TEAM"})), None);
        assert_eq!(kept(json!({"content": null})), None);
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_character() {
        for (text, bytes) in [
            ("x".repeat(MAX_CONTENT), MAX_CONTENT),
            ("x".repeat(MAX_CONTENT + 1), MAX_CONTENT),
            ("x".repeat(MAX_CONTENT - 1) + "é", MAX_CONTENT - 1),
        ] {
            let kept = kept(json!({"content": text})).expect("kept");
            assert_eq!(kept["content"].as_str().map(str::len), Some(bytes));
        }
    }

    #[test]
    fn a_memory_does_not_show_itself() {
        let memory: Memory = serde_json::from_value(json!({"content": "hunter2"})).expect("one");
        assert!(!format!("{memory:?}").contains("hunter2"));
    }
}
