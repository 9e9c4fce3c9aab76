//! What a machine is told before it has proven who it is: its variables, and the script that boots it.
//!
//! Everybody on the machine, and everybody who may describe it, can read user data. So it holds ids
//! and addresses only; environment and token come from `POST /bootstrap/exchange`.
//!
//! The script is in here, not in the image of the machines: it changes with the platform whose
//! answers it reads, and a stock Amazon Linux will do.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Launch, Trouble};

/// EC2's limit, before base64.
const MAX_BYTES: usize = 16 * 1024;

/// `infra/boot/boot.sh`. Its first line stays the first: cloud-init knows a script by it.
const SCRIPT: &str = include_str!("../../../../infra/boot/boot.sh");

/// The user data of a launch: the script, with stack, workspace, generation, platform URL, runtime and
/// image as variables. A repeat of a launch is the same bytes.
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
    let (shebang, script) = SCRIPT.split_once('\n').unwrap_or_default();
    let mut text = format!("{shebang}\n");
    for (name, value) in [
        ("STACK", stack),
        ("WORKSPACE_ID", &workspace_id.to_string()),
        ("GENERATION", &generation.to_string()),
        ("PLATFORM_URL", &platform_url.to_string()),
        ("RUNTIME", runtime),
        ("IMAGE", image.as_deref().unwrap_or_default()),
    ] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}={}", quoted(value));
    }
    text.push_str(script);
    if text.len() > MAX_BYTES {
        return Err(Trouble::defect("user data is over 16 KiB"));
    }
    Ok(text)
}

/// A word of the shell that stands for this text.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
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
    fn it_is_the_script_with_ids_and_the_platform_s_address_and_nothing_else() {
        let text = user_data(&launch(1), "prod").expect("written");
        let variables = concat!(
            "#!/bin/bash\n",
            "STACK='prod'\n",
            "WORKSPACE_ID='00000000-0000-4000-8000-000000000001'\n",
            "GENERATION='1'\n",
            "PLATFORM_URL='https://api.example.com'\n",
            "RUNTIME='langgraph'\n",
            "IMAGE=''\n",
        );
        let script = text.strip_prefix(variables).expect(&text);
        assert_eq!(format!("#!/bin/bash\n{script}"), SCRIPT);
        let mut other = launch(1);
        other.image = Some(format!("registry/agent@sha256:{}", "0a".repeat(32)));
        let text = user_data(&other, "prod").expect("written");
        let line = format!("\nIMAGE='registry/agent@sha256:{}'\n", "0a".repeat(32));
        assert!(text.contains(&line), "{text}");
    }

    #[test]
    fn with_the_longest_of_everything_it_still_fits() {
        let mut longest = launch(1);
        longest.generation = u32::MAX;
        let path = "x".repeat(200);
        longest.platform_url = format!("https://a/{path}").parse().expect("a URL");
        longest.image = Some(format!("{}@sha256:{}", "x".repeat(255), "0a".repeat(32)));
        longest.runtime = "x".repeat(64);
        let text = user_data(&longest, &"x".repeat(128)).expect("written");
        assert!(text.len() < MAX_BYTES * 3 / 4, "{}", text.len());
    }

    #[test]
    fn a_value_is_one_word_of_the_shell() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("x'; reboot #"), r"'x'\''; reboot #'");
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
