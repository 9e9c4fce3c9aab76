//! Fleet: the machines that workspaces run on.
//!
//! `provision` and `stop` make a machine what the table wants it to be; `exchange` gives a machine
//! that has proven itself its environment and its token. Only this crate compiles the EC2 SDK, and
//! only [`machines::ec2`] speaks to it.

pub mod console;
pub mod crew;
pub mod environment;
pub mod exchange;
pub mod images;
pub mod instance_events;
pub mod jobs;
pub mod machines;
pub mod provision;
pub mod stop;
pub mod sweeps;
#[cfg(test)]
mod wire;

pub use crew::Crew;

edge::handlers! { "fleet":
    /// Brings machines up; fed by the queue.
    Provision = "provision",
    /// Stops and terminates machines; fed by the queue.
    Stop = "stop",
    /// `POST /bootstrap/exchange`
    Exchange = "exchange",
    /// What EC2 tells of machines that stopped or died.
    InstanceEvents = "instance_events",
    /// `GET /workspaces/{id}/console`
    Console = "console",
    /// `POST /admin/workspace-images/refresh`
    Images = "images",
    /// Every five minutes, if wanted: which digests the tags of images have.
    ImageWatch = "image_watch",
    /// Every minute: who is silent goes offline, who is idle goes to sleep.
    Silent = "silent",
    /// Every minute: machines that are not what is wished of them.
    Overdue = "overdue",
    /// Every five minutes: machines and disks that nobody wants, and machines that are gone.
    Orphans = "orphans",
}

/// Describes the routes of this domain.
pub fn describe(api: &mut edge::openapi::Api) {
    api.tag("fleet", "Machines.");
    images::describe(api);
    console::describe(api);
    exchange::describe(api);
}
