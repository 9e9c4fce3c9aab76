use super::*;

/// How many seeds `make test` runs.
const SEEDS: u64 = 1000;

/// `SIMULATION_SEED` replays one seed with its trace; `SIMULATION_MESSAGES` goes on until so many
/// messages were accepted.
fn wish(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Tells what a run did, and ends.
fn fail(report: Report, again: Plan) -> ! {
    let (seed, violations) = (report.seed, report.violations.join("\n"));
    let trace = run(again, true).trace.join("\n");
    panic!("{trace}\n\nseed {seed}\n{violations}\n\nreplay: make soak SEED={seed}");
}

#[test]
fn seeds_come_to_rest_and_lose_nothing() {
    let (first, most) = match wish("SIMULATION_SEED") {
        Some(seed) => (seed, 1),
        None => (1, wish("SIMULATION_MESSAGES").map_or(SEEDS, |_| u64::MAX)),
    };
    let enough = wish("SIMULATION_MESSAGES").unwrap_or(u64::MAX);
    let (mut accepted, mut completed, mut crashed, mut redelivered) = (0, 0, 0, 0);
    let mut seeds = 0;
    for seed in (first..).take(usize::try_from(most).unwrap_or(usize::MAX)) {
        let report = run(Plan::of(seed), most == 1);
        if most == 1 {
            eprintln!("{}", report.trace.join("\n"));
        }
        if !report.violations.is_empty() {
            fail(report, Plan::of(seed));
        }
        accepted += report.accepted;
        completed += report.completed;
        crashed += report.crashed;
        redelivered += report.redelivered;
        seeds += 1;
        if accepted as u64 >= enough {
            break;
        }
    }
    eprintln!(
        "{seeds} seeds: {accepted} messages accepted, {completed} completed, {redelivered} \
         delivered twice; {crashed} processes broke off"
    );
    assert!(completed > 0, "nothing was ever delivered");
}

#[test]
fn a_seed_decides_everything() {
    for seed in 1..20 {
        let (once, again) = (run(Plan::of(seed), true), run(Plan::of(seed), true));
        assert_eq!(once.trace, again.trace, "seed {seed}");
    }
}

#[test]
fn a_crash_at_every_await_loses_nothing() {
    // Processes start in order: clients, kicks, deliveries, ticks.
    for process in 0..16 {
        for at in 1.. {
            let report = run(Plan::with_one_crash(process, at), false);
            if !report.violations.is_empty() {
                fail(report, Plan::with_one_crash(process, at));
            }
            if report.crashed == 0 {
                // It has fewer awaits than that.
                break;
            }
        }
    }
}
