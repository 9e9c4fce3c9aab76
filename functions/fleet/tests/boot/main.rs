//! `infra/boot/boot.sh` as the user data of a machine, run for real in a sandbox: beside it only the
//! commands that reach out of the machine are played.

mod pull;
mod sandbox;
mod signature;

use sandbox::{KEY, MULTILINE, Machine, SECRET, SESSION, TOKEN};

#[test]
fn a_machine_becomes_an_agent() {
    let machine = Machine::new("becomes");
    let log = machine.boots(&[200]);
    assert!(log.contains("boot: the agent runs"), "{log}");

    let variables = machine.read("docker-env");
    for line in [
        &format!("API_KEY={SECRET}"),
        &format!("AUTH_TOKEN={TOKEN}"),
        "AGENT_URL=http://203.0.113.7:8000",
        "HOSTNAME=203.0.113.7",
        "PORT=8000",
        "EMPTY=",
    ] {
        assert!(variables.lines().any(|found| found == line), "{line}");
    }
    assert!(variables.contains("\nCERTIFICATE\n"), "by name only");
    assert_eq!(machine.read("docker-certificate"), MULTILINE);
    assert_eq!(machine.read("configs/.auth_token").trim(), TOKEN);

    let calls = machine.read("calls");
    let image = format!("docker pull --quiet local/agent@sha256:{}", "0a".repeat(32));
    assert!(calls.contains(&image), "{calls}");
    assert!(calls.contains("--publish 8000:8000"), "{calls}");
    assert!(calls.contains("--volume workspace:/workspace"), "{calls}");
    let sessions = "--volume sessions:/root/.claude/sessions";
    assert!(calls.contains(sessions), "{calls}");
    assert!(!calls.contains("volume rm"), "what it remembers stays");
    assert!(calls.contains("https://api.example.com/bootstrap/exchange"));
    assert!(!calls.contains("bootstrap-failed"), "{calls}");
    assert!(
        machine
            .read("exchanged")
            .contains(r#""X-Molecule-Stack":"prod""#)
    );
}

#[test]
fn what_the_environment_says_wins_over_what_the_script_adds() {
    let machine = Machine::new("wins");
    let told = machine.read("answer");
    let told = told.replacen(
        r#""env":{"#,
        r#""env":{"HOSTNAME":"0.0.0.0","PORT":"9000","#,
        1,
    );
    machine.write("answer", &told);
    machine.boots(&[200]);
    let variables = machine.read("docker-env");
    let of = |name: &str| -> Vec<&str> {
        let lines = variables.lines();
        lines.filter_map(|it| it.strip_prefix(name)).collect()
    };
    assert_eq!(of("HOSTNAME="), ["0.0.0.0"], "{variables}");
    assert_eq!(of("PORT="), ["9000"], "{variables}");
    assert_eq!(of("AGENT_URL="), ["http://203.0.113.7:8000"], "{variables}");
}

#[test]
fn no_secret_is_in_arguments_or_in_the_log_or_left_behind() {
    let machine = Machine::new("secrets");
    machine.write("state", "restarting 3");
    let output = machine.fails(&[503, 200]);
    let calls = machine.read("calls");
    let log = machine.read("run/agent/boot.log");
    for secret in [SECRET, TOKEN, SESSION, KEY, "imds-token"] {
        assert!(!calls.contains(secret), "{secret} in {calls}");
        assert!(!output.contains(secret), "{secret} in {output}");
    }
    // The agent's own words are kept for whoever may be on the machine, and blanked in what leaves it.
    assert!(log.contains(SECRET), "{log}");
    let report = machine.read("reported");
    assert!(report.contains("I cannot use ***"), "{report}");
    assert!(!report.contains(SECRET), "{report}");
    let left = machine.left();
    assert_eq!(left, ["boot.log", "lock"]);
}

#[test]
fn again_in_one_boot_it_does_nothing_and_in_the_next_it_starts_anew() {
    let machine = Machine::new("again");
    machine.boots(&[200]);
    let calls = machine.read("calls");
    machine.boots(&[200]);
    assert_eq!(machine.read("calls"), calls, "booted already");

    machine.power_off();
    let log = machine.boots_later(&[200]);
    assert!(log.contains("generation 3"), "{log}");
    let calls = machine.read("calls");
    assert_eq!(calls.matches("docker rm --force agent").count(), 2);
    assert_eq!(calls.matches("docker create").count(), 2);
}

#[test]
fn it_forgets_its_session_when_it_is_told_to() {
    let machine = Machine::new("forgets");
    let told = machine.read("answer");
    let told = told.replace(r#""reset_session":false"#, r#""reset_session":true"#);
    machine.write("answer", &told);
    machine.boots(&[200]);
    let calls = machine.read("calls");
    let at = |text: &str| {
        calls
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {calls}"))
    };
    let forgotten = at("docker volume rm --force sessions");
    assert!(at("docker rm --force") < forgotten && forgotten < at("docker create"));
    assert!(!calls.contains("volume rm --force configs"), "{calls}");
}

#[test]
fn it_asks_until_it_is_let_in() {
    let machine = Machine::new("asks");
    let log = machine.boots(&[401, 503, 0, 200]);
    assert!(log.contains("the exchange was answered with 401"), "{log}");
    let sleeps = machine.read("calls");
    assert!(sleeps.contains("sleep 2\n") && sleeps.contains("sleep 8\n"));
    assert_eq!(machine.read("exchanged").matches("Signature=").count(), 4);
}

#[test]
fn who_is_never_let_in_says_so_on_the_console() {
    let machine = Machine::new("refused");
    let log = machine.fails(&[401]);
    assert!(log.contains("did not let this machine in"), "{log}");
    assert!(!machine.read("calls").contains("bootstrap-failed"));
}

#[test]
fn a_machine_that_was_only_rebooted_goes_on() {
    let machine = Machine::new("rebooted");
    machine.boots(&[200]);
    machine.power_off();
    machine.boots_later(&[401]);
    let calls = machine.read("calls");
    assert_eq!(calls.matches("docker create").count(), 1, "{calls}");
    assert_eq!(calls.matches("docker start agent").count(), 2, "{calls}");
}

#[test]
fn what_fails_is_reported_with_the_end_of_the_log() {
    let machine = Machine::new("fails");
    machine.write("no-pull", "");
    machine.fails(&[200]);
    let report = machine.read("reported");
    assert!(
        report.contains(r#""error": "the image cannot be pulled""#),
        "{report}"
    );
    assert!(report.contains("manifest unknown"), "{report}");
    let to = format!("/admin/workspaces/{}/bootstrap-failed", sandbox::ID);
    assert!(machine.read("calls").contains(&to));
    assert!(
        machine
            .read("curl-configs")
            .contains(&format!("Bearer {TOKEN}"))
    );
    assert!(!machine.read("calls").contains("docker create"));
}
