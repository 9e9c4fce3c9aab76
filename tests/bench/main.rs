//! `make bench`: what functions take of a machine, beside a bare one and beside the baseline. Not a
//! test: cargo calls a program of this crate so that no build of the functions has to link it.

use std::{collections::BTreeSet, env, fs, path::Path, process::ExitCode};

use e2e::{
    bench::{
        measure::{BARE, Effort, measure, sizes},
        report::{Ratios, Sizes, compare, report},
    },
    counted::show,
    template::Template,
};
use serde_json::json;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/baseline.json");

/// What is measured, unless `BENCH_PROFILE` says otherwise (`debug`, to work on the bench itself: those
/// ratios are no baseline).
const PROFILE: &str = "release";

#[tokio::main]
async fn main() -> ExitCode {
    match bench().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            show(&format!("make bench: {why}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether all is as it was, or nobody wants to know that strictly.
async fn bench() -> Result<bool, String> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let local = root.join(".local");
    fs::create_dir_all(&local).map_err(|why| why.to_string())?;
    let profile = env::var("BENCH_PROFILE").unwrap_or_else(|_| PROFILE.to_owned());
    let effort = Effort {
        binaries: root.join("target").join(&profile),
        log: local.join("bench.log"),
        starts: number("STARTS", 15)?,
        calls: number("CALLS", 1000)?,
    };
    // A log of this run alone.
    let _ = fs::remove_file(&effort.log);
    let measured = measure(&effort).await;
    let measured = measured.map_err(|why| format!("{why} (see {})", effort.log.display()))?;
    let (mut bytes, mut absent) = (Sizes::new(), Vec::new());
    let domains = Template::ours().functions().map(|it| it.domain());
    let names: BTreeSet<&str> = domains.chain([BARE]).collect();
    for name in names {
        let binary = effort.binaries.join(name);
        if binary.is_file() {
            bytes.insert(name.to_owned(), sizes(&binary)?);
        } else {
            absent.push(name);
        }
    }
    let (tables, ratios) = report(&measured, &bytes);
    let words = words(&ratios, &profile)?;
    let text = format!(
        "# Bench\n\nBinaries of this machine ({}, {profile}), {} starts and {} calls each. No TLS in any \
         figure, and no network. Lambda gives 256 MB a seventh of a CPU: CPU ms × 7 is what they take \
         there, waiting aside.{}\n\n{tables}\n## Against the baseline\n\n{}\n",
        env::consts::ARCH,
        effort.starts,
        effort.calls,
        not_built(&absent),
        words.0
    );
    show(&text);
    let write =
        |name: &str, text: &str| fs::write(local.join(name), text).map_err(|why| why.to_string());
    write("bench.md", &text)?;
    let cpu = measured.calls.iter().map(|(what, calls)| {
        let each = calls.cpu / calls.count.max(1);
        (what.clone(), json!(each.as_secs_f64() * 1e3))
    });
    let cpu = json!({"cpu_ms": serde_json::Map::from_iter(cpu)});
    // What `make cost` takes in.
    if profile == PROFILE {
        write("bench.json", &cpu.to_string())?;
    }
    Ok(words.1)
}

/// What has moved, in words; and whether that is fine.
fn words(ratios: &Ratios, profile: &str) -> Result<(String, bool), String> {
    if profile != PROFILE {
        return Ok((format!("None: {profile} is not what is deployed."), true));
    }
    let on = |name: &str| env::var(name).is_ok_and(|it| !it.is_empty() && it != "0");
    if on("UPDATE") {
        let text = serde_json::to_string_pretty(ratios).map_err(|why| why.to_string())?;
        fs::write(BASELINE, text + "\n").map_err(|why| why.to_string())?;
        return Ok(("This run is the baseline now.".to_owned(), true));
    }
    let Ok(baseline) = fs::read_to_string(BASELINE) else {
        let none = "There is no baseline to compare with: `make bench-baseline` writes it.";
        return Ok((none.to_owned(), !on("STRICT")));
    };
    let baseline: Ratios = serde_json::from_str(&baseline).map_err(|why| why.to_string())?;
    let verdict = compare(&baseline, ratios);
    let mut lines: Vec<String> = verdict
        .worse
        .iter()
        .map(|it| format!("- **Worse**: {it}."))
        .collect();
    lines.extend(verdict.others.iter().map(|it| format!("- {it}.")));
    if lines.is_empty() {
        lines.push("Nothing moved by more than 15 %.".to_owned());
    }
    Ok((lines.join("\n"), verdict.worse.is_empty() || !on("STRICT")))
}

fn not_built(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        names => format!(" Not built, and so not here: {}.", names.join(", ")),
    }
}

fn number(name: &str, usual: usize) -> Result<usize, String> {
    match env::var(name) {
        Ok(text) if !text.is_empty() => text.parse().map_err(|_| format!("{name} is no number")),
        _ => Ok(usual),
    }
}
