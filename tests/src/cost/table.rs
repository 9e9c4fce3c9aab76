//! Counts as prices: of operations, of an idle stack, of an agent's month.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Counted, prices as price};

/// Minutes in a month of 30 days.
const MINUTES: f64 = 43_200.0;
/// One every 30 s.
const BEATS: f64 = 86_400.0;

/// What the clock starts each minute.
const TICKS: [&str; 4] = [
    "messages tick, nothing due",
    "schedules tick, nothing due",
    "sweep of silent agents, none there",
    "sweep of late boots, none there",
];

/// What a busy agent does in a month besides beating, and how long it waits each time. The profile of
/// the README: on each of 30 days it is sent 40 messages and answers each after ten seconds, notifies
/// somebody 20 times, and begins or ends 200 tasks.
const BUSY: [(&str, f64); 3] = [
    ("message, answered after 10 s", 1_200.0),
    ("notify", 600.0),
    ("heartbeat, another task", 6_000.0),
];

/// Prices by what they are of: operations per million, months each.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Prices {
    /// Per million.
    pub operations: BTreeMap<String, f64>,
    /// A month.
    pub months: BTreeMap<String, f64>,
}

/// Adds up what was counted. The bench's CPU, in milliseconds by handler, is shown beside it.
///
/// # Errors
/// The name of an operation that no test has counted.
pub fn prices(counted: &[Counted]) -> Result<Prices, String> {
    let find = |what: &str| {
        let found = counted.iter().find(|it| it.what == what);
        found.ok_or_else(|| format!("no test has counted {what:?}"))
    };
    let mut all = Prices::default();
    // Of what the clock starts a month is told, not a million.
    for one in counted
        .iter()
        .filter(|it| !TICKS.contains(&it.what.as_str()))
    {
        all.operations
            .insert(one.what.clone(), one.per_million(0.0));
    }
    // Both functions wait for the agent.
    let (accepted, delivered) = (find("message from a person")?, find("its delivery")?);
    for (seconds, name) in [(1.0, "1 s"), (10.0, "10 s")] {
        let whole = accepted.per_million(seconds) + delivered.per_million(seconds);
        all.operations
            .insert(format!("message, answered after {name}"), whole);
    }
    let slot = find("schedules tick, one slot")?.per_million(0.0);
    let empty = find("schedules tick, nothing due")?.per_million(0.0);
    all.operations
        .insert("slot of a schedule, taken on".to_owned(), slot - empty);

    let mut idle = 0.0;
    for tick in TICKS {
        let month = find(tick)?.per_million(0.0) * MINUTES / 1e6;
        all.months.insert(tick.to_owned(), month);
        idle += month;
    }
    all.months.insert("idle stack: all four".to_owned(), idle);
    let steady = find("heartbeat, nothing new")?.per_million(0.0);
    let beats = steady * BEATS / 1e6;
    all.months
        .insert("idle agent: beats only".to_owned(), beats);
    let mut busy = beats;
    for (what, times) in BUSY {
        let each = all.operations.get(what).copied();
        let each = each.ok_or_else(|| format!("no test has counted {what:?}"))?;
        // A beat with another task is there instead of a steady one.
        let instead = if what.starts_with("heartbeat") {
            steady
        } else {
            0.0
        };
        busy += (each - instead) * times / 1e6;
    }
    all.months.insert("busy agent".to_owned(), busy);
    Ok(all)
}

