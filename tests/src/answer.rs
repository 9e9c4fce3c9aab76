//! An answer of the API.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// A status, headers, and a body as JSON and as bytes.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; JSON null when it is none.
    pub json: Value,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A header, empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The status and the sentence of an error.
    pub fn error(&self) -> (u16, &str) {
        (self.status, self.json["error"].as_str().unwrap_or_default())
    }

    /// The answer, if its status is `status`.
    ///
    /// # Panics
    /// It is not.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        self
    }

    /// A string of the body.
    ///
    /// # Panics
    /// It is not there.
    #[track_caller]
    pub fn text(&self, key: &str) -> String {
        self.json[key]
            .as_str()
            .unwrap_or_else(|| panic!("no {key} in {}", self.json))
            .to_owned()
    }
}

/// A JSON object without these keys: those that no test can foresee.
///
/// # Panics
/// It is no object, or one of the keys is not there.
#[track_caller]
pub fn without(json: &Value, keys: &[&str]) -> Value {
    let mut rest = json.clone();
    for key in keys {
        let gone = rest.as_object_mut().and_then(|rest| rest.remove(*key));
        assert!(gone.is_some(), "no {key} in {json}");
    }
    rest
}
