//! What functions take of a machine: start, CPU, memory and size, beside a *bare function* that does
//! nothing and is measured in the same breath, so that a slow or busy machine slows both.
//!
//! The release binaries are run as Lambda runs them ([`function`]), with the environment the template
//! gives them ([`environment`]); AWS is a table in memory behind HTTP ([`aws`]). TLS is therefore in
//! none of the figures. Ratios to the bare function are compared with the committed baseline
//! ([`report`]); seconds are told and never compared.

pub mod aws;
pub mod environment;
pub mod function;
pub mod measure;
pub mod proc;
pub mod report;
mod runtime;
mod talk;
