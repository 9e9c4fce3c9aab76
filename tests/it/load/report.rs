//! How it went: counts, latencies, how busy machine and emulator were. Told, never asserted.

use std::{collections::BTreeMap, fmt::Write as _, fs, io::Write as _, path::Path, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    Run,
    drive::{Heard, Letter, Sent},
    judge, ms,
};

/// How busy this machine was.
#[derive(Debug)]
pub(super) struct Machine {
    /// From when on.
    pub(super) begun: Instant,
    /// Busy and idle, in ticks of all processors.
    ticks: Option<(u64, u64)>,
}

impl Machine {
    /// From now on.
    pub(super) fn look() -> Self {
        Self {
            begun: Instant::now(),
            ticks: ticks(),
        }
    }

    /// What passed since.
    pub(super) fn since(self) -> Self {
        let passed = |(busy, idle): (u64, u64), (busy_now, idle_now): (u64, u64)| {
            (busy_now.saturating_sub(busy), idle_now.saturating_sub(idle))
        };
        let ticks = self.ticks.zip(ticks());
        Self {
            ticks: ticks.map(|(before, now)| passed(before, now)),
            ..self
        }
    }
}

/// Busy and idle ticks since the machine started; none where there is no /proc.
fn ticks() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let fields = stat.lines().next()?.split_whitespace().skip(1);
    let fields: Vec<u64> = fields.filter_map(|field| field.parse().ok()).collect();
    let idle = fields.get(3)? + fields.get(4)?;
    Some((fields.iter().take(8).sum::<u64>() - idle, idle))
}

/// What is told beside the answers.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) machine: Machine,
    /// What the weather tells.
    pub(super) weather: Value,
    /// Until the last message was answered.
    pub(super) took: Duration,
    /// Until all had ended.
    pub(super) drained: Duration,
}

impl Report {
    pub(super) async fn text(&self, name: &str, run: &Run) -> String {
        let (size, mut text) = (&run.size, String::new());
        let mut line = |it: String| writeln!(text, "{it}").expect("written");
        line(format!(
            "## {name}: {} workspaces beating every {} s, {} messages/s for {} s\n",
            size.workspaces,
            size.beat_every.as_secs_f64(),
            size.rate,
            size.time.as_secs_f64(),
        ));
        line("| what | count | p50 ms | p90 | p99 | most |\n|---|---|---|---|---|---|".to_owned());
        for (what, times) in self.times(run) {
            line(format!(
                "| {what} | {} | {} |",
                times.len(),
                quantiles(times)
            ));
        }
        let ended = run.letters.len() as f64 / self.drained.as_secs_f64();
        line(format!(
            "\n{} messages, all answered after {:.1} s, all ended after {:.1} s ({ended:.1}/s).",
            run.letters.len(),
            self.took.as_secs_f64(),
            self.drained.as_secs_f64(),
        ));
        let had = run.crowd.had();
        let more = had
            .values()
            .filter(|had| had.came > had.refused + 1)
            .count();
        let busy: usize = had.values().map(|had| had.refused).sum();
        line(format!(
            "Agents said {busy} times that they are busy; {more} messages came once more."
        ));
        if let Some((used, idle)) = self.machine.ticks {
            let share = 100.0 * used as f64 / (used + idle).max(1) as f64;
            let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
            let load = load.split(' ').next().unwrap_or_default().to_owned();
            line(format!(
                "The machine was busy to {share:.0} %, load average {load}."
            ));
        }
        line(weather(&self.weather, run.letters.len()));
        if size.is_alone() {
            let queues = judge::queues(&run.world).await;
            let queues = queues
                .iter()
                .map(|(name, (there, held))| format!("{name} {there}+{held}"));
            let queues: Vec<String> = queues.collect();
            line(format!("Queues, there + held back: {}.", queues.join(", ")));
        }
        text
    }

    fn times<'a>(&self, run: &'a Run) -> BTreeMap<&'static str, Vec<f64>> {
        let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        let mut note = |kind, sent: &'a Sent| times.entry(kind).or_default().push(ms(sent.took));
        for sent in run.letters.iter().flat_map(Letter::sent) {
            note(kind("message", &sent.heard), sent);
        }
        for beat in &run.beats {
            note(kind("beat", &beat.heard), beat);
        }
        let late = run.letters.iter().map(|letter| ms(letter.late)).collect();
        times.insert("late by (of the sender itself)", late);
        times
    }
}

fn kind(what: &str, heard: &Heard) -> &'static str {
    match (what, heard) {
        (_, Heard::Result(_)) => "message: 200",
        (_, Heard::Kept(_)) => "message: 202",
        (_, Heard::Beat) => "beat: 200",
        ("beat", Heard::Away) => "beat: 503 platform_unavailable",
        (_, Heard::Away) => "message: 503 platform_unavailable",
        (_, Heard::Odd(..)) => "odd",
    }
}

/// Middle, nine of ten, ninety-nine of a hundred, all.
pub(super) fn quantiles(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    let last = times.len().saturating_sub(1);
    let at = |share: usize| times.get(last * share / 100).copied().unwrap_or_default();
    format!(
        "{:.0} | {:.0} | {:.0} | {:.0}",
        at(50),
        at(90),
        at(99),
        at(100)
    )
}

/// What the weather did, and how long callers waited before they came again.
pub(super) fn weather(told: &Value, messages: usize) -> String {
    let counts = |what: &str| {
        let all = told[what].as_object().into_iter().flatten();
        let all: Vec<String> = all.map(|(name, count)| format!("{name} {count}")).collect();
        all.join(", ")
    };
    let total: u64 = told["calls"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, n)| n.as_u64())
        .sum();
    let mut text = format!(
        "The emulator's own process had {:.0} % of a processor. DynamoDB: {total} calls ({:.1} a message, beats and \
         sweeps among them): {}. {} came again as nobody answered in time.",
        100.0 * told["emulator_cpu"].as_f64().unwrap_or_default(),
        total as f64 / messages.max(1) as f64,
        counts("calls"),
        told["not_in_time"],
    );
    if told["refused"]
        .as_object()
        .is_some_and(|refused| !refused.is_empty())
    {
        let _ = write!(
            text,
            "\nRefused: {}. Given up by the SDK: {}.\n\n| wait before | count | p50 ms | p90 | p99 | most | least |\n\
             |---|---|---|---|---|---|---|",
            counts("refused"),
            counts("gave_up"),
        );
        for (attempt, waits) in told["waits_ms"].as_object().into_iter().flatten() {
            let waits: Vec<f64> = waits
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_f64)
                .collect();
            let least = waits.iter().copied().fold(f64::INFINITY, f64::min);
            let _ = write!(
                text,
                "\n| attempt {attempt} | {} | {} | {least:.0} |",
                waits.len(),
                quantiles(waits.clone()),
            );
        }
        text.push('\n');
    }
    text
}

/// Adds a chapter to the report.
pub(super) fn append(path: &Path, text: &str) {
    let file = fs::OpenOptions::new().create(true).append(true).open(path);
    writeln!(file.expect("a file"), "{text}").expect("written");
}
