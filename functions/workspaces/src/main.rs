//! The workspace functions: one binary, one of its handlers per process.

use edge::Stop;
use workspaces::{
    Handler, Vaulted, bootstrap_failed, budget, create, delete, fallback, get, global_secrets,
    health, hibernate, list, metrics, openapi, operations, pause, restart, restarts, resume,
    secret_values, secrets, state, test_token, tokens, update, viewport,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::Create => edge::serve(Vaulted::start(app)?, create::handle).await,
        Handler::List => edge::serve(app, list::handle).await,
        Handler::Get => edge::serve(app, get::handle).await,
        Handler::Update => edge::serve(app, update::handle).await,
        Handler::Delete => edge::serve(app, delete::handle).await,
        Handler::State => edge::serve(app, state::handle).await,
        Handler::Pause => edge::serve(app, pause::handle).await,
        Handler::Resume => edge::serve(app, resume::handle).await,
        Handler::Restart => edge::serve(app, restart::handle).await,
        Handler::Hibernate => edge::serve(app, hibernate::handle).await,
        Handler::BootstrapFailed => {
            let reporting = bootstrap_failed::Reporting::start(app)?;
            edge::serve(reporting, bootstrap_failed::handle).await
        }
        Handler::Restarts => edge::serve_jobs(app, restarts::handle).await,
        Handler::Budget => edge::serve(app, budget::handle).await,
        Handler::Metrics => edge::serve(app, metrics::handle).await,
        Handler::Tokens => edge::serve(app, tokens::handle).await,
        Handler::Secrets => edge::serve(Vaulted::start(app)?, secrets::handle).await,
        Handler::SecretValues => edge::serve(Vaulted::start(app)?, secret_values::handle).await,
        Handler::GlobalSecrets => edge::serve(Vaulted::start(app)?, global_secrets::handle).await,
        Handler::TestToken => edge::serve(app, test_token::handle).await,
        Handler::Viewport => edge::serve(app, viewport::handle).await,
        Handler::Operations => edge::serve(app, operations::handle).await,
        Handler::Health => edge::serve(app, health::handle).await,
        Handler::Openapi => edge::serve(app, openapi::handle).await,
        Handler::Fallback => edge::serve(app, fallback::handle).await,
    }
}
