//! The copying of files of the chat to where the agent reads them.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
};

use crate::sandbox::{ID, Machine, TOKEN};

const FOLDER: &str = "workspace/.molecule/chat-uploads";

fn machine(name: &str) -> Machine {
    let machine = Machine::new(name);
    machine.boots(&[200]);
    machine.write("workspace/agents-own", "");
    machine.write("file", "content\n");
    machine
}

fn offer(machine: &Machine, names: &[&str]) {
    let file = |name: &&str| serde_json::json!({"name": name, "url": "https://bucket/?signed=1"});
    let files: Vec<_> = names.iter().map(file).collect();
    let answer = serde_json::json!({"files": files, "seen": "mark-1"});
    machine.write("uploads", &answer.to_string());
}

fn listed(machine: &Machine) -> Vec<String> {
    let entries = fs::read_dir(machine.path(FOLDER)).expect("the folder");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("read").file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_boot_starts_what_copies_files() {
    let machine = machine("pull-starts");
    let calls = machine.read("calls");
    assert!(calls.contains("systemd-run") && calls.contains("per-boot/agent pull"));
}

#[test]
fn new_files_come_to_the_agents_disk_once() {
    let machine = machine("pull");
    offer(&machine, &["one-a.txt", "two-b.txt"]);
    machine.write("calls", "");
    machine.write("curl-configs", "");
    machine.pulls(2);
    assert_eq!(listed(&machine), ["one-a.txt", "two-b.txt"]);
    for name in listed(&machine) {
        let path = format!("{FOLDER}/{name}");
        assert_eq!(machine.read(&path), "content\n");
        let mode = fs::metadata(machine.path(&path))
            .expect("there")
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o644);
    }
    let calls = machine.read("calls");
    let asked = format!("https://api.example.com/workspaces/{ID}/chat/uploads?seen=");
    assert!(calls.contains(&format!("{asked}\n")), "{calls}");
    assert!(calls.contains(&format!("{asked}mark-1\n")), "{calls}");
    // Two looks and two files: the second look found them there.
    assert_eq!(calls.matches("curl ").count(), 4, "{calls}");
    // Neither the token nor an address is among the arguments.
    assert!(
        !calls.contains(TOKEN) && !calls.contains("signed"),
        "{calls}"
    );
    assert!(machine.read("curl-configs").contains(TOKEN));
}

#[test]
fn what_fails_is_tried_again() {
    let machine = machine("pull-again");
    machine.pulls(1);
    offer(&machine, &["one-a.txt"]);
    fs::remove_file(machine.path("file")).expect("there");
    machine.pulls(1);
    assert_eq!(listed(&machine), [".part"]);
    machine.write("file", "content\n");
    machine.pulls(1);
    assert_eq!(listed(&machine), ["one-a.txt"]);
}

#[test]
fn no_link_of_the_agent_leads_out_of_its_disk() {
    let machine = machine("pull-links");
    let outside: PathBuf = machine.path("outside");
    fs::create_dir_all(&outside).expect("made");
    offer(&machine, &["../../escaped", "one-a.txt"]);
    symlink(&outside, machine.path("workspace/.molecule")).expect("linked");
    machine.pulls(1);
    fs::remove_file(machine.path("workspace/.molecule")).expect("there");
    fs::create_dir_all(machine.path(FOLDER)).expect("made");
    symlink(outside.join("x"), machine.path(&format!("{FOLDER}/.part"))).expect("linked");
    machine.pulls(1);
    assert_eq!(fs::read_dir(&outside).expect("there").count(), 0);
    fs::remove_file(machine.path(&format!("{FOLDER}/.part"))).expect("there");
    machine.pulls(1);
    assert_eq!(listed(&machine), ["escaped", "one-a.txt"]);
    assert_eq!(fs::read_dir(&outside).expect("there").count(), 0);
}
