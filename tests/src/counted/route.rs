//! The HTTP functions by the names the template gives them.

use std::{pin::Pin, time::Duration};

use edge::{App, http::answer};
use lambda_http::{Body as HttpBody, Request, Response};
use messages::outcome::{Body, Outcome};
use serde_json::json;

use super::{ALWAYS, Fault};

/// An answer under way.
type Answering = Pin<Box<dyn Future<Output = Response<HttpBody>> + Send>>;

/// What a handler gets: the app, or what it is part of.
macro_rules! context {
    ($app:ident) => {
        $app
    };
    ($app:ident, $context:expr) => {
        $context($app)
    };
}

/// Declares the table once, for calling and for listing.
macro_rules! functions {
    ($($name:literal => $handle:path $(, in $context:expr)?;)+) => {
        /// The functions that can be called here. A test holds the list against the template.
        pub const IN_PROCESS: &[&str] = &[$($name,)+];

        /// Calls one.
        ///
        /// # Panics
        /// It is not in the list.
        pub async fn call(app: &'static App, name: &str, request: Request) -> Response<HttpBody> {
            match name {
                // Boxed, and made in a frame of its own each: all arms' futures together would not fit
                // a test's stack.
                $($name => {
                    #[inline(never)]
                    fn made(app: &'static App, request: Request) -> Answering {
                        Box::pin(answer(context!(app $(, $context)?), request, $handle))
                    }
                    made(app, request).await
                })+
                other => panic!("{other} is not callable in process: tests/src/counted/route.rs"),
            }
        }
    };
}

functions! {
    "registry.register" => registry::register::handle;
    "registry.heartbeat" => registry::heartbeat::handle, in nudging;
    "registry.update_card" => registry::update_card::handle;
    "registry.discover" => registry::discover::handle;
    "registry.peers" => registry::peers::handle;
    "registry.check_access" => registry::check_access::handle;
    "activity.notify" => activity::notify::handle;
    "activity.report" => activity::report::handle;
    "activity.list" => activity::list::handle;
    "activity.session_search" => activity::session_search::handle;
    "activity.approvals" => activity::approvals::handle;
    "activity.uploads" => activity::uploads::handle;
    "activity.downloads" => activity::downloads::handle;
    "events.list" => events::list::handle;
    "events.stream" => events::stream::handle;
    "messages.dispatch" => messages::dispatch::handle, in sending;
    "messages.queue" => messages::queue::handle, in queueing;
    "messages.delegate" => messages::delegate::handle;
    "messages.delegations" => messages::delegations::handle;
    "messages.request" => messages::request::handle;
    "workspaces.create" => workspaces::create::handle, in vaulted;
    "workspaces.list" => workspaces::list::handle;
    "workspaces.get" => workspaces::get::handle;
    "workspaces.update" => workspaces::update::handle;
    "workspaces.delete" => workspaces::delete::handle;
    "workspaces.state" => workspaces::state::handle;
    "workspaces.pause" => workspaces::pause::handle;
    "workspaces.resume" => workspaces::resume::handle;
    "workspaces.restart" => workspaces::restart::handle;
    "workspaces.hibernate" => workspaces::hibernate::handle;
    "workspaces.bootstrap_failed" => workspaces::bootstrap_failed::handle, in reporting;
    "workspaces.budget" => workspaces::budget::handle;
    "workspaces.metrics" => workspaces::metrics::handle;
    "workspaces.tokens" => workspaces::tokens::handle;
    "workspaces.secrets" => workspaces::secrets::handle, in vaulted;
    "workspaces.secret_values" => workspaces::secret_values::handle, in vaulted;
    "workspaces.global_secrets" => workspaces::global_secrets::handle, in vaulted;
    "workspaces.test_token" => workspaces::test_token::handle;
    "fleet.exchange" => fleet::exchange::handle, in exchanging;
    "fleet.console" => fleet::console::handle, in machines;
    "fleet.images" => fleet::images::handle, in refreshing;
    "workspaces.viewport" => workspaces::viewport::handle;
    "workspaces.operations" => workspaces::operations::handle;
    "workspaces.openapi" => workspaces::openapi::handle;
    "workspaces.health" => workspaces::health::handle;
    "workspaces.fallback" => workspaces::fallback::handle;
    "schedules.crud" => schedules::crud::handle;
    "schedules.admin_health" => schedules::admin_health::handle;
    "templates.list" => templates::list::handle;
    "templates.import" => templates::import::handle;
    "templates.refresh" => templates::refresh::handle;
    "templates.org_list" => templates::org_list::handle;
    "templates.org_import" => templates::org_import::handle, in importing;
}

