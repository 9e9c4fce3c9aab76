//! The event functions: one binary, one of its handlers per process.

use edge::Stop;
use events::{Handler, list};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::List => edge::serve(app, list::handle).await,
    }
}
