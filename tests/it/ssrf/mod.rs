//! Server-side request forgery: nobody makes the platform call what is not an agent of the internet's.
//! `connect` needs no stack.

mod connect;
mod names;
mod stored;

use domain::address::Reach;
use e2e::ssrf::Liar;
use edge::addresses::Names;
use messages::agent::{Agents, Failure};

/// What calls agents, as a deployed stack has it.
fn deployed(names: &Liar) -> Agents {
    Agents::new(&Names::by(names.clone()), Reach::PUBLIC).expect("a client")
}

/// Calls; why not, or the status.
async fn call(agents: &Agents, url: &str) -> Result<u16, Failure> {
    let sent = agents.send(url, None, b"{}".to_vec(), None).await;
    sent.map(|headers| headers.status)
}

/// Whether nothing was sent, because nothing may be.
fn is_refused(outcome: &Result<u16, Failure>) -> bool {
    matches!(outcome, Err(Failure::Unroutable(_)))
}
