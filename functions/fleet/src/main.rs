//! The fleet functions: one binary, one of its handlers per process.

use edge::{Stop, serve, serve_jobs};
use fleet::{
    Crew, Handler, console,
    exchange::{self, Exchange},
    images::{self, Refresher, watch},
    instance_events,
    jobs::Queue,
    provision::{self, Provisioner},
    stop::{self, Stopper},
    sweeps::{orphans, overdue, silent},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::Provision => serve_jobs(Provisioner::start(app)?, provision::handle).await,
        Handler::Stop => {
            let (crew, queue) = (Crew::new(app), Queue::stops(app)?);
            let stopper: &Stopper = Box::leak(Box::new(Stopper { crew, queue }));
            serve_jobs(stopper, stop::handle).await
        }
        Handler::Exchange => serve(Exchange::start(app)?, exchange::handle).await,
        Handler::InstanceEvents => serve_jobs(Crew::start(app), instance_events::handle).await,
        Handler::Console => serve(Crew::start(app), console::handle).await,
        Handler::Images => serve(Refresher::start(app)?, images::handle).await,
        Handler::ImageWatch => serve_jobs(watch::Watcher::start(app)?, watch::handle).await,
        Handler::Silent => serve_jobs(silent::Silent::start(app)?, silent::handle).await,
        Handler::Overdue => serve_jobs(overdue::Overdue::start(app)?, overdue::handle).await,
        Handler::Orphans => serve_jobs(orphans::Orphans::start(app)?, orphans::handle).await,
    }
}
