//! What things are and how they may change.
//!
//! Nothing here reads a clock, a socket or an environment variable: time and randomness are
//! arguments, so every rule can be tested in a millisecond.

pub mod access;
pub mod activity;
pub mod address;
pub mod approval;
#[cfg(test)]
mod arbitrary;
pub mod capabilities;
pub mod card;
pub mod chat_file;
pub mod cron;
pub mod envelope;
pub mod error;
pub mod event;
pub mod fields;
pub mod id;
pub mod image;
pub mod job;
pub mod json;
pub mod lifecycle;
pub mod mode;
pub mod reply;
pub mod request;
pub mod requirement;
pub mod restart;
pub mod schedule;
pub mod search;
pub mod secret;
pub mod template;
pub mod time;
pub mod token;
pub mod trace;
pub mod workspace;

pub use error::{Error, Kind, Result};
pub use id::{
    ActivityId, ApprovalId, BodyId, DelegationId, EventId, RequestId, ScheduleId, TokenId,
    WorkspaceId,
};
pub use mode::Mode;
