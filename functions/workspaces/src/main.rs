//! The workspace functions: one binary, one of its handlers per process.

use edge::Stop;
use workspaces::{
    Handler, budget, create, delete, fallback, get, health, list, metrics, test_token, tokens,
    update, viewport,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::Create => edge::serve(app, create::handle).await,
        Handler::List => edge::serve(app, list::handle).await,
        Handler::Get => edge::serve(app, get::handle).await,
        Handler::Update => edge::serve(app, update::handle).await,
        Handler::Delete => edge::serve(app, delete::handle).await,
        Handler::Budget => edge::serve(app, budget::handle).await,
        Handler::Metrics => edge::serve(app, metrics::handle).await,
        Handler::Tokens => edge::serve(app, tokens::handle).await,
        Handler::TestToken => edge::serve(app, test_token::handle).await,
        Handler::Viewport => edge::serve(app, viewport::handle).await,
        Handler::Health => edge::serve(app, health::handle).await,
        Handler::Fallback => edge::serve(app, fallback::handle).await,
    }
}
