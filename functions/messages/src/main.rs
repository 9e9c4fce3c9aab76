//! The message functions: one binary, one of its handlers per process.

use edge::Stop;
use messages::{Handler, Messages, deliver, dispatch, request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::Dispatch => edge::serve(Messages::dispatching(app)?, dispatch::handle).await,
        Handler::Deliver | Handler::DeliverVpc => {
            edge::serve_jobs(Messages::delivering(app)?, deliver::handle).await
        }
        Handler::Request => edge::serve(app, request::handle).await,
    }
}
