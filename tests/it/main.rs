//! The deployed system from outside. The tree mirrors the URLs; run by `make test`.

mod admin;
mod auth;
mod calls;
mod calls_messages;
mod calls_tick;
mod canvas;
mod console;
mod dynamo;
mod events;
mod example_agent;
mod fallback;
mod fleet;
mod ledger;
mod metrics;
mod modes;
mod openapi;
mod org;
mod registry;
mod schedules;
mod settings;
mod ssrf;
mod store;
mod template;
mod templates;
mod workspaces;
mod ws;
