//! `make cost`: what operations, an idle stack and an agent's month cost, from what the counting tests
//! have left. Not a test: see `tests/bench/main.rs`.

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode};

use e2e::{
    cost::{read_all, readme::differences, table},
    counted::show,
};
use serde_json::Value;

/// What the README has a row for.
const IN_THE_README: [&str; 16] = [
    "heartbeat, nothing new",
    "heartbeat, another task",
    "message, answered after 1 s",
    "message, answered after 10 s",
    "notify",
    "ask for approval",
    "create",
    "slot of a schedule, taken on",
    "set a secret",
    "read the environment",
    "messages tick, nothing due",
    "schedules tick, nothing due",
    "sweep of silent agents, none there",
    "sweep of late boots, none there",
    "idle agent: beats only",
    "busy agent",
];

fn main() -> ExitCode {
    match cost() {
        Ok(differences) if differences.is_empty() => ExitCode::SUCCESS,
        Ok(differences) => {
            show(&format!(
                "The README is wrong:\n- {}",
                differences.join("\n- ")
            ));
            ExitCode::FAILURE
        }
        Err(why) => {
            show(&format!("make cost: {why}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes the report; where the README differs from it.
fn cost() -> Result<Vec<String>, String> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let folder = root.join(".local/cost");
    let counted = read_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let prices = table::prices(&counted)?;
    // The bench need not have run.
    let bench = fs::read(root.join(".local/bench.json")).unwrap_or_default();
    let bench: Value = serde_json::from_slice(&bench).unwrap_or_default();
    let cpu: BTreeMap<String, f64> =
        serde_json::from_value(bench["cpu_ms"].clone()).unwrap_or_default();
    let report = table::report(&counted, &prices, &cpu);
    show(&report);
    fs::write(root.join(".local/cost.md"), &report).map_err(|why| why.to_string())?;
    let readme = fs::read_to_string(root.join("README.md")).map_err(|why| why.to_string())?;
    Ok(differences(&readme, &prices, &IN_THE_README))
}
