//! One HTTP request to one answer: the only place that knows status codes, CORS and headers.

mod cors;
mod failure;
mod guard;
mod in_time;
mod input;
mod list;
mod rate;
mod reply;
mod security;
mod streamed;
mod tidy;

use std::panic::AssertUnwindSafe;

use domain::{Error, Result};
pub use failure::log_failure;
pub(crate) use failure::status;
use futures_util::FutureExt as _;
pub use guard::is_for;
use in_time::in_time;
pub use input::{Fields, Input, Number};
use jiff::Timestamp;
use lambda_http::{
    Adapter, Body, Request, Response, Service as _,
    http::{Method, StatusCode},
    request::LambdaRequest,
};
use lambda_runtime::LambdaEvent;
pub use rate::{note, take_share};
pub use reply::{Done, Reply};
pub use streamed::{Streamed, answer_streamed, serve_streams};
pub use tidy::tidy;

use crate::{
    App, Caller, Stop,
    metrics::{Metric, Metrics},
};

/// Serves one route until the process ends.
///
/// # Errors
/// The runtime ended.
pub async fn serve<C, F, Fut>(context: &'static C, handler: F) -> Result<(), Stop>
where
    C: AsRef<App> + Sync,
    F: Fn(&'static C, Caller, Input) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply>> + Send + 'static,
{
    let service = lambda_http::service_fn(move |request: Request| async move {
        Ok::<_, lambda_http::Error>(answer(context, request, handler).await)
    });
    // As `lambda_http::run`, with the event looked at first.
    let adapter = Adapter::from(service);
    let service = lambda_runtime::service_fn(move |event: LambdaEvent<LambdaRequest>| {
        let LambdaEvent { payload, context } = event;
        let event = LambdaEvent::new(tidy(payload), context);
        adapter.clone().call(event)
    });
    Ok(lambda_runtime::run(service).await?)
}

/// One request, answered, before Lambda stops the function. A panic is one failed request, not a dead function.
///
/// By `handler`, unless the browser's origin is not allowed here, its client calls too often, or it is
/// for another organisation. These three refusals carry no security headers, as the contract has it (registry-and-auth 3).
pub async fn answer<C, F, Fut>(context: &'static C, request: Request, handler: F) -> Response<Body>
where
    C: AsRef<App> + Sync,
    F: Fn(&'static C, Caller, Input) -> Fut,
    Fut: Future<Output = Result<Reply>> + Send,
{
    let app = context.as_ref();
    let (asked, caller, input) = match Asked::of(app, request) {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    let (who, now, stops_at) = (caller.clone(), input.now, input.stops_at);
    let handling = caught(async { handler(context, caller, input).await });
    let outcome = in_time(stops_at, now, handling).await;
    note(app, &who, &outcome, now).await;
    asked.finish(outcome, Timestamp::now())
}

/// What of a request its answer depends on.
struct Asked {
    path: String,
    metrics: Metrics,
    origin: cors::Origin,
    /// None for a browser that asks whether it may ask: it cannot say for whom.
    share: Option<rate::Share>,
}

impl Asked {
    /// The request, who sent it, and what they ask; else what is answered: to a foreign page's browser,
    /// to who asks too often, to what is for another organisation.
    fn of(app: &App, request: Request) -> Result<(Self, Caller, Input), Box<Response<Body>>> {
        let settings = &app.settings;
        let input = Input::from(request);
        let origin = cors::judge(&input, &settings.cors_origins, &settings.public_url);
        if origin == cors::Origin::Refused {
            return Err(Box::new(empty(StatusCode::FORBIDDEN)));
        }
        let caller = Caller::of(
            input.header("authorization"),
            input.header("x-workspace-id"),
            &settings.admin_token,
        );
        let asks_first = input.method == Method::OPTIONS && origin != cors::Origin::None;
        let asked = Self {
            path: input.path.clone(),
            metrics: Metrics::of(&settings.stack),
            origin,
            share: (!asks_first).then(|| rate::take(app, &caller, &input)),
        };
        if let Some(share) = asked.share.filter(|share| !share.allowed()) {
            return Err(Box::new(asked.counted(share.refusal().into_response())));
        }
        if !asks_first && !guard::lets_in(&input, &settings.org_id) {
            return Err(Box::new(asked.counted(empty(StatusCode::NOT_FOUND))));
        }
        Ok((asked, caller, input))
    }

    /// What a handler had said by `now`, with the headers that every answer of one has.
    fn finish(&self, outcome: Result<Reply>, now: Timestamp) -> Response<Body> {
        let of_agent = failure::is_of_agent(&outcome);
        let mut response = match outcome {
            Ok(reply) => reply.into_response(),
            Err(error) => {
                log_failure(&error, &self.path);
                failure::reply(&error).into_response()
            }
        };
        if of_agent && response.status().is_server_error() {
            // The gateway counts its 5xx as it answers, up to 30 s after the request came: an alarm
            // takes one from the other, period by period.
            self.metrics.write(&[(Metric::AgentsFailed, 1)], now);
        }
        security::decorate(response.headers_mut(), &self.path);
        self.counted(response)
    }

    fn counted(&self, mut response: Response<Body>) -> Response<Body> {
        if let Some(share) = self.share {
            share.decorate(response.headers_mut());
        }
        cors::decorate(response.headers_mut(), &self.origin);
        response
    }
}

/// What a handler says; a panic is an error of ours. No `async fn`: that would hold the handler's
/// future twice, and a test that has all of them in one frame no stack for it.
fn caught<T>(handling: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
    AssertUnwindSafe(handling).catch_unwind().map(|outcome| {
        outcome.unwrap_or_else(|panic| Err(Error::internal(panic_text(panic.as_ref()))))
    })
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without words"))
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}
