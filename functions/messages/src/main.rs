//! The message functions: one binary, one of its handlers per process.

use edge::{Stop, serve, serve_jobs};
use messages::{
    Handler, Messages, delegate, delegations, deliver, dispatch, kick, queue, request, tick,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::Dispatch => serve(Messages::dispatching(app)?, dispatch::handle).await,
        Handler::Deliver | Handler::DeliverVpc => {
            serve_jobs(Messages::delivering(app)?, deliver::handle).await
        }
        Handler::Kick => serve_jobs(kick::Jobs::start(app)?, kick::handle).await,
        Handler::Tick => serve_jobs(tick::Ticking::start(app)?, tick::handle).await,
        Handler::Delegate => serve(app, delegate::handle).await,
        Handler::Delegations => serve(app, delegations::handle).await,
        Handler::Request => serve(app, request::handle).await,
        Handler::Queue => serve(queue::Queues::start(app)?, queue::handle).await,
    }
}
