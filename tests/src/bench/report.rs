//! What was measured as tables and ratios, and what has become of the ratios since the baseline.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use super::measure::{BARE, Calls, Measured};

/// A ratio that has moved by more than this share is told of: 15 %, twice what it moves by between two
/// runs on a busy machine.
pub const TOLERANCE: f64 = 0.15;

/// How many times the bare function's, by what.
pub type Ratios = BTreeMap<String, f64>;

/// Bytes of a binary and of its zip, by binary.
pub type Sizes = BTreeMap<String, (u64, u64)>;

/// The tables, in Markdown, and the ratios in them.
pub fn report(measured: &Measured, sizes: &Sizes) -> (String, Ratios) {
    let (mut text, mut ratios) = (String::new(), Ratios::new());
    starts(measured, &mut text, &mut ratios);
    calls(measured, &mut text, &mut ratios);
    memory(measured, &mut text, &mut ratios);
    zips(sizes, &mut text, &mut ratios);
    (text, ratios)
}

fn starts(measured: &Measured, text: &mut String, ratios: &mut Ratios) {
    let _ = writeln!(
        text,
        "## Start: from the process to its first question for work (median)\n\n\
         | function | ms | CPU ms | × bare | CPU × bare |\n|---|---|---|---|---|"
    );
    let medians = |handler: &str| {
        let all = measured.starts.get(handler)?;
        let wall = median(all.iter().map(|it| it.wall).collect())?;
        Some((wall, median(all.iter().map(|it| it.cpu).collect())?))
    };
    let Some(bare) = medians(BARE) else { return };
    for handler in measured.starts.keys() {
        let Some((wall, cpu)) = medians(handler) else {
            continue;
        };
        let (by_wall, by_cpu) = (over(wall, bare.0), over(cpu, bare.1));
        let _ = writeln!(
            text,
            "| {handler} | {:.1} | {:.1} | {by_wall:.2} | {by_cpu:.2} |",
            ms(wall),
            ms(cpu)
        );
        note(ratios, handler, "start", by_wall);
        note(ratios, handler, "CPU of a start", by_cpu);
    }
}

fn calls(measured: &Measured, text: &mut String, ratios: &mut Ratios) {
    let _ = writeln!(
        text,
        "\n## Calls, once warm\n\n\
         | call | CPU ms | × bare | ms here: median | 99 % |\n|---|---|---|---|---|"
    );
    let Some(bare) = measured.calls.get(BARE).map(each) else {
        return;
    };
    for (what, calls) in &measured.calls {
        let by = over(each(calls), bare);
        let mut walls = calls.walls.clone();
        walls.sort_unstable();
        let at = |share: usize| match walls.get((walls.len() * share) / 100) {
            Some(wall) => format!("{:.2}", ms(*wall)),
            None => String::new(),
        };
        let _ = writeln!(
            text,
            "| {what} | {:.3} | {by:.2} | {} | {} |",
            ms(each(calls)),
            at(50),
            at(99)
        );
        note(ratios, what, "CPU of a call", by);
    }
}

fn memory(measured: &Measured, text: &mut String, ratios: &mut Ratios) {
    let _ = writeln!(
        text,
        "\n## Memory in RAM\n\n\
         | function of | MB after 100 calls | MB at the end | growth | × bare |\n|---|---|---|---|---|"
    );
    let Some(bare) = measured.calls.get(BARE) else {
        return;
    };
    for (what, Calls { resident, .. }) in &measured.calls {
        let (early, late) = *resident;
        let (growth, by) = (quotient(late, early), quotient(late, bare.resident.1));
        let _ = writeln!(
            text,
            "| {what} | {:.2} | {:.2} | {growth:.3} | {by:.2} |",
            mb(early),
            mb(late)
        );
        note(ratios, what, "memory", by);
        note(ratios, what, "growth of memory", growth);
    }
}

fn zips(sizes: &Sizes, text: &mut String, ratios: &mut Ratios) {
    let _ = writeln!(
        text,
        "\n## Size\n\n| binary | MB | zip MB | zip × bare |\n|---|---|---|---|"
    );
    let Some((_, bare)) = sizes.get(BARE) else {
        return;
    };
    for (name, (binary, zip)) in sizes {
        let by = quotient(*zip, *bare);
        let _ = writeln!(
            text,
            "| {name} | {:.2} | {:.2} | {by:.2} |",
            mb(*binary),
            mb(*zip)
        );
        note(ratios, name, "zip", by);
    }
}

/// Keeps a ratio to three digits after the point; that of the bare function to itself says nothing,
/// but of its growth.
fn note(ratios: &mut Ratios, of: &str, what: &str, ratio: f64) {
    if of != BARE || what.starts_with("growth") {
        let short = (ratio * 1000.0).round() / 1000.0;
        ratios.insert(format!("{what}: {of}"), short);
    }
}

