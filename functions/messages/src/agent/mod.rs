//! Calling an agent: one POST to the address its workspace has, guarded, bounded in size and time.

use std::{
    error::Error as _,
    net::IpAddr,
    time::{Duration, Instant},
};

use domain::{
    address::{AgentUrl, Reach, Refused},
    trace::Trace,
};
use edge::addresses::Names;
use futures_util::StreamExt as _;
use reqwest::{
    Client, Response,
    header::{CONTENT_TYPE, RETRY_AFTER},
};

use crate::flow::{Exchange, Talks};

/// The most an agent may answer, in bytes.
pub const MAX_REPLY: usize = 10 * 1024 * 1024;
/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);
/// Load balancers and NAT gateways forget a flow after 350 s of silence.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A connection that closes without a byte this soon was closed by an agent that did not look.
const AT_ONCE: Duration = Duration::from_secs(5);

/// The client for agents, and whom it may call.
#[derive(Debug, Clone)]
pub struct Agents {
    client: Client,
    reach: Reach,
}

/// An agent's answer as far as its headers.
#[derive(Debug)]
pub struct Headers {
    /// Its status.
    pub status: u16,
    /// When it wants to be asked again, in seconds, if it said so in seconds.
    pub retry_after: Option<u32>,
    response: Response,
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The address may not be called: nothing was sent.
    Unroutable(String),
    /// No connection: nothing was sent.
    Unreachable(String),
    /// The connection stood and broke before an answer: the agent may have the message.
    Broken(String),
    /// The answer is no HTTP.
    Nonsense(String),
}

/// Why an answer's body did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyFailure {
    /// It is over [`MAX_REPLY`].
    TooLong,
    /// The connection broke.
    Broken(String),
}

impl Agents {
    /// A client that connects only to addresses within `reach`, follows no redirect, uses no
    /// proxy, and keeps no connection: a message sent into one that the agent is just closing
    /// would have an unknown outcome.
    ///
    /// # Errors
    /// The client cannot be built: TLS has no roots.
    pub fn new(names: &Names, reach: Reach) -> reqwest::Result<Self> {
        let client = names
            .client(&reach)
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .tcp_keepalive(KEEP_ALIVE)
            .build()?;
        Ok(Self { client, reach })
    }

    /// The address of an agent, if it may be called as far as its text tells. `recorded` is where the
    /// machine of ours that it runs on is, inside the VPC.
    ///
    /// # Errors
    /// Why not.
    pub fn address(&self, url: &str, recorded: Option<IpAddr>) -> Result<AgentUrl, Refused> {
        AgentUrl::parse(url, &self.reach.clone().with_recorded(recorded))
    }

    /// Posts a message and waits for the headers of the answer, for as long as the caller lets it.
    ///
    /// # Errors
    /// Why there was none.
    pub async fn send(
        &self,
        url: &str,
        recorded: Option<IpAddr>,
        body: Vec<u8>,
        trace: Option<Trace>,
    ) -> Result<Headers, Failure> {
        // The client skips its resolver for a literal address: this is the check of those.
        let url = self
            .address(url, recorded)
            .map_err(|refused| Failure::Unroutable(refused.to_string()))?;
        let post = self
            .client
            .post(url.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let post = match trace {
            Some(trace) => post.header("traceparent", trace.to_string()),
            None => post,
        };
        let response = post.send().await.map_err(|error| classify(&error))?;
        let retry_after = response.headers().get(RETRY_AFTER);
        Ok(Headers {
            status: response.status().as_u16(),
            retry_after: retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok()),
            response,
        })
    }
}

impl Talks for Agents {
    async fn talk(
        &self,
        url: &str,
        recorded: Option<IpAddr>,
        body: Vec<u8>,
        trace: Option<Trace>,
    ) -> (Exchange, i64) {
        let started = Instant::now();
        let sent = self.send(url, recorded, body, trace).await;
        let took = started.elapsed();
        let exchange = match sent {
            Err(Failure::Broken(why)) => Exchange::Broken {
                why,
                at_once: took < AT_ONCE,
            },
            Err(Failure::Unreachable(why)) => Exchange::Unreachable { why },
            Err(Failure::Unroutable(why)) => Exchange::Unroutable { why },
            Err(Failure::Nonsense(why)) => Exchange::Nonsense { why },
            Ok(headers) if headers.is_busy() => Exchange::Busy {
                why: format!("the agent said {}", headers.status),
                retry_after: headers.retry_after,
            },
            Ok(headers) => {
                let status = headers.status;
                match headers.body().await {
                    Ok(body) => Exchange::Reply { status, body },
                    Err(BodyFailure::TooLong) => Exchange::Lost {
                        status,
                        why: "the reply is over 10 MiB".to_owned(),
                    },
                    Err(BodyFailure::Broken(why)) => Exchange::Lost { status, why },
                }
            }
        };
        (
            exchange,
            i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
        )
    }
}

impl Headers {
    /// Whether the agent says that it cannot take the message now, and when it can.
    pub fn is_busy(&self) -> bool {
        matches!(self.status, 429 | 503) && self.retry_after.is_some()
    }

    /// The body.
    ///
    /// # Errors
    /// It is too long, or the connection broke.
    pub async fn body(self) -> Result<Vec<u8>, BodyFailure> {
        let mut body = Vec::new();
        let mut stream = self.response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| BodyFailure::Broken(words(&error)))?;
            if body.len() + chunk.len() > MAX_REPLY {
                return Err(BodyFailure::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn classify(error: &reqwest::Error) -> Failure {
    let mut cause = error.source();
    while let Some(next) = cause {
        if let Some(refused) = next.downcast_ref::<Refused>() {
            return match refused {
                Refused::Unresolved => Failure::Unreachable("no such host".to_owned()),
                _ => Failure::Unroutable(refused.to_string()),
            };
        }
        // Silence, a reset and an early end may be an agent under load; this is none, now or later
        // (contract: a2a-notify-events 2.7).
        if next.downcast_ref().is_some_and(hyper::Error::is_parse) {
            return Failure::Nonsense(words(error));
        }
        cause = next.source();
    }
    if error.is_connect() {
        Failure::Unreachable(words(error))
    } else {
        Failure::Broken(words(error))
    }
}

/// The innermost cause: it says what happened, without the address.
fn words(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
