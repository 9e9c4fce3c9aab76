//! The schedule functions: one binary, one of its handlers per process.

use edge::Stop;
use schedules::{Handler, admin_health, crud, tick};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::Crud => edge::serve(app, crud::handle).await,
        Handler::AdminHealth => edge::serve(app, admin_health::handle).await,
        Handler::Tick => edge::serve_jobs(tick::Ticking::start(app)?, tick::handle).await,
    }
}
