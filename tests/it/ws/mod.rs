//! `GET /ws`: events as they happen.

mod bus;
mod connect;
mod fifty;
mod gateway;
mod live;
mod operators;
mod push;
mod replay;
mod revoked;
mod slow;
mod stream;
