//! One HTTP request to one answer: the only place that knows status codes, CORS and headers.

mod cors;
mod failure;
mod input;
mod list;
mod reply;
mod security;
mod streamed;

use std::panic::AssertUnwindSafe;

use domain::{Error, Result};
pub use failure::log_failure;
pub(crate) use failure::status;
use futures_util::FutureExt as _;
pub use input::{Fields, Input, Number};
use lambda_http::{Body, Request, Response, http::StatusCode};
pub use reply::{Done, Reply};
pub use streamed::{Streamed, answer_streamed, serve_streams};

use crate::{App, Caller, Stop};

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
    Ok(lambda_http::run(service).await?)
}

/// One request, answered: by `handler`, unless the browser's origin is not allowed here. A panic
/// is one failed request, not a dead function.
pub async fn answer<C, F, Fut>(context: &'static C, request: Request, handler: F) -> Response<Body>
where
    C: AsRef<App> + Sync,
    F: Fn(&'static C, Caller, Input) -> Fut,
    Fut: Future<Output = Result<Reply>> + Send,
{
    let Some((asked, caller, input)) = Asked::of(context.as_ref(), request) else {
        return empty(StatusCode::FORBIDDEN);
    };
    let outcome = caught(async { handler(context, caller, input).await }).await;
    asked.finish(outcome)
}

/// What of a request its answer depends on.
struct Asked {
    path: String,
    origin: cors::Origin,
}

impl Asked {
    /// The request, who sent it, and what they ask; none when a foreign page's browser sent it.
    fn of(app: &App, request: Request) -> Option<(Self, Caller, Input)> {
        let settings = &app.settings;
        let input = Input::from(request);
        let origin = cors::judge(&input, &settings.cors_origins, &settings.public_url);
        if origin == cors::Origin::Refused {
            return None;
        }
        let caller = Caller::of(
            input.header("authorization"),
            input.header("x-workspace-id"),
            &settings.admin_token,
        );
        let path = input.path.clone();
        Some((Self { path, origin }, caller, input))
    }

    /// The answer, with the headers that every one has.
    fn finish(&self, outcome: Result<Reply>) -> Response<Body> {
        let mut response = match outcome {
            Ok(reply) => reply.into_response(),
            Err(error) => {
                log_failure(&error, &self.path);
                failure::reply(&error).into_response()
            }
        };
        security::decorate(response.headers_mut(), &self.path);
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