/// What `make test` says of the stack; in memory any name does.
fn of_the_stack(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| format!("https://memory.invalid/{name}"))
}

/// Heartbeats nudge the queue of deliveries.
fn nudging(app: &'static App) -> &'static registry::nudge::Registry {
    let queue = of_the_stack("DELIVERIES_QUEUE_URL");
    registry::nudge::Registry::with_queue(app, queue)
}

/// Deliveries are asked for by a name that nothing here has, and nobody waits for one.
fn sending(app: &'static App) -> &'static messages::Messages {
    let reach = domain::address::Reach::from(app.settings.mode);
    Box::leak(Box::new(messages::Messages {
        app,
        vpc: None,
        hold: Duration::from_millis(10),
        idle_timeout: Duration::from_secs(5),
        lambda: aws_sdk_lambda::Client::new(&app.sdk),
        deliver_function: "MessagesDeliver".to_owned(),
        agents: messages::agent::Agents::new(&app.names, reach).expect("a client"),
    }))
}

/// The queue of deliveries, and the one of those that were given up.
fn queueing(app: &'static App) -> &'static messages::queue::Queues {
    let (live, dead) = ("DELIVERIES_QUEUE_URL", "DELIVERIES_DLQ_URL");
    messages::queue::Queues::over(sending(app), of_the_stack(live), of_the_stack(dead))
}

/// Boots that failed are counted.
fn reporting(app: &'static App) -> &'static workspaces::bootstrap_failed::Reporting {
    workspaces::bootstrap_failed::Reporting::over(app, "in-process")
}

/// Secrets need the key that wraps their data keys.
fn vaulted(app: &'static App) -> &'static workspaces::Vaulted {
    let key = of_the_stack("SECRETS_KEY_ARN");
    workspaces::Vaulted::with_key(app, &key)
}

/// Organisations are created with secrets, too.
fn importing(app: &'static App) -> &'static templates::Importer {
    let key = of_the_stack("SECRETS_KEY_ARN");
    templates::Importer::with_key(app, &key)
}

/// There are no machines here: the tests of the fleet bring their own.
fn machines(app: &'static App) -> &'static fleet::Crew {
    fleet::Crew::start(app)
}

/// Images are named by digest or by registries on this machine.
fn refreshing(app: &'static App) -> &'static fleet::images::Refresher {
    fleet::images::Refresher::start(app).expect("a client")
}

/// Without a role of machines nobody can prove to be one.
fn exchanging(app: &'static App) -> &'static fleet::exchange::Exchange {
    let key = of_the_stack("SECRETS_KEY_ARN");
    let sts = fleet::exchange::sts::Sts::start("us-east-1", true).expect("a client");
    Box::leak(Box::new(fleet::exchange::Exchange {
        crew: fleet::Crew::new(app),
        vault: vault(app, &key),
        sts,
        region: "us-east-1".to_owned(),
        stack: "in-process".to_owned(),
        role: None,
    }))
}

/// The secrets, for contexts that a test puts together.
pub fn vault(app: &'static App, key: &str) -> store::secrets::Vault {
    let kms = aws_sdk_kms::Client::new(&app.sdk);
    store::secrets::Vault::new(app.store.clone(), kms, key)
}

impl super::Wire {
    /// Until it is [mended](Self::mend), queues are empty and whoever delivers is answered `{}` by
    /// every agent.
    ///
    /// # Panics
    /// Never: the answers are JSON.
    pub fn stand_in(&self) {
        let answered = Outcome::Answered {
            status: 200,
            body: Body::of(b"{}"),
        };
        let answered = serde_json::to_value(answered).expect("JSON");
        for (operation, answer) in [
            ("GetQueueAttributes", json!({"Attributes": {}})),
            ("ReceiveMessage", json!({})),
            ("InvokeFunction", answered),
        ] {
            self.fail(operation, ALWAYS, Fault::Answer(200, answer));
        }
    }
}
