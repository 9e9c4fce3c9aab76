//! `GET /ws`: events as they happen.

mod bus;
mod connect;
mod fifty;
mod push;
mod replay;
mod slow;
mod stream;