/// What has become of the ratios, in sentences: what is worse, and what else one should know.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What takes more than it did.
    pub worse: Vec<String>,
    /// What takes less, is new or is gone: a new baseline would say so.
    pub others: Vec<String>,
}

/// Compares with the baseline.
pub fn compare(baseline: &Ratios, now: &Ratios) -> Verdict {
    let mut verdict = Verdict::default();
    for (what, ratio) in now {
        let Some(before) = baseline.get(what) else {
            verdict.others.push(format!(
                "{what} is {ratio:.2} × bare, and not in the baseline"
            ));
            continue;
        };
        let moved = ratio / before - 1.0;
        let sentence = |way: &str| {
            let percent = moved.abs() * 100.0;
            format!(
                "{what} is {percent:.0} % {way}: {ratio:.2} × bare, {before:.2} in the baseline"
            )
        };
        if moved > TOLERANCE {
            verdict.worse.push(sentence("more"));
        } else if moved < -TOLERANCE {
            verdict.others.push(sentence("less"));
        }
    }
    let gone = baseline.keys().filter(|what| !now.contains_key(*what));
    verdict
        .others
        .extend(gone.map(|what| format!("{what} is in the baseline only")));
    verdict
}

fn each(calls: &Calls) -> Duration {
    calls.cpu / calls.count.max(1)
}

fn median(mut all: Vec<Duration>) -> Option<Duration> {
    all.sort_unstable();
    all.get(all.len() / 2).copied()
}

fn over(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64().max(f64::EPSILON)
}

#[expect(clippy::cast_precision_loss, reason = "bytes of one process")]
fn quotient(one: u64, other: u64) -> f64 {
    one as f64 / other.max(1) as f64
}

fn ms(of: Duration) -> f64 {
    of.as_secs_f64() * 1e3
}

fn mb(of: u64) -> f64 {
    quotient(of, 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::{super::function::Start, *};

    fn measured() -> Measured {
        let start = |wall, cpu| Start {
            wall: Duration::from_millis(wall),
            cpu: Duration::from_millis(cpu),
        };
        let calls = |micros: u64, early, late| Calls {
            cpu: Duration::from_micros(micros * 10),
            count: 10,
            walls: (1..=100).map(Duration::from_millis).collect(),
            resident: (early, late),
        };
        Measured {
            starts: [
                (BARE.to_owned(), vec![start(9, 2), start(5, 1), start(4, 1)]),
                (
                    "a.b".to_owned(),
                    vec![start(15, 4), start(90, 3), start(10, 4)],
                ),
            ]
            .into(),
            calls: [
                (BARE.to_owned(), calls(100, 4_000_000, 4_000_000)),
                ("beat".to_owned(), calls(250, 8_000_000, 10_000_000)),
            ]
            .into(),
        }
    }

    #[test]
    fn ratios_are_of_medians_and_of_means_and_tables_show_them() {
        let sizes = [(BARE, (2, 1_000_000)), ("a", (9, 3_500_000))];
        let sizes = sizes.map(|(name, of)| (name.to_owned(), of));
        let (text, ratios) = report(&measured(), &sizes.into());
        let expected = [
            ("CPU of a call: beat", 2.5),
            ("CPU of a start: a.b", 4.0),
            ("growth of memory: bare", 1.0),
            ("growth of memory: beat", 1.25),
            ("memory: beat", 2.5),
            ("start: a.b", 3.0),
            ("zip: a", 3.5),
        ];
        let expected: Ratios = expected.map(|(what, by)| (what.to_owned(), by)).into();
        assert_eq!(ratios, expected);
        for line in [
            "| a.b | 15.0 | 4.0 | 3.00 | 4.00 |",
            "| beat | 0.250 | 2.50 | 51.00 | 100.00 |",
            "| beat | 8.00 | 10.00 | 1.250 | 2.50 |",
            "| a | 0.00 | 3.50 | 3.50 |",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
    }

    #[test]
    fn what_moved_is_told_in_words() {
        let ratios = |of: &[(&str, f64)]| -> Ratios {
            of.iter()
                .map(|(what, by)| ((*what).to_owned(), *by))
                .collect()
        };
        let before = ratios(&[("a", 2.0), ("b", 2.0), ("c", 2.0), ("gone", 1.0)]);
        let now = ratios(&[("a", 2.2), ("b", 2.5), ("c", 1.0), ("new", 3.0)]);
        let verdict = compare(&before, &now);
        assert_eq!(
            verdict.worse,
            ["b is 25 % more: 2.50 × bare, 2.00 in the baseline"]
        );
        assert_eq!(
            verdict.others,
            [
                "c is 50 % less: 1.00 × bare, 2.00 in the baseline",
                "new is 3.00 × bare, and not in the baseline",
                "gone is in the baseline only",
            ]
        );
        assert_eq!(compare(&before, &before), Verdict::default());
    }
}
