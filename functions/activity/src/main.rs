//! The activity functions: one binary, one of its handlers per process.

use activity::{Handler, approvals, downloads, list, notify, report, session_search, uploads};
use edge::Stop;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::Notify => edge::serve(app, notify::handle).await,
        Handler::Report => edge::serve(app, report::handle).await,
        Handler::List => edge::serve(app, list::handle).await,
        Handler::SessionSearch => edge::serve(app, session_search::handle).await,
        Handler::Approvals => edge::serve(app, approvals::handle).await,
        Handler::Uploads => edge::serve(app, uploads::handle).await,
        Handler::Downloads => edge::serve(app, downloads::handle).await,
    }
}
