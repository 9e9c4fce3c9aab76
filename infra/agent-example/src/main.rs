//! A small, complete agent: it registers with the platform, sends heartbeats and answers messages.
//!
//! Read it from here: [`settings`] is what it is told, [`server`] what it listens to, [`commands`] and
//! [`execute`] what it can do, [`heartbeat`] how it stays alive in the platform's eyes, [`platform`] every
//! request it makes. A copy of this folder with another [`execute`] is another agent.

mod a2a;
mod agent;
mod card;
mod commands;
mod error;
mod execute;
mod form;
mod heartbeat;
mod outcome;
mod parts;
mod peers;
mod platform;
mod server;
mod settings;
mod summary;

use std::{error::Error, net::Ipv4Addr, process::ExitCode, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    select,
    signal::unix::{SignalKind, signal},
    time::timeout,
};

use crate::{agent::Agent, settings::Settings};

/// How long answers being written may take once the agent was told to stop.
const GRACE: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(sentence) => {
            eprintln!("{sentence}");
            return ExitCode::from(2);
        }
    };
    match run(settings).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("the agent could not start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Listens first, registers second: the platform may send a message the moment it knows the address.
async fn run(settings: Settings) -> Result<u8, Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port)).await?;
    let address = listener.local_addr()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    eprintln!("listening on http://{address}");

    let (agent, beats) = Agent::new(settings, address)?;
    let agent = Arc::new(agent);
    let server = tokio::spawn(server::serve(listener, agent.clone()));
    tokio::spawn(heartbeat::register_and_beat(agent.clone(), beats));

    select! {
        _ = agent.stopped() => {}
        _ = terminate.recv() => agent.stop(0),
        _ = interrupt.recv() => agent.stop(0),
    }
    // Whatever is still open after that belongs to a client that does not read.
    let _ = timeout(GRACE, server).await;
    Ok(agent.stopped().await)
}
