//! The activity functions: one binary, one of its handlers per process.

use activity::{Handler, downloads, list, notify, report, uploads};
use edge::Stop;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::Notify => edge::serve(app, notify::handle).await,
        Handler::Report => edge::serve(app, report::handle).await,
        Handler::List => edge::serve(app, list::handle).await,
        Handler::Uploads => edge::serve(app, uploads::handle).await,
        Handler::Downloads => edge::serve(app, downloads::handle).await,
    }
}
