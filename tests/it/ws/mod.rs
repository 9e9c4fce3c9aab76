//! `GET /ws`: events as they happen.

mod bus;
mod connect;
mod fifty;
mod live;
mod push;
mod replay;
mod revoked;
mod slow;
mod stream;
