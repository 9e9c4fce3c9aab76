//! Where Lambda meets the rest, written once: settings from the environment, a request as typed
//! input, credentials, errors as answers.

pub mod addresses;
pub mod auth;
mod handlers;
pub mod http;
pub mod limits;
pub mod metrics;
pub mod openapi;
pub mod settings;
mod start;

pub use auth::{Bearer, Caller, Identity};
pub use http::{Input, Reply, Streamed, serve, serve_streams};
pub use settings::{Fleet, Missing, Settings, required, var};
pub use start::{App, Stop, handler_name, sdk_config, serve_jobs, start};
