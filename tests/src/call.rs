//! A call from outside, put together step by step.

use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{Answer, Workspace, form, notes};

/// A call being put together; awaiting it sends it.
#[derive(Debug)]
pub struct Call {
    pub(crate) request: RequestBuilder,
}

impl Call {
    /// With this bearer; an empty one is none at all.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        if token.is_empty() {
            return self;
        }
        notes::token(token);
        Self {
            request: self.request.bearer_auth(token),
        }
    }

    /// As this workspace: with its token and its name.
    #[must_use]
    pub fn by(self, workspace: &Workspace) -> Self {
        self.bearer(&workspace.token)
            .header("X-Workspace-ID", &workspace.id)
    }

    /// With this header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        Self {
            request: self.request.header(name, value),
        }
    }

    /// With this JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        notes::body(body);
        Self {
            request: self.request.json(body),
        }
    }

    /// With these bytes, as what they are.
    #[must_use]
    pub fn bytes(self, content_type: &str, bytes: Vec<u8>) -> Self {
        let request = self.request.header("content-type", content_type);
        Self {
            request: request.body(bytes),
        }
    }

    /// With a form of these files: name, content type (empty: none stated), content.
    #[must_use]
    pub fn form(self, files: &[(&str, &str, &[u8])]) -> Self {
        let (content_type, body) = form(files);
        self.bytes(&content_type, body)
    }

    /// With these bytes, as JSON.
    #[must_use]
    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self {
            request: self
                .request
                .header("content-type", "application/json")
                .body(body),
        }
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let response = self.request.send().await.expect("the stack answers");
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let bytes = response.bytes().await.expect("a whole body").to_vec();
            Answer {
                status,
                headers,
                json: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
                bytes,
            }
        })
    }
}

/// Sends these calls all at once; the answers come in any order.
pub async fn at_once(calls: impl IntoIterator<Item = Call>) -> Vec<Answer> {
    let sent: JoinSet<Answer> = calls.into_iter().map(IntoFuture::into_future).collect();
    sent.join_all().await
}
