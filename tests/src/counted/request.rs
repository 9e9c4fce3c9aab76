//! One HTTP request to a function in this process, as the gateway hands it over.

use std::time::Duration;

use futures_util::StreamExt as _;
use lambda_http::{Body, Context, RequestExt as _, Response};
use reqwest::Method;
use serde_json::{Value, json};

use super::{AwsCall, InProcess, call_function};
use crate::{Answer, template::Template};

/// A call being put together; awaiting it makes it.
#[derive(Debug, Clone)]
pub struct InCall {
    to: InProcess,
    method: Method,
    path: String,
    query: String,
    params: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    address: String,
    stops_in: Option<Duration>,
}

impl InCall {
    pub(crate) fn new(to: InProcess, method: Method, path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Self {
            to,
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            params: Vec::new(),
            headers: Vec::new(),
            body: None,
            address: "203.0.113.9".to_owned(),
            stops_in: None,
        }
    }

    /// With this method.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// With this bearer, if it is not empty.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        if token.is_empty() {
            return self;
        }
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// To a function that Lambda stops so long after it was called.
    #[must_use]
    pub fn stopping_in(self, time: Duration) -> Self {
        Self {
            stops_in: Some(time),
            ..self
        }
    }

    /// From this address.
    #[must_use]
    pub fn from(self, address: &str) -> Self {
        Self {
            address: address.to_owned(),
            ..self
        }
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Whether it has this header.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// Without this header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// With this JSON.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string());
        self.header("content-type", "application/json")
    }

    /// Its body, if it has one.
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// With another body.
    #[must_use]
    pub fn with_body(mut self, body: String) -> Self {
        self.body = Some(body);
        self
    }

    /// With this after the `?`, as it is.
    #[must_use]
    pub fn with_query(mut self, query: String) -> Self {
        self.query = query;
        self
    }

    /// With another path, which may lead to another route.
    #[must_use]
    pub fn with_path(mut self, path: String) -> Self {
        self.path = path;
        self
    }

    /// With this as a parameter of its path, decoded as the gateway hands it over.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a form that has this text as its one file.
    #[must_use]
    pub fn form(mut self, name: &str, text: &str) -> Self {
        let (content_type, body) = crate::form(&[(name, "", text.as_bytes())]);
        self.body = Some(String::from_utf8(body).expect("text"));
        self.header("content-type", &content_type)
    }

    /// The answer, and the calls to AWS it took.
    pub async fn counted(self) -> (Answer, Vec<AwsCall>) {
        let wire = self.to.wire.clone();
        wire.take();
        let answer = self.await;
        (answer, wire.take())
    }

    /// The answer of this handler, for those that need more than the app.
    pub async fn to<C, F, Fut>(self, context: &'static C, handler: F) -> Answer
    where
        C: AsRef<edge::App> + Sync,
        F: Fn(&'static C, edge::Caller, edge::Input) -> Fut,
        Fut: Future<Output = domain::Result<edge::Reply>> + Send,
    {
        let (_, request) = self.request();
        read(edge::http::answer(context, request, handler).await)
    }

    /// The answer of this handler that goes on, as far as its second part.
    pub async fn streamed<F, Fut>(self, handler: F) -> Answer
    where
        F: Fn(&'static edge::App, edge::Caller, edge::Input) -> Fut,
        Fut: Future<Output = domain::Result<edge::Streamed>> + Send,
    {
        let (_, request) = self.request();
        let app = self.to.app;
        let (response, rest) = edge::http::answer_streamed(app, request, handler).await;
        let mut answer = read(response);
        let more: Vec<Vec<u8>> = rest.take(1).collect().await;
        answer.bytes.extend(more.concat());
        answer
    }

    /// The name of the function that answers it.
    pub fn function(&self) -> String {
        Template::ours().route(self.method.as_str(), &self.path).0
    }

    /// The route that it takes, as the template writes it: `GET /workspaces/{id}`.
    pub fn route(&self) -> String {
        Template::ours().pattern(self.method.as_str(), &self.path)
    }

    /// The function that answers it, and the request as it gets it.
    fn request(&self) -> (String, lambda_http::Request) {
        let (function, mut params) = Template::ours().route(self.method.as_str(), &self.path);
        params.extend(self.params.iter().cloned());
        let event = serde_json::from_value(self.event(&params)).expect("an event");
        let request: lambda_http::Request = edge::http::tidy(event).into();
        let mut context = Context::default();
        if let Some(time) = self.stops_in {
            context.deadline = now_ms() + u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        }
        (function, request.with_lambda_context(context))
    }

    fn event(&self, params: &[(String, String)]) -> Value {
        let pairs = |pairs: &[(String, String)]| -> Value {
            let map = pairs.iter().map(|(k, v)| (k.clone(), v.clone().into()));
            Value::Object(map.collect())
        };
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": pairs(&self.headers),
            "pathParameters": pairs(params),
            "requestContext": {
                "domainName": "api.example",
                "timeEpoch": now_ms(),
                "http": {"method": self.method.as_str(), "path": self.path, "sourceIp": self.address},
            },
            "body": self.body,
            "isBase64Encoded": false,
        })
    }
}

impl std::fmt::Display for InCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.expect("after 1970").as_millis()).unwrap_or_default()
}

impl IntoFuture for InCall {
    type Output = Answer;
    type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (function, request) = self.request();
            read(call_function(self.to.app, &function, request).await)
        })
    }
}

fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = match body {
        Body::Text(text) => text.into_bytes(),
        Body::Binary(bytes) => bytes,
        _ => Vec::new(),
    };
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        json: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        bytes,
    }
}
