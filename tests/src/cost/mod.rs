//! What operations cost: from the calls that tests count ([`Counted`]), at the prices of [`prices`].
//!
//! A counting test leaves what it counted ([`Counted::leave`]) where `make cost` says; `make cost` adds
//! it up ([`table`]) and holds the README to it ([`readme`]).

mod counted;
pub mod prices;
pub mod readme;
pub mod table;

pub use counted::{Counted, read_all};
