//! What a machine is told before it has proven who it is.
//!
//! Everybody on the machine, and everybody who may describe it, can read user data. So it holds ids
//! and addresses only; environment and token come from `POST /bootstrap/exchange`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{Launch, Trouble};

/// EC2's limit, before base64.
const MAX_BYTES: usize = 16 * 1024;

/// The document. Fields in this order, always: a repeat of a launch must be the same bytes.
#[derive(Debug, Serialize)]
struct UserData<'a> {
    /// The version of this form.
    v: u8,
    stack: &'a str,
    workspace_id: String,
    generation: u32,
    platform_url: String,
    runtime: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
}

/// The user data of a launch, as JSON: stack, workspace, generation, platform URL, runtime, image.
///
/// # Errors
/// [`Class::Defect`](super::Class::Defect): runtime or image are not of the form of a name, or all
/// of it is over 16 KiB.
pub fn user_data(launch: &Launch, stack: &str) -> Result<String, Trouble> {
    // Every field, so that a new one is decided about here.
    let Launch {
        workspace_id,
        generation,
        attempt: _,
        tier: _,
        runtime,
        image,
        platform_url,
    } = launch;
    if !is_name(runtime) {
        return Err(Trouble::defect("not the name of a runtime"));
    }
    if image.as_deref().is_some_and(|image| !is_pinned(image)) {
        return Err(Trouble::defect("not an image named by digest"));
    }
    let document = UserData {
        v: 1,
        stack,
        workspace_id: workspace_id.to_string(),
        generation: *generation,
        platform_url: platform_url.to_string(),
        runtime,
        image: image.as_deref(),
    };
    let text = serde_json::to_string(&document)
        .map_err(|error| Trouble::defect("user data cannot be written").caused_by(error))?;
    if text.len() > MAX_BYTES {
        return Err(Trouble::defect("user data is over 16 KiB"));
    }
    Ok(text)
}

/// As EC2 takes it.
pub(crate) fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

fn is_pinned(image: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':');
    image.split_once("@sha256:").is_some_and(|(name, digest)| {
        (1..=255).contains(&name.len())
            && name.bytes().all(plain)
            && digest.len() == 64
            && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::tests::launch;

    #[test]
    fn it_holds_ids_and_the_platform_s_address_and_nothing_else() {
        let text = user_data(&launch(1), "prod").expect("written");
        assert_eq!(
            text,
            concat!(
                r#"{"v":1,"stack":"prod","workspace_id":"00000000-0000-4000-8000-000000000001","#,
                r#""generation":1,"platform_url":"https://api.example.com","runtime":"langgraph"}"#,
            )
        );
        let mut other = launch(1);
        other.image = Some(format!("registry/agent@sha256:{}", "0a".repeat(32)));
        let text = user_data(&other, "prod").expect("written");
        assert!(text.ends_with(&format!(
            r#","image":"registry/agent@sha256:{}"}}"#,
            "0a".repeat(32)
        )));
    }

    #[test]
    fn repeats_and_attempts_are_the_same_bytes() {
        let mut again = launch(1);
        again.attempt += 1;
        let first = user_data(&launch(1), "prod").expect("written");
        assert_eq!(first, user_data(&again, "prod").expect("written"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in ["", "lang graph", "x\"", &"x".repeat(65)] {
            let mut launch = launch(1);
            launch.runtime = bad.to_owned();
            assert!(user_data(&launch, "prod").is_err(), "{bad}");
        }
        for bad in ["agent:latest", "agent@sha256:12", "@sha256:", "a b@sha256:"] {
            let mut launch = launch(1);
            launch.image = Some(bad.to_owned());
            assert!(user_data(&launch, "prod").is_err(), "{bad}");
        }
    }
}
