//! Making a machine when answers get lost.

use super::{Class, Launch, Machine, Machines, Trouble};

/// Starts a machine, and looks for it by its token when the answer was lost or the token is taken:
/// what was made for this launch is adopted.
///
/// The record of a generation is written after this, so a repeat may differ in a byte (a template
/// deployed in between), which EC2 refuses; the machine of the first try is still the right one.
///
/// # Errors
/// What [`Machines::start`] fails with, if no machine of this launch is seen. After
/// [`Class::Unknown`] there may be one that cannot be seen yet: only a repeat with the same attempt
/// is safe.
pub async fn secure(machines: &impl Machines, launch: &Launch) -> Result<Machine, Trouble> {
    let trouble = match machines.start(launch).await {
        Err(trouble) if matches!(trouble.class(), Class::Mismatch | Class::Unknown) => trouble,
        settled => return settled,
    };
    match machines.started(launch).await {
        Ok(Some(machine)) if launch.is_met_by(&machine) => Ok(machine),
        // It was made and is dead: this token will never make a living one.
        Ok(Some(machine)) if machine.state.is_ended() => {
            Err(Trouble::new(Class::Spent, "its machine is dead").caused_by(trouble))
        }
        Ok(_) => Err(trouble),
        // The look says nothing, so a mismatch is not known to be one that needs a new attempt.
        Err(look) => Err(Trouble::new(Class::Unknown, "not found out").caused_by(look)),
    }
}
