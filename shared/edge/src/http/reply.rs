//! What a handler answers.

use lambda_http::{
    Body, Response,
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
};
use schemars::JsonSchema;
use serde::Serialize;

/// A status, a body and a few headers.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The answer that says what was done, and no more.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Done {
    /// In one word.
    pub status: &'static str,
}

/// JSON, written. What cannot be is a defect of ours, and `null`.
pub(super) fn encoded<T: Serialize>(body: &T) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        b"null".to_vec()
    })
}

impl Reply {
    /// The most a body may [measure](Self::measure): a synchronous Lambda answer has 6 MB, and
    /// headers have their share of it.
    pub const MAX_BODY: usize = 5_500_000;

    /// What these bytes measure as the body of Lambda's answer, which is JSON itself: a string in
    /// it, or base64 if they are no text.
    pub fn measure(body: &[u8]) -> usize {
        if std::str::from_utf8(body).is_err() {
            return body.len().div_ceil(3) * 4;
        }
        let written = |byte: &u8| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
            0..=0x1f => 6,
            _ => 1,
        };
        body.iter().map(written).sum()
    }

    /// 200 with JSON.
    pub fn ok<T: Serialize>(body: &T) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with JSON.
    pub fn created<T: Serialize>(body: &T) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    /// Any status with JSON.
    pub fn json<T: Serialize>(status: StatusCode, body: &T) -> Self {
        Self::bytes(status, encoded(body))
    }

    /// Any status with bytes that are JSON, or are to be taken for it.
    pub fn bytes(status: StatusCode, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: "application/json",
            body,
            headers: Vec::new(),
        }
    }

    /// Any status with plain text.
    pub fn text(status: StatusCode, text: &str) -> Self {
        Self {
            content_type: "text/plain; charset=utf-8",
            ..Self::bytes(status, text.as_bytes().to_vec())
        }
    }

    /// 200 with server-sent events.
    pub fn event_stream(text: &str) -> Self {
        let reply = Self {
            content_type: "text/event-stream",
            ..Self::bytes(StatusCode::OK, text.as_bytes().to_vec())
        };
        reply
            .header("cache-control", "no-cache")
            .header("x-accel-buffering", "no")
    }

    /// 200 with a text of this type.
    pub fn file(content_type: &'static str, text: &str) -> Self {
        Self {
            content_type,
            ..Self::text(StatusCode::OK, text)
        }
    }

    /// Any status without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self::text(status, "")
    }

    /// The same with another content type.
    #[must_use]
    pub fn of_type(self, content_type: &'static str) -> Self {
        Self {
            content_type,
            ..self
        }
    }

    /// Sets a header, `content-type` too; one that HTTP cannot carry is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let text = String::from_utf8(self.body);
        let is_text = text.is_ok();
        let body = text.map_or_else(|bytes| Body::Binary(bytes.into_bytes()), Body::Text);
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        if !is_text {
            // The adapter decodes JSON types as text unless the body is encoded somehow.
            headers.insert("content-encoding", HeaderValue::from_static("identity"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_measured_as_written() {
        for text in [
            "plain",
            "q\"uo\\te",
            "new\nline\ttab",
            "\u{1}\u{1f}",
            "grüße",
        ] {
            let written = serde_json::to_string(text).expect("JSON");
            assert_eq!(
                Reply::measure(text.as_bytes()),
                written.len() - 2,
                "{text:?}"
            );
        }
        for (bytes, base64) in [(&b"\xff"[..], "/w=="), (b"\xff\xff\xff\xff", "/////w==")] {
            assert_eq!(Reply::measure(bytes), base64.len());
        }
    }
}
