//! The agent itself: its health, what it works on, which messages it has seen.

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{
    heartbeat::{Beats, Heartbeat, Queue, RuntimeMetadata},
    platform::Platform,
    settings::Settings,
};

/// What every part of the program shares.
pub(crate) struct Agent {
    pub settings: Settings,
    /// The address others reach this agent at.
    pub url: String,
    pub platform: Platform,
    started: Instant,
    beats: Beats,
    state: Mutex<State>,
    stop: watch::Sender<Option<u8>>,
}

/// What changes while the agent runs. The first five are what it tells in heartbeats.
#[derive(Default)]
pub(crate) struct State {
    pub active_tasks: u32,
    pub current_task: String,
    pub error_rate: f64,
    pub wedged: bool,
    pub capabilities: BTreeMap<String, bool>,
    busy_until: Option<Instant>,
    messages: u64,
    message_ids: HashSet<String>,
}

impl Agent {
    /// An agent that listens at `address`, and the heartbeats it will ask for.
    pub(crate) fn new(
        settings: Settings,
        address: SocketAddr,
    ) -> Result<(Self, Queue), reqwest::Error> {
        let (beats, queue) = Beats::new();
        let agent = Self {
            url: settings.url.clone().unwrap_or(format!("http://{address}")),
            platform: Platform::new(&settings)?,
            started: Instant::now(),
            beats,
            state: Mutex::default(),
            stop: watch::Sender::default(),
            settings,
        };
        Ok((agent, queue))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and lets the platform know before it returns.
    pub(crate) async fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.beats.send_and_wait(self.heartbeat()).await;
    }

    /// Counts a message as received.
    pub(crate) fn receive(&self, message_id: &str) {
        let mut state = self.state();
        state.messages += 1;
        state.message_ids.insert(message_id.to_owned());
    }

    /// Messages received, and how many different ones they were.
    pub(crate) fn received(&self) -> (u64, usize) {
        let state = self.state();
        (state.messages, state.message_ids.len())
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.state()
            .busy_until
            .is_some_and(|until| Instant::now() < until)
    }

    pub(crate) fn be_busy(&self, span: Duration) {
        self.state().busy_until = Instant::now().checked_add(span);
    }

    /// Counts as working until the returned guard is dropped, even when the caller hangs up.
    pub(crate) fn start_task(self: &Arc<Self>) -> Task {
        self.state().active_tasks += 1;
        self.beats.send(self.partial_heartbeat());
        Task(self.clone())
    }

    /// How the agent is now.
    pub(crate) fn heartbeat(&self) -> Heartbeat {
        let metadata = RuntimeMetadata {
            capabilities: self.state().capabilities.clone(),
            idle_timeout_seconds: self.settings.idle_timeout_seconds,
        };
        Heartbeat {
            runtime_metadata: Some(metadata),
            ..self.partial_heartbeat()
        }
    }

    /// The same without the metadata, which then stays as it was declared.
    fn partial_heartbeat(&self) -> Heartbeat {
        let state = self.state();
        let sample_error = match (state.wedged, state.error_rate > 0.0) {
            (true, _) => "asked to be wedged",
            (false, true) => "asked to report errors",
            (false, false) => "",
        };
        Heartbeat {
            workspace_id: self.settings.workspace_id,
            error_rate: state.error_rate,
            sample_error,
            active_tasks: state.active_tasks,
            uptime_seconds: self.started.elapsed().as_secs(),
            current_task: state.current_task.clone(),
            monthly_spend: 0,
            runtime_state: if state.wedged { "wedged" } else { "" },
            runtime_metadata: None,
        }
    }

    /// Tells every part to end, the process with `code`. The first call decides the code.
    pub(crate) fn stop(&self, code: u8) {
        self.stop.send_if_modified(|stop| {
            let first = stop.is_none();
            stop.get_or_insert(code);
            first
        });
    }

    /// Waits until the agent was told to stop.
    pub(crate) async fn stopped(&self) -> u8 {
        let mut stop = self.stop.subscribe();
        let code = stop.wait_for(Option::is_some).await;
        // The sender is a field of this agent, so it cannot be gone.
        code.ok().and_then(|code| *code).unwrap_or_default()
    }
}

impl State {
    /// Declares a capability on or off. Off is a statement too, so it is kept.
    pub(crate) fn declare(&mut self, capability: &str, on: bool) {
        self.capabilities.insert(capability.to_owned(), on);
    }
}

/// A message being worked on.
pub(crate) struct Task(Arc<Agent>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.state().active_tasks -= 1;
        self.0.beats.send(self.0.partial_heartbeat());
    }
}
