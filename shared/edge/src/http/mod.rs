//! One HTTP request to one answer: the only place that knows status codes, CORS and headers.

mod cors;
mod failure;
mod guard;
mod input;
mod list;
mod rate;
mod reply;
mod security;

use std::panic::AssertUnwindSafe;

use domain::{Error, Result};
pub use failure::log_failure;
use futures_util::FutureExt as _;
pub use input::{Fields, Input, Number};
use lambda_http::{
    Body, Request, Response,
    http::{Method, StatusCode},
};
pub use reply::Reply;

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

/// One request, answered: by `handler`, unless the browser's origin is not allowed here, its client
/// calls too often, or it is for another organisation. A panic is one failed request, not a dead
/// function.
///
/// These three refusals carry no security headers, as the contract has it (registry-and-auth 3).
pub async fn answer<C, F, Fut>(context: &'static C, request: Request, handler: F) -> Response<Body>
where
    C: AsRef<App> + Sync,
    F: Fn(&'static C, Caller, Input) -> Fut,
    Fut: Future<Output = Result<Reply>> + Send,
{
    let app = context.as_ref();
    let settings = &app.settings;
    let input = Input::from(request);
    let origin = cors::judge(&input, &settings.cors_origins);
    if origin == cors::Origin::Refused {
        return empty(StatusCode::FORBIDDEN);
    }
    let caller = Caller::of(
        input.header("authorization"),
        input.header("x-workspace-id"),
        &settings.admin_token,
    );
    // Browsers ask before they ask, and cannot say for whom.
    let asks_first = input.method == Method::OPTIONS && origin != cors::Origin::None;
    let share = (!asks_first).then(|| rate::take(app, &caller, &input));
    let mut response = match share {
        Some(share) if !share.allowed() => share.refusal().into_response(),
        _ if !asks_first && !guard::lets_in(&input, &settings.org_id) => {
            empty(StatusCode::NOT_FOUND)
        }
        _ => handled(context, caller, input, handler).await,
    };
    if let Some(share) = share {
        share.decorate(response.headers_mut());
    }
    cors::decorate(response.headers_mut(), &origin);
    response
}

async fn handled<C, F, Fut>(
    context: &'static C,
    caller: Caller,
    input: Input,
    handler: F,
) -> Response<Body>
where
    C: AsRef<App> + Sync,
    F: Fn(&'static C, Caller, Input) -> Fut,
    Fut: Future<Output = Result<Reply>> + Send,
{
    let (path, now, who) = (input.path.clone(), input.now, caller.clone());
    let outcome = AssertUnwindSafe(async { handler(context, caller, input).await })
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(Error::internal(panic_text(panic.as_ref()))));
    let mut response = match outcome {
        Ok(reply) => {
            rate::note(context.as_ref(), &who, now).await;
            reply.into_response()
        }
        Err(error) => {
            log_failure(&error, &path);
            failure::reply(&error).into_response()
        }
    };
    security::decorate(response.headers_mut(), &path);
    response
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
