//! `GET /ws`: events as they happen.

mod bus;
mod connect;
mod fifty;
pub(crate) mod gateway;
mod live;
mod operators;
mod push;
mod replay;
mod revoked;
mod slow;
mod stream;
