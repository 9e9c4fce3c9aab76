//! The multipart form of an upload.

use std::{convert::Infallible, future::ready};

use domain::{Error, Result};
use futures_util::stream;
use multer::{Multipart, bytes::Bytes};

/// The most files one form may have: as many as a message may show.
const MAX_FILES: usize = 20;
/// The field that files are in. All others are passed over.
const FIELD: &str = "files";

/// A file as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// The name its sender gave it.
    pub(super) name: String,
    /// The `Content-Type` of its part, as written; empty if there was none.
    pub(super) content_type: String,
    /// What is in it.
    pub(super) bytes: Bytes,
}

/// The files of a form, in its order.
///
/// # Errors
/// 400 when it is no whole form, or has no file or too many.
pub(super) async fn files(content_type: &str, body: Vec<u8>) -> Result<Vec<Sent>> {
    let malformed = |error| Error::invalid("failed to parse multipart form").caused_by(error);
    let boundary = multer::parse_boundary(content_type).map_err(malformed)?;
    let whole = stream::once(ready(Ok::<_, Infallible>(Bytes::from(body))));
    let mut form = Multipart::new(whole, boundary);
    let mut files = Vec::new();
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        let name = field.file_name().unwrap_or_default().to_owned();
        // A part without a file's name is a value, whatever it is called.
        let is_file = field.name() == Some(FIELD) && !name.is_empty();
        let content_type = field.headers().get("content-type");
        let content_type = content_type.and_then(|text| text.to_str().ok());
        let content_type = content_type.unwrap_or_default().trim().to_owned();
        let bytes = field.bytes().await.map_err(malformed)?;
        if !is_file {
            continue;
        }
        if files.len() == MAX_FILES {
            let most = format!("at most {MAX_FILES} files are allowed in one request");
            return Err(Error::invalid(most));
        }
        files.push(Sent {
            name,
            content_type,
            bytes,
        });
    }
    if files.is_empty() {
        return Err(Error::invalid("expected at least one 'files' field"));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    const KIND: &str = "multipart/form-data; boundary=XX";

    fn part(head: &str, body: &str) -> String {
        format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    }

    async fn said(content_type: &str, body: &str) -> String {
        let outcome = files(content_type, body.as_bytes().to_vec()).await;
        let shown = |sent: Vec<Sent>| {
            let one = |it: &Sent| format!("{}|{}|{}", it.name, it.content_type, it.bytes.len());
            sent.iter().map(one).collect::<Vec<_>>().join(" ")
        };
        outcome.map_or_else(|error| error.message().to_owned(), shown)
    }

    #[tokio::test]
    async fn forms_are_read_or_refused() {
        let end = "--XX--\r\n";
        let one = part("name=\"files\"; filename=\"a b.txt\"", "hi\r\n--X");
        let typed = part(
            "name=\"files\"; filename=\"b\"\r\nContent-Type: text/x-odd; a=b",
            "",
        );
        let value = part("name=\"files\"", "no file");
        let other = part("name=\"note\"; filename=\"c\"", "no file");
        let many = part("name=\"files\"; filename=\"f\"", "");
        let malformed = "failed to parse multipart form";
        let none = "expected at least one 'files' field";
        let too_many = "at most 20 files are allowed in one request";
        for (content_type, body, expected) in [
            (KIND, format!("{one}{end}"), "a b.txt||7"),
            (
                KIND,
                format!("{typed}{one}{end}"),
                "b|text/x-odd; a=b|0 a b.txt||7",
            ),
            (KIND, format!("{value}{other}{one}{end}"), "a b.txt||7"),
            (KIND, format!("{value}{other}{end}"), none),
            (KIND, end.to_owned(), none),
            (KIND, format!("{}{end}", many.repeat(21)), too_many),
            // Cut off, of another boundary, or no form at all.
            (KIND, one.clone(), malformed),
            (KIND, one[..one.len() - 4].to_owned(), malformed),
            (KIND, String::new(), malformed),
            (
                "multipart/form-data; boundary=YY",
                format!("{one}{end}"),
                malformed,
            ),
            ("multipart/form-data", format!("{one}{end}"), malformed),
            ("application/json", "{}".to_owned(), malformed),
            ("", format!("{one}{end}"), malformed),
        ] {
            assert_eq!(said(content_type, &body).await, expected, "{body:?}");
        }
    }

    /// The body is there, so nothing waits.
    fn at_once(content_type: &str, body: Vec<u8>) -> Result<Vec<Sent>> {
        let outcome = files(content_type, body).now_or_never();
        outcome.expect("it does not wait")
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_form_or_refused(content_type in ".{0,60}", noise in any::<Vec<u8>>(), at in 0_usize..120) {
            let _ = at_once(&content_type, noise.clone());
            let whole = part("name=\"files\"; filename=\"a\"", "text") + "--XX--\r\n";
            let mut whole = whole.into_bytes();
            let at = at.min(whole.len());
            whole.splice(at..at, noise);
            let _ = at_once(KIND, whole);
        }

        #[test]
        fn what_is_sent_is_what_comes(name in "[ -!#-\\[\\]-~]{1,40}", body in any::<Vec<u8>>()) {
            prop_assume!(!body.windows(4).any(|it| it == b"--XX"));
            let head = format!("--XX\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n");
            let whole = [head.as_bytes(), &body, b"\r\n--XX--\r\n"].concat();
            let sent = at_once(KIND, whole).expect("a form");
            prop_assert_eq!((&sent[0].name, &sent[0].bytes[..]), (&name, &body[..]));
        }
    }
}
