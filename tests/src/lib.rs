//! What the end-to-end tests stand on: the stack as its clients see it, and agents to talk to.

mod agent;
mod answer;
mod backstage;
pub mod bench;
mod call;
pub mod cost;
pub mod counted;
pub mod dynamo;
pub mod fleet_simulation;
mod form;
pub mod garble;
mod listener;
mod messages;
pub mod notes;
pub mod odd;
pub mod openapi;
pub mod runtime_api;
pub mod simulation;
pub mod ssrf;
pub mod template;
pub mod twin;
mod weather;
mod world;

pub use agent::{Agent, Received, Script};
pub use answer::{Answer, without};
pub use backstage::Backstage;
pub use call::{Call, at_once};
pub use form::form;
pub use listener::Listener;
pub use messages::Held;
pub use weather::Weather;
pub use world::{STRANGER, Workspace, World, envelope, until};
