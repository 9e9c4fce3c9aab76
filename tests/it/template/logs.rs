//! Lines of the log call a thing by one name everywhere: the names in docs/architecture.md.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// All calls of `tracing` below a folder without its tests, by file.
fn calls(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in folder.read_dir().expect("a folder").flatten() {
        let path = entry.path();
        let name = path.display().to_string();
        let inner = path
            .file_name()
            .is_some_and(|name| name == "tests" || name == "tests.rs");
        if inner {
            continue;
        }
        if path.is_dir() {
            calls(&path, found);
        } else if name.ends_with(".rs") {
            let source = fs::read_to_string(&path).expect("a source");
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            for level in ["info", "warn", "error", "debug"] {
                for rest in source.split(&format!("tracing::{level}!(")).skip(1) {
                    found.push((name.clone(), arguments(rest)));
                }
            }
        }
    }
}

/// Up to the parenthesis that closes the call, texts left out.
fn arguments(rest: &str) -> String {
    let (mut depth, mut text, mut kept) = (0, false, String::new());
    let mut before = ' ';
    for it in rest.chars() {
        match it {
            '"' if before != '\\' => text = !text,
            _ if text => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            // What is inside of another call is no argument of this one.
            _ if depth > 0 => {}
            _ => kept.push(it),
        }
        before = it;
    }
    kept
}

/// The names of a call's fields: `name = value`, `%name`, `?name`, `name`.
fn fields(arguments: &str) -> impl Iterator<Item = String> {
    let parts = arguments.split(',').map(|part| {
        let name = part.split('=').next().unwrap_or_default().trim();
        name.trim_start_matches(['%', '?']).to_owned()
    });
    let is_name = |name: &String| {
        let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
        !name.is_empty() && name.chars().all(plain)
    };
    parts.filter(is_name).collect::<Vec<_>>().into_iter()
}

#[test]
fn fields_of_log_lines_have_the_names_that_are_written_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in ["functions", "shared"] {
        calls(&root.join(folder), &mut found);
    }
    assert!(found.len() > 30, "{} calls", found.len());
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, arguments) in &found {
        for field in fields(arguments) {
            used.entry(field).or_default().insert(file.clone());
        }
    }

    let paper = include_str!("../../../docs/architecture.md");
    let (_, table) = paper
        .split_once("| field of a log line |")
        .expect("the table");
    let table = table.split("\n\n").next().unwrap_or_default();
    let first = table.lines().filter_map(|row| row.strip_prefix("| `"));
    let names = first.filter_map(|row| row.split('|').next());
    let written: BTreeSet<String> = names
        .flat_map(|names| names.split('`').map(str::to_owned).collect::<Vec<_>>())
        .filter(|name| !name.trim_matches([',', ' ']).is_empty())
        .collect();

    let unknown: BTreeMap<_, _> = used
        .iter()
        .filter(|(name, _)| !written.contains(*name))
        .collect();
    assert!(
        unknown.is_empty(),
        "not in docs/architecture.md: {unknown:?}"
    );
    let unused: Vec<_> = written
        .iter()
        .filter(|name| !used.contains_key(*name))
        .collect();
    assert!(
        unused.is_empty(),
        "in docs/architecture.md only: {unused:?}"
    );
}
