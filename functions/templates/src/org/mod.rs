//! Organisations from templates (contract: lifecycle-and-sweepers 7.4).
//!
//! Files become one document ([`expand`]), the document a tree ([`model`]), the tree a plan
//! ([`plan`]) whose every workspace is known to be right, and only then is anything written
//! ([`create`]).

pub mod create;
pub mod dotenv;
pub mod expand;
pub mod layout;
pub mod model;
pub mod plan;
pub mod read;
pub mod room;
pub mod schedules;
