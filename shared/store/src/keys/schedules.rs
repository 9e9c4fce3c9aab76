//! Keys of schedules and of what they fired.

use domain::{ScheduleId, WorkspaceId, schedule::Fire};

use super::Key;

/// The partition of a workspace's schedules.
pub fn schedules(id: WorkspaceId) -> String {
    format!("SCHEDULES#{id}")
}

/// A schedule.
pub fn schedule(workspace: WorkspaceId, id: ScheduleId) -> Key {
    Key::new(schedules(workspace), id.to_string())
}

/// A schedule's prompt: apart, as the schedule is written at every slot.
pub fn schedule_prompt(id: ScheduleId) -> Key {
    Key::new(format!("SCHEDULE#{id}"), "PROMPT")
}

/// The partition of what a workspace's schedules are called.
pub fn schedule_names(id: WorkspaceId) -> String {
    format!("SCHEDULE_NAMES#{id}")
}

/// How many schedules a workspace has.
pub fn schedule_count(id: WorkspaceId) -> Key {
    Key::new(schedule_names(id), "COUNT")
}

/// That a schedule of a workspace has this name.
pub fn schedule_name(id: WorkspaceId, name: &str) -> Key {
    Key::new(schedule_names(id), format!("NAME#{name}"))
}

/// The partition of a schedule's fires.
pub fn fires(id: ScheduleId) -> String {
    format!("FIRES#{id}")
}

/// A fire of a schedule.
pub fn fire(fire: &Fire) -> Key {
    Key::new(
        fires(fire.schedule_id),
        format!("{:020}", fire.slot.as_microsecond()),
    )
}
