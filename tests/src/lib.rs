//! What the end-to-end tests stand on: the stack as its clients see it, and agents to talk to.

mod agent;
mod answer;
mod world;

pub use agent::{Agent, Received, Script};
pub use answer::Answer;
pub use world::{Call, Workspace, World, until};
