//! What a file is, as a MIME type.

/// The most a type may have that a sender states, in bytes; a longer one counts as none.
const MAX_BYTES: usize = 255;

/// What its sender says, word for word; else what its name says, else its first bytes.
pub(crate) fn of(stated: &str, name: &str, bytes: &[u8]) -> Option<String> {
    if !stated.is_empty() && stated.len() <= MAX_BYTES {
        return Some(stated.to_owned());
    }
    let sniffed = || infer::get(bytes).map(|kind| kind.mime_type());
    by_name(name).or_else(sniffed).map(str::to_owned)
}

/// What its name says.
pub(crate) fn by_name(name: &str) -> Option<&'static str> {
    mime_guess::from_path(name).first_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_is_asked_first_and_the_bytes_last() {
        let png = b"\x89PNG\r\n\x1a\n0000";
        let long = "x".repeat(256);
        for (stated, name, bytes, expected) in [
            (
                "text/x-mine; a=b",
                "a.pdf",
                &png[..],
                Some("text/x-mine; a=b"),
            ),
            ("", "a.pdf", png, Some("application/pdf")),
            ("", "a.TXT", b"", Some("text/plain")),
            ("", "shot", png, Some("image/png")),
            ("", "shot.unheard-of", png, Some("image/png")),
            (&long, "a.pdf", b"", Some("application/pdf")),
            ("", "notes", b"some words", None),
            ("", "empty", b"", None),
        ] {
            assert_eq!(of(stated, name, bytes).as_deref(), expected, "{name}");
        }
    }
}
