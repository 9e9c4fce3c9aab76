//! What functions may do against what they do, for those behind queues, clocks and EC2: the tests that
//! there are of them run once more, and walks go where these do not.

mod messages;
mod queues;
mod restarts;

use e2e::notes;

use super::permissions::{Needed, compare};
use crate::{calls_tick, fleet, schedules, store};

/// They need messages under way, queues, a clock or machines, so the walk through routes does not
/// reach them.
pub(super) const ELSEWHERE: [&str; 19] = [
    "fleet.provision",
    "fleet.stop",
    "fleet.exchange",
    "fleet.instance_events",
    "fleet.console",
    "fleet.images",
    "fleet.image_watch",
    "fleet.silent",
    "fleet.overdue",
    "fleet.orphans",
    "messages.dispatch",
    "messages.deliver",
    "messages.deliver_vpc",
    "messages.kick",
    "messages.tick",
    "messages.queue",
    "messages.request",
    "schedules.tick",
    "workspaces.restarts",
];

/// A walk, on this thread.
fn walk(of: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    // On the heap: a walk's future does not fit a test's stack.
    runtime.expect("a runtime").block_on(Box::pin(of));
}

#[test]
fn functions_behind_queues_clocks_and_machines_may_do_what_they_do_and_nothing_else() {
    let needed = notes::during(|| {
        // Each notes what it saw functions do; those that are here are enough, and few.
        fleet::sweeps::silent::a_machine_of_ours_is_started_anew_and_then_left_to_boot();
        fleet::sweeps::silent::who_is_offline_and_was_not_started_anew_is_when_it_is_due();
        fleet::sweeps::overdue::a_lost_job_is_written_again_and_a_boot_past_its_deadline_fails();
        fleet::sweeps::orphans::what_nobody_wants_goes_and_what_is_recorded_stays();
        fleet::sweeps::orphans::who_lost_its_machine_is_started_anew_by_one_of_two();
        fleet::sweeps::orphans::one_that_runs_though_it_was_to_stop_is_stopped();
        schedules::cost::a_tick_where_nothing_is_due_is_eight_queries_and_a_note_and_a_slot_is_one_transaction();
        schedules::gone::a_purged_workspace_leaves_none_and_what_a_crash_left_goes_with_its_slot();
        store::wakes::a_message_wakes_whoever_sleeps_with_the_rights_that_dispatch_has();
        store::wakes::a_wake_that_was_lost_is_done_by_the_look_at_the_line();
        calls_tick::a_tick_where_nothing_is_due_reads_empty_indexes_and_notes_that_it_ran();
        walk(fleet::permissions::walk());
        walk(messages::walk());
        walk(restarts::walk());
    });
    compare(&Needed(needed), |function| ELSEWHERE.contains(&function));
}
