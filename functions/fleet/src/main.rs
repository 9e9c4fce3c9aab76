//! The fleet functions: one binary, one of its handlers per process.

use edge::{Stop, serve_jobs};
use fleet::{
    Handler,
    sweeps::{orphans, overdue, silent},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stop> {
    let handler: Handler = edge::handler_name()?.parse()?;
    let app = edge::start().await?;
    match handler {
        Handler::Silent => serve_jobs(silent::Silent::start(app)?, silent::handle).await,
        Handler::Overdue => serve_jobs(overdue::Overdue::start(app)?, overdue::handle).await,
        Handler::Orphans => serve_jobs(orphans::Orphans::start(app)?, orphans::handle).await,
    }
}
