//! The registry's functions: one binary, one of its handlers per process.

use edge::Stop;
use registry::{
    Handler, check_access, discover, heartbeat, nudge::Registry, peers, register, update_card,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::Register => edge::serve(app, register::handle).await,
        Handler::Heartbeat => edge::serve(Registry::start(app)?, heartbeat::handle).await,
        Handler::UpdateCard => edge::serve(app, update_card::handle).await,
        Handler::Discover => edge::serve(app, discover::handle).await,
        Handler::Peers => edge::serve(app, peers::handle).await,
        Handler::CheckAccess => edge::serve(app, check_access::handle).await,
    }
}
