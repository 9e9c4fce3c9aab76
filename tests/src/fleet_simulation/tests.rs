use super::*;

/// How many seeds `make test-unit` runs.
const SEEDS: u64 = 50;

/// `FLEET_SEED` replays one seed with its trace; `FLEET_SEEDS` is how many are run.
fn wish(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Tells what a run did, and ends.
fn fail(report: &Report) -> ! {
    let (seed, violations) = (report.seed, report.violations.join("\n"));
    let trace = run(Plan::of(seed), true).trace.join("\n");
    panic!("{trace}\n\nseed {seed}\n{violations}\n\nreplay: make soak-fleet SEED={seed}");
}

#[test]
fn storms_end_in_peace() {
    let (first, most) = match wish("FLEET_SEED") {
        Some(seed) => (seed, 1),
        None => (1, wish("FLEET_SEEDS").unwrap_or(SEEDS)),
    };
    let mut all = Report::default();
    for seed in (first..).take(usize::try_from(most).unwrap_or(usize::MAX)) {
        let report = run(Plan::of(seed), most == 1);
        if most == 1 {
            eprintln!("{}", report.trace.join("\n"));
        }
        if !report.violations.is_empty() {
            fail(&report);
        }
        all.calls += report.calls;
        all.turns += report.turns;
        all.crashed += report.crashed;
        all.passed += report.passed;
    }
    eprintln!(
        "{most} seeds: {} calls, {} changes of status, {} machines proved themselves; \
         {} processes broke off",
        all.calls, all.turns, all.passed, all.crashed
    );
    assert!(most == 1 || all.passed > 0, "no machine ever came up");
}

#[test]
fn a_seed_decides_everything() {
    for seed in 1..4 {
        let (once, again) = (run(Plan::of(seed), true), run(Plan::of(seed), true));
        assert_eq!(once.trace, again.trace, "seed {seed}");
    }
}
