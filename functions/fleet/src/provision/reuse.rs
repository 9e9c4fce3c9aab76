//! The machine there is already: started, or started anew.

use domain::{Error, Result, lifecycle::Wanted};
use store::lifecycle::Found;

use super::{Provisioner, Wish};
use crate::{
    crew::{asked, later, or_without, recorded},
    jobs::Progress,
    machines::{Change, Class, MachineId, Machines, Presence, State, Trouble},
};

/// A change, or that it cannot be done yet.
enum Took {
    /// It is done, or was.
    Yes,
    /// There is no such machine (any more, or yet).
    Absent,
    /// The machine is on its way to another state.
    NotYet,
}

fn took(answer: Result<Change, Trouble>) -> Result<Took> {
    match answer {
        Ok(Change::Underway | Change::Already) => Ok(Took::Yes),
        Ok(Change::Absent) => Ok(Took::Absent),
        Err(trouble) if trouble.class() == Class::WrongState => Ok(Took::NotYet),
        Err(trouble) => Err(later(trouble)),
    }
}

const CHANGING: Progress = Progress::Later("its machine is changing");

impl<M: Machines> Provisioner<M> {
    /// Brings the recorded machine up; none when there is none, for certain.
    pub(super) async fn reuse(&self, wish: &Wish) -> Result<Option<Progress>> {
        let Some(machine) = recorded(&wish.record) else {
            return Ok(None);
        };
        let ids = std::slice::from_ref(&machine);
        let listing = self.crew.machines.describe(ids).await;
        // Without a backend the launch says what is the matter.
        let Some(listing) = or_without(listing.map(Some), None)? else {
            return Ok(None);
        };
        let seen = listing.machine(&machine);
        let new = seen
            .and_then(|it| it.owner)
            .is_some_and(|owner| owner.generation == wish.generation());
        let progress = match seen.map(|it| it.state) {
            Some(State::Stopped) => self.boot(wish, &machine).await?,
            // It was launched, started or rebooted for this generation; what was lost is the record.
            Some(State::Pending | State::Running) if new => self.started(wish, &machine).await?,
            Some(State::Pending | State::Running) => self.restart(wish, &machine).await?,
            Some(State::Stopping | State::Other) => CHANGING,
            Some(State::ShuttingDown | State::Terminated) => return Ok(None),
            None => match listing.presence(asked(&machine, wish.id(), &wish.record), wish.now) {
                Presence::Gone => return Ok(None),
                _ => Progress::Later("its machine cannot be seen yet"),
            },
        };
        Ok(Some(progress))
    }

    /// Boots a machine that is off. It is tagged first: it proves itself as soon as it is up.
    async fn boot(&self, wish: &Wish, machine: &MachineId) -> Result<Progress> {
        let tagged = self.crew.machines.retag(machine, wish.generation()).await;
        if let Took::Absent = took(tagged)? {
            return Ok(CHANGING);
        }
        match took(self.crew.machines.resume(machine).await)? {
            Took::Yes => self.started(wish, machine).await,
            Took::Absent | Took::NotYet => Ok(CHANGING),
        }
    }

    /// Reboots a machine that runs. It is tagged after that: its process of before must not prove
    /// itself to be the new one. A crash in between reboots it once more.
    async fn restart(&self, wish: &Wish, machine: &MachineId) -> Result<Progress> {
        match took(self.crew.machines.reboot(machine).await)? {
            Took::Yes => {}
            Took::Absent | Took::NotYet => return Ok(CHANGING),
        }
        let tagged = self.crew.machines.retag(machine, wish.generation()).await;
        match took(tagged)? {
            Took::Yes => self.started(wish, machine).await,
            Took::Absent | Took::NotYet => Ok(CHANGING),
        }
    }

    /// Records that it runs, unless that is not wanted any more.
    async fn started(&self, wish: &Wish, machine: &MachineId) -> Result<Progress> {
        let store = &self.crew.app.store;
        let (id, generation) = (wish.id(), wish.generation());
        if store.found(id, generation, &Found::Started).await? {
            return Ok(Progress::Done);
        }
        // Whoever wished otherwise may have looked before it was started, and be done.
        match store.machine(id).await? {
            Some(record) if record.wanted == Wanted::Running => {}
            Some(record) if record.wanted == Wanted::Stopped => {
                store
                    .look_at_machine(id, record.generation, wish.now)
                    .await?;
                // While it boots it cannot be stopped: then that look does it.
                took(self.crew.machines.stop(machine).await)?;
            }
            Some(_) | None => {
                let ended = self.crew.machines.terminate(machine).await;
                ended.map_err(Error::unavailable)?;
            }
        }
        Ok(Progress::Done)
    }
}
