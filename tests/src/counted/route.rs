//! The HTTP functions by the names the template gives them.

use edge::{App, http::answer};
use lambda_http::{Body, Request, Response};

/// Declares the table once, for calling and for listing.
macro_rules! functions {
    ($($name:literal => $handle:path,)+) => {
        /// The functions that can be called here. A test holds the list against the template.
        pub const IN_PROCESS: &[&str] = &[$($name,)+];

        /// Calls one.
        ///
        /// # Panics
        /// It is not in the list.
        pub async fn call(app: &'static App, name: &str, request: Request) -> Response<Body> {
            match name {
                $($name => answer(app, request, $handle).await,)+
                other => panic!("{other} is not callable in process: tests/src/counted/route.rs"),
            }
        }
    };
}

functions! {
    "registry.register" => registry::register::handle,
    "registry.heartbeat" => registry::heartbeat::handle,
    "registry.update_card" => registry::update_card::handle,
    "registry.discover" => registry::discover::handle,
    "registry.peers" => registry::peers::handle,
    "registry.check_access" => registry::check_access::handle,
    "activity.notify" => activity::notify::handle,
    "activity.report" => activity::report::handle,
    "activity.list" => activity::list::handle,
    "events.list" => events::list::handle,
    "messages.request" => messages::request::handle,
    "workspaces.create" => workspaces::create::handle,
    "workspaces.list" => workspaces::list::handle,
    "workspaces.get" => workspaces::get::handle,
    "workspaces.update" => workspaces::update::handle,
    "workspaces.delete" => workspaces::delete::handle,
    "workspaces.tokens" => workspaces::tokens::handle,
    "workspaces.test_token" => workspaces::test_token::handle,
    "workspaces.viewport" => workspaces::viewport::handle,
    "workspaces.health" => workspaces::health::handle,
    "workspaces.fallback" => workspaces::fallback::handle,
}