/// The report, in Markdown. `cpu` is what the bench measured, in milliseconds, by its name of a call.
pub fn report(counted: &[Counted], prices: &Prices, cpu: &BTreeMap<String, f64>) -> String {
    let mut text = format!(
        "# Cost\n\nUS dollars, us-east-1, on demand, without free tiers, arm64; prices of {}, from \
         calls that tests counted. A function is taken to work {} ms for each round trip to AWS; where \
         the bench has measured its CPU, that is added in brackets.\n\n\
         ## Operations, per million\n\n\
         | operation | function | API, queues, keys, bucket, events | function | table | write units | \
         read units | round trips | **per million** |\n|---|---|---|---|---|---|---|---|---|\n",
        price::AS_OF,
        price::ROUND_TRIP_SECONDS * 1e3,
    );
    for one in counted {
        let measured = cpu.get(bench_name(one)).map(|ms| {
            // A function of so much memory has that part of a CPU.
            let seconds = ms / 1e3 * price::MEGABYTES_PER_CPU / (one.memory * 1024.0);
            format!(" ({:.2})", one.per_million(seconds))
        });
        let _ = writeln!(
            text,
            "| {} | `{}` | {:.2} | {:.3} | {:.3} | {} | {} | {} | **{:.2}**{} |",
            one.what,
            one.handler,
            one.others(),
            one.compute(0.0),
            one.table(),
            one.write_units,
            one.read_units,
            one.round_trips,
            one.per_million(0.0),
            measured.unwrap_or_default()
        );
    }
    let _ = writeln!(
        text,
        "\n## Put together, per million\n\n| what | per million |\n|---|---|"
    );
    let alone = |what: &String| counted.iter().any(|it| &it.what == what);
    for (what, each) in prices.operations.iter().filter(|(what, _)| !alone(what)) {
        let _ = writeln!(text, "| {what} | **{each:.2}** |");
    }
    let _ = writeln!(
        text,
        "\n## A month\n\nA busy agent: on each of 30 days, 40 messages answered after 10 s, 20 \
         notifications, 200 beats with another task; and it beats.\n\n| what | a month |\n|---|---|"
    );
    for (what, each) in &prices.months {
        let _ = writeln!(text, "| {what} | **${each:.3}** |");
    }
    text
}

/// What the bench calls this operation.
fn bench_name(one: &Counted) -> &str {
    match one.what.as_str() {
        "heartbeat, nothing new" => "heartbeat",
        "message from a person" => "dispatch",
        "its delivery" => "deliver",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(what: &str, write_units: usize) -> Counted {
        Counted {
            what: what.to_owned(),
            memory: 0.25,
            write_units,
            ..Counted::default()
        }
    }

    fn all() -> Vec<Counted> {
        let names = [
            ("message from a person", 8),
            ("its delivery", 4),
            ("schedules tick, one slot", 9),
            ("heartbeat, nothing new", 1),
            ("heartbeat, another task", 7),
            ("notify", 4),
        ];
        let ticks = TICKS.map(|tick| counted(tick, 1));
        names
            .map(|(what, units)| counted(what, units))
            .into_iter()
            .chain(ticks)
            .collect()
    }

    #[test]
    fn a_month_is_its_ticks_or_its_beats_and_what_they_are_replaced_by() {
        let prices = prices(&all()).expect("prices");
        let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-9, "{one}, {other}");
        let (request, unit) = (price::LAMBDA_REQUEST, price::WRITE_UNIT);
        close(
            prices.months["idle stack: all four"],
            4.0 * (request + unit) * MINUTES / 1e6,
        );
        close(
            prices.months["idle agent: beats only"],
            (request + unit) * BEATS / 1e6,
        );
        close(
            prices.operations["slot of a schedule, taken on"],
            8.0 * unit,
        );
        let waits = 2.0 * 10.0 * 0.25 * price::LAMBDA_GB_SECOND;
        let message = 2.0 * request + 12.0 * unit + waits;
        close(prices.operations["message, answered after 10 s"], message);
        let more = message * 1_200.0 + (request + 4.0 * unit) * 600.0 + 6.0 * unit * 6_000.0;
        let busy = prices.months["busy agent"] - prices.months["idle agent: beats only"];
        close(busy, more / 1e6);
    }

    #[test]
    fn what_no_test_has_counted_is_named() {
        let mut some = all();
        some.retain(|it| it.what != "notify");
        let missing = prices(&some).expect_err("missing");
        assert!(missing.contains("notify"), "{missing}");
    }

    #[test]
    fn the_benchs_cpu_stands_in_brackets() {
        let all = all();
        let prices = prices(&all).expect("prices");
        let cpu = [("notify".to_owned(), 1.0)].into();
        let text = report(&all, &prices, &cpu);
        let line = text.lines().find(|line| line.starts_with("| notify |"));
        // 1 ms of a CPU is 7 ms of a seventh: 0.25 GB for 6.9 ms is $0.023.
        let line = line.expect("a line");
        assert!(line.ends_with("| **2.70** (2.72) |"), "{line}");
    }
}
