//! The deployed system from outside. The tree mirrors the URLs; run by `make test`.

mod admin;
mod calls;
mod canvas;
mod events;
mod example_agent;
mod fallback;
mod registry;
mod template;
mod workspaces;
