//! The template functions: one binary, one of its handlers per process.

use edge::Stop;
use templates::{Handler, Importer, import, list, org_import, org_list, refresh};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::List => edge::serve(app, list::handle).await,
        Handler::Import => edge::serve(app, import::handle).await,
        Handler::Refresh => edge::serve(app, refresh::handle).await,
        Handler::OrgList => edge::serve(app, org_list::handle).await,
        Handler::OrgImport => edge::serve(Importer::start(app)?, org_import::handle).await,
    }
}
