//! The event functions: one binary, one of its handlers per process.

use edge::Stop;
use events::{
    Handler, connect, connect::Door, disconnect, list, live, relay, relay::Relay, replay,
    replay::Replay, stream,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::List => edge::serve(app, list::handle).await,
        Handler::Stream => edge::serve(app, stream::handle).await,
        Handler::Live => edge::serve_streams(app, live::handle).await,
        Handler::Connect => edge::serve_jobs(Door::start(app)?, connect::handle).await,
        Handler::Disconnect => edge::serve_jobs(app, disconnect::handle).await,
        Handler::Relay => edge::serve_jobs(Relay::start(app)?, relay::handle).await,
        Handler::Replay => edge::serve_jobs(Replay::start(app)?, replay::handle).await,
    }
}
