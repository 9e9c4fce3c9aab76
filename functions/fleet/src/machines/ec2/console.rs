//! GetConsoleOutput.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Ec2, failure::trouble};
use crate::machines::{Class, MachineId, Trouble, trouble::NO_MACHINE};

/// The most that is shown: the end of it.
const MOST_BYTES: usize = 64 * 1024;

impl Ec2 {
    /// The end of what a machine printed.
    pub(super) async fn console_output(&self, id: &MachineId) -> Result<String, Trouble> {
        let answer = match self.output(id, true).await {
            // Types before Nitro have only the output of the last boot.
            Err(trouble) if trouble.code() == "UnsupportedOperation" => {
                self.output(id, false).await
            }
            answer => answer,
        };
        match answer {
            Ok(output) => decoded(&output),
            Err(trouble) if trouble.code() == NO_MACHINE => Ok(String::new()),
            Err(trouble) => Err(trouble),
        }
    }

    async fn output(&self, id: &MachineId, latest: bool) -> Result<String, Trouble> {
        let request = self
            .client
            .get_console_output()
            .instance_id(id.as_str())
            .set_latest(latest.then_some(true));
        let answer = request.send().await.map_err(trouble)?;
        Ok(answer.output.unwrap_or_default())
    }
}

/// The text, its end if it is long. Machines print what they like, so bad bytes become `�`.
fn decoded(output: &str) -> Result<String, Trouble> {
    let packed: String = output.split_ascii_whitespace().collect();
    let unreadable = |error| Trouble::new(Class::Unknown, "unreadable console").caused_by(error);
    let bytes = STANDARD
        .decode(packed)
        .map_err(|error: base64::DecodeError| unreadable(error))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut from = text.len().saturating_sub(MOST_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    Ok(text[from..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_output_is_cut_at_its_beginning_and_at_a_character() {
        let long = format!("{}end", "é".repeat(MOST_BYTES));
        let text = decoded(&STANDARD.encode(&long)).expect("text");
        assert!(text.len() == MOST_BYTES - 1 && text.ends_with("éend"));
        assert_eq!(decoded("").expect("text"), "");
        assert_eq!(decoded("aGVs\nbG8=\n").expect("text"), "hello");
        assert_eq!(
            decoded(&STANDARD.encode(b"\xff!")).expect("text"),
            "\u{fffd}!"
        );
        assert!(decoded("***").is_err());
    }
}
