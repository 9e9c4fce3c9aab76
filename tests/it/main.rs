//! The deployed system from outside. The tree mirrors the URLs; run by `make test`.

mod registry;
mod workspaces;
