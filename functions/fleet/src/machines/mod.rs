//! Machines: made, put to sleep, looked at and ended, on whatever backend there is.
//!
//! EC2 ([`ec2`]) is the backend; [`fake`] is its double for tests. Both pass one suite (`tests`).
//!
//! Three things no implementation may blur:
//! - **Listings are whole or errors.** A [`Listing`] exists only if its last page came, so "the
//!   listing broke off" cannot be read as "the machine is absent".
//! - **Errors say what to do** ([`Trouble::next`]), and an error never means that a machine is down.
//! - **A client token makes one machine**, however often the call is repeated ([`Launch::token`]).

pub mod adopt;
pub mod backend;
pub mod change;
pub mod ec2;
pub mod fake;
pub mod launch;
pub mod listing;
pub mod machine;
pub mod place;
pub mod settings;
pub mod tags;
#[cfg(test)]
mod tests;
pub mod trouble;
pub mod user_data;

pub use backend::Backend;
pub use change::Change;
pub use launch::{Launch, PlatformUrl, Tier};
pub use listing::{Listing, Presence, Recorded, Whose};
pub use machine::{Machine, MachineId, Owner, State, Volume, VolumeId};
pub use settings::{NoBackend, Settings};
pub use trouble::{Class, Next, Trouble};

/// A backend that has machines (contract: lifecycle-and-sweepers 10).
///
/// All calls may fail with a [`Trouble`]; `# Errors` names only what is peculiar to a call. Every
/// call can be repeated.
pub trait Machines: Send + Sync {
    /// How many attempts lead to different places (subnet, type) for this tier; 0 without a backend.
    fn places(&self, tier: Tier) -> u32;

    /// Makes a machine, once per [`Launch::token`]: a repeat answers with the machine the first call
    /// made. Most callers want [`adopt::secure`], which also settles lost answers.
    ///
    /// # Errors
    /// [`Class::Mismatch`]: the token was used for another request. [`Class::Spent`]: its machine is
    /// dead. Both need the next attempt.
    fn start(&self, launch: &Launch) -> impl Future<Output = Result<Machine, Trouble>> + Send;

    /// The machine this launch's token made, dead or alive. `None` proves nothing within
    /// [`listing::LAG`] of the call; starting again with the same token is always safe.
    fn started(
        &self,
        launch: &Launch,
    ) -> impl Future<Output = Result<Option<Machine>, Trouble>> + Send;

    /// Boots a stopped machine, with its disk as it was.
    ///
    /// # Errors
    /// [`Class::WrongState`]: it is still stopping; later.
    fn resume(&self, id: &MachineId) -> impl Future<Output = Result<Change, Trouble>> + Send;

    /// Stops a machine and keeps its disk.
    ///
    /// # Errors
    /// [`Class::WrongState`]: it is still booting; later.
    fn stop(&self, id: &MachineId) -> impl Future<Output = Result<Change, Trouble>> + Send;

    /// Reboots a machine that runs.
    ///
    /// # Errors
    /// [`Class::WrongState`]: it does not run.
    fn reboot(&self, id: &MachineId) -> impl Future<Output = Result<Change, Trouble>> + Send;

    /// Makes a machine that of another generation: it was started anew and is to prove itself so.
    /// Its disk keeps the tag of its first. [`Change::Absent`] if it is not there.
    fn retag(
        &self,
        id: &MachineId,
        generation: u32,
    ) -> impl Future<Output = Result<Change, Trouble>> + Send;

    /// Ends a machine and deletes its disk. One id per call: one bad id would fail a whole batch.
    ///
    /// # Errors
    /// [`Class::Protected`]: somebody forbade it.
    fn terminate(&self, id: &MachineId) -> impl Future<Output = Result<Change, Trouble>> + Send;

    /// These machines, in any state, as far as they are known. Ask the answer for
    /// [`Listing::presence`].
    fn describe(&self, ids: &[MachineId]) -> impl Future<Output = Result<Listing, Trouble>> + Send;

    /// All machines of this stack that are not being terminated, or those of one workspace.
    ///
    /// Tags are seen late, so a machine of the last [`listing::LAG`] may be missing; and people can
    /// change them, so describe a recorded machine before you replace it for being absent here.
    fn list(&self, whose: Whose) -> impl Future<Output = Result<Listing, Trouble>> + Send;

    /// The end of what the machine printed while booting, at most 64 KiB; empty early in its life,
    /// and for machines that are not there.
    fn console(&self, id: &MachineId) -> impl Future<Output = Result<String, Trouble>> + Send;

    /// All disks of this stack that belong to no machine any more; never a part of them.
    fn leftovers(&self) -> impl Future<Output = Result<Vec<Volume>, Trouble>> + Send;

    /// Deletes a disk. [`Change::Absent`] if it is not there.
    ///
    /// # Errors
    /// [`Class::WrongState`]: a machine has it.
    fn delete_volume(&self, id: &VolumeId) -> impl Future<Output = Result<Change, Trouble>> + Send;
}
