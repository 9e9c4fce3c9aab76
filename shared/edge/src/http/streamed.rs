//! Answers that are sent while they are made: for functions behind a URL of their own.
//!
//! The API needs an answer as a whole. A function URL whose mode is `RESPONSE_STREAM` passes on what a
//! function says as it says it: a prelude with status and headers, then bytes.

use std::{convert::Infallible, fmt, pin::Pin};

use domain::Result;
use futures_util::{Stream, StreamExt as _, stream};
use jiff::Timestamp;
use lambda_http::{Body, Request, RequestExt as _, Response, request::LambdaRequest};
use lambda_runtime::{LambdaEvent, MetadataPrelude, StreamResponse};

use super::{Asked, Input, Reply, caught, in_time::in_time, rate, tidy};
use crate::{App, Caller, Stop};

type Bytes = Pin<Box<dyn Stream<Item = Vec<u8>> + Send>>;
/// The rest of an answer, as the runtime takes it. It never fails: what goes wrong midway ends it.
type Rest = Pin<Box<dyn Stream<Item = Result<Vec<u8>, Infallible>> + Send>>;

/// An answer whose beginning is there, and whose rest comes as it is made.
pub struct Streamed {
    head: Reply,
    rest: Bytes,
}

impl Streamed {
    /// `head` with its status, its headers and the first bytes; `rest` is asked for more only when
    /// there is room for it, so a client that does not read costs no memory.
    pub fn new(head: Reply, rest: impl Stream<Item = Vec<u8>> + Send + 'static) -> Self {
        Self {
            head,
            rest: Box::pin(rest),
        }
    }
}

impl From<Reply> for Streamed {
    fn from(whole: Reply) -> Self {
        Self::new(whole, stream::empty())
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

/// Serves one URL until the process ends.
///
/// # Errors
/// The runtime ended.
pub async fn serve_streams<C, F, Fut>(context: &'static C, handler: F) -> Result<(), Stop>
where
    C: AsRef<App> + Sync,
    F: Fn(&'static C, Caller, Input) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Streamed>> + Send + 'static,
{
    let service = lambda_runtime::service_fn(move |event: LambdaEvent<LambdaRequest>| async move {
        let request = Request::from(tidy(event.payload)).with_lambda_context(event.context);
        let (response, rest) = answer_streamed(context, request, handler).await;
        Ok::<_, lambda_runtime::Error>(whole(response, rest))
    });
    Ok(lambda_runtime::run(service).await?)
}

/// As [`answer`](super::answer), for a handler whose answer may go on: what is there at once, and the
/// rest. A refusal has no rest.
pub async fn answer_streamed<C, F, Fut>(
    context: &'static C,
    request: Request,
    handler: F,
) -> (Response<Body>, Bytes)
where
    C: AsRef<App> + Sync,
    F: Fn(&'static C, Caller, Input) -> Fut,
    Fut: Future<Output = Result<Streamed>> + Send,
{
    let nothing = || -> Bytes { Box::pin(stream::empty()) };
    let (asked, caller, input) = match Asked::of(context.as_ref(), request) {
        Ok(asked) => asked,
        Err(refusal) => return (*refusal, nothing()),
    };
    let (who, now, stops_at) = (caller.clone(), input.now, input.stops_at);
    let handling = caught(async { handler(context, caller, input).await });
    let outcome = in_time(stops_at, now, handling).await;
    rate::note(context.as_ref(), &who, &outcome, now).await;
    match outcome {
        Ok(Streamed { head, rest }) => (asked.finish(Ok(head), Timestamp::now()), rest),
        Err(error) => (asked.finish(Err(error), Timestamp::now()), nothing()),
    }
}

/// The answer as the runtime sends it.
fn whole(response: Response<Body>, rest: Bytes) -> StreamResponse<Rest> {
    let (parts, body) = response.into_parts();
    let first = body.as_ref().to_vec();
    let first = stream::iter((!first.is_empty()).then_some(first));
    StreamResponse {
        metadata_prelude: MetadataPrelude {
            status_code: parts.status,
            headers: parts.headers,
            cookies: Vec::new(),
        },
        stream: Box::pin(first.chain(rest).map(Ok)),
    }
}
