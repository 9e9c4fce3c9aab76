//! What an agent on the user's own host needs to connect: shown once, when its workspace is made
//! (contract: lifecycle-and-sweepers 3.1.4).

use std::fmt;

use domain::WorkspaceId;
use schemars::JsonSchema;
use serde::Serialize;

/// The `connection` block.
#[derive(Serialize, JsonSchema)]
pub struct Connection {
    workspace_id: WorkspaceId,
    platform_url: String,
    auth_token: String,
    registry_endpoint: String,
    heartbeat_endpoint: String,
    curl_register_template: String,
    python_snippet: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

// By hand: the token must get into no log.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("workspace_id", &self.workspace_id)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// The block once more, for a request that is repeated: the token was shown and is not kept.
    pub fn again(id: WorkspaceId, platform_url: String) -> Self {
        Self {
            hint: Some(
                "the token was in the first answer and cannot be shown again; \
                 POST /workspaces/{id}/tokens, as operator, makes another",
            ),
            ..Self::new(id, platform_url, String::new())
        }
    }

    /// The block for this workspace on this platform. The snippets never carry the token.
    pub fn new(id: WorkspaceId, platform_url: String, auth_token: String) -> Self {
        let fill = |text: &str| {
            text.replace("{{platform}}", &platform_url)
                .replace("{{id}}", &id.to_string())
        };
        Self {
            workspace_id: id,
            registry_endpoint: format!("{platform_url}/registry/register"),
            heartbeat_endpoint: format!("{platform_url}/registry/heartbeat"),
            curl_register_template: fill(include_str!("connection/register.sh")),
            python_snippet: fill(include_str!("connection/agent.py")),
            platform_url,
            auth_token,
            hint: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snippets_are_filled_and_carry_no_token() {
        let id: WorkspaceId = "0a1b2c3d-0000-4000-8000-00000000000f"
            .parse()
            .expect("valid");
        let block = Connection::new(id, "https://x.example".to_owned(), "s3cret".to_owned());
        for text in [&block.curl_register_template, &block.python_snippet] {
            assert!(text.contains("https://x.example") && text.contains(&id.to_string()));
            assert!(!text.contains("s3cret") && !text.contains("{{"));
        }
        assert_eq!(
            block.registry_endpoint,
            "https://x.example/registry/register"
        );
    }

    /// The canvas puts the token there, by the text of these lines.
    #[test]
    fn the_line_for_the_token_is_the_one_that_the_canvas_fills() {
        let block = Connection::new(WorkspaceId::random(), String::new(), String::new());
        for (text, line, name) in [
            (
                &block.curl_register_template,
                r#"WORKSPACE_AUTH_TOKEN="<paste from create response>""#,
                "$WORKSPACE_AUTH_TOKEN",
            ),
            (
                &block.python_snippet,
                r#"AUTH_TOKEN    = "<paste from create response>""#,
                "{AUTH_TOKEN}",
            ),
        ] {
            assert_eq!(text.lines().filter(|it| *it == line).count(), 1, "{text}");
            assert_eq!(text.matches("<paste").count(), 1, "{text}");
            assert!(text.contains(&format!("Bearer {name}\"")), "{text}");
        }
    }
}
