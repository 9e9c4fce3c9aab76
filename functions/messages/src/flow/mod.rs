//! A message's way from acceptance to its end, over whatever ledger, agents and clock: no AWS and no
//! HTTP here.

pub mod audit;
pub mod deliver;
pub mod front;
pub mod line;
mod settle;
pub mod tick;
mod watch;

use std::{net::IpAddr, time::Duration};

use domain::{BodyId, Result, WorkspaceId, trace::Trace};
use jiff::{SignedDuration, Timestamp};
use store::ledger::Ledger;

/// One exchange with an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// It answered.
    Reply {
        /// Its status.
        status: u16,
        /// Its body.
        body: Vec<u8>,
    },
    /// Its headers came and its body did not.
    Lost {
        /// Its status.
        status: u16,
        /// What happened.
        why: String,
    },
    /// It said that it cannot take the message now.
    Busy {
        /// What it said.
        why: String,
        /// When it can, in seconds, if it said so.
        retry_after: Option<u32>,
    },
    /// The connection stood and broke: it may have the message.
    Broken {
        /// What happened.
        why: String,
        /// Whether it broke at once: then the agent closed it without looking.
        at_once: bool,
    },
    /// Something answered that speaks no HTTP. It may have the message.
    Nonsense {
        /// What happened.
        why: String,
    },
    /// No connection.
    Unreachable {
        /// What happened.
        why: String,
    },
    /// No call can be made: its address may not be called, or there is nothing to send.
    Unroutable {
        /// Why.
        why: String,
    },
}

/// Agents, as far as messages go.
pub trait Talks: Send + Sync {
    /// Posts a message; answers when the exchange is over, and how many milliseconds after the
    /// start the headers came. `recorded` is where the machine of ours that the agent runs on is;
    /// `trace` is told to the agent.
    fn talk(
        &self,
        url: &str,
        recorded: Option<IpAddr>,
        body: Vec<u8>,
        trace: Option<Trace>,
    ) -> impl Future<Output = (Exchange, i64)> + Send;
}

/// Who a message is for, as far as delivering goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What people call it.
    pub name: String,
    /// Where it answers; empty when it does not now.
    pub url: String,
    /// Where the machine of ours that it runs on is, inside the VPC.
    pub recorded: Option<IpAddr>,
    /// How long it may be silent, if it says so.
    pub idle_timeout: Option<Duration>,
    /// When it last gave a sign of life.
    pub last_sign: Option<Timestamp>,
}

/// Bodies and workspaces, as far as delivering goes.
pub trait Shelf: Send + Sync {
    /// Keeps a body under an id that is not used yet.
    fn put(
        &self,
        id: BodyId,
        bytes: &[u8],
        now: Timestamp,
    ) -> impl Future<Output = Result<()>> + Send;
    /// A body, if it is still kept.
    fn fetch(
        &self,
        id: BodyId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Vec<u8>>>> + Send;
    /// A workspace that is not removed.
    fn target(&self, id: WorkspaceId) -> impl Future<Output = Result<Option<Target>>> + Send;
    /// Where a large body can be fetched for a while.
    fn address(&self, id: BodyId) -> impl Future<Output = Result<String>> + Send;
}

/// The time, told by whoever runs the flow.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Ends after this long.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        domain::time::to_micros(Timestamp::now())
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// What the way of a message leads through.
#[derive(Debug)]
pub struct Flow<'a, W, T, C> {
    /// The ledger and the shelf.
    pub world: &'a W,
    /// The agents.
    pub agents: &'a T,
    /// The clock.
    pub clock: &'a C,
    /// How long an agent may be silent unless its workspace says otherwise.
    pub idle_timeout: Duration,
    /// How long a woken workspace may take to register, if the operator says so.
    pub boot_within: Option<SignedDuration>,
}

impl<W: Ledger + Shelf, T: Talks, C: Clock> Flow<'_, W, T, C> {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
