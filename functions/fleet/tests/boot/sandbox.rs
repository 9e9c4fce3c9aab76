//! A machine in a folder: its file system, and the commands that would reach out of it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use fleet::machines::{Launch, Tier, user_data::user_data};

pub(crate) const ID: &str = "00000000-0000-4000-8000-000000000001";
pub(crate) const SECRET: &str = "sk-very-secret";
pub(crate) const TOKEN: &str = "workspace-token-1";
pub(crate) const KEY: &str = "role-secret-key";
pub(crate) const SESSION: &str = "role-session-token";
pub(crate) const MULTILINE: &str = "first\nsecond";

/// Plays the metadata service and the platform. `statuses` has one answer a line; the last stays.
const CURL: &str = r#"#!/bin/bash
echo "curl $*" >>"$FAKE/calls"
cat >>"$FAKE/curl-configs"
while [ $# -gt 0 ]; do
  case $1 in
    --output) output=$2 ;;
    --data-binary) body=${2#@} ;;
    http*) url=$1 ;;
  esac
  shift
done
case $url in
  */latest/api/token) echo imds-token ;;
  */placement/region) echo eu-central-1 ;;
  */public-ipv4) echo 203.0.113.7 ;;
  */security-credentials/) echo machines ;;
  */security-credentials/machines) cat "$FAKE/credentials" ;;
  */bootstrap/exchange)
    cat "$body" >>"$FAKE/exchanged"
    status=$(head -1 "$FAKE/statuses")
    [ "$(wc -l <"$FAKE/statuses")" = 1 ] || sed -i 1d "$FAKE/statuses"
    [ "$status" = 200 ] && cp "$FAKE/answer" "$output"
    printf '%s' "$status"
    [ "$status" != 0 ]
    ;;
  */bootstrap-failed) cat "$body" >"$FAKE/reported"; printf 200 ;;
  */chat/uploads*) [ ! -e "$FAKE/uploads" ] || cat "$FAKE/uploads" ;;
  '') cat "$FAKE/file" ;;
  *) exit 22 ;;
esac
"#;

const DOCKER: &str = r#"#!/bin/bash
echo "docker $*" >>"$FAKE/calls"
case "$1 $2" in
  'pull '*) [ ! -e "$FAKE/no-pull" ] || { echo 'manifest unknown'; exit 1; } ;;
  'create '*)
    while [ "$1" != --env-file ]; do shift; done
    cat "$2" >"$FAKE/docker-env"
    printf %s "$CERTIFICATE" >"$FAKE/docker-certificate"
    mkdir -p "$FAKE/configs"
    touch "$FAKE/made"
    ;;
  'volume inspect') echo "$FAKE/${!#}" ;;
  'inspect '*) [ -e "$FAKE/made" ] && cat "$FAKE/state" ;;
  'start '*) [ -e "$FAKE/made" ] ;;
  'logs '*) echo "I cannot use sk-very-secret" ;;
esac
"#;

const OTHER: &str = "#!/bin/bash\necho \"${0##*/} $*\" >>\"$FAKE/calls\"\n";

/// A machine whose user data is what the fleet makes.
pub(crate) struct Machine(PathBuf);

impl Machine {
    pub(crate) fn new(name: &str) -> Self {
        let machine = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("boot-{name}")));
        let _ = fs::remove_dir_all(&machine.0);
        let launch = Launch {
            workspace_id: ID.parse().expect("an id"),
            generation: 1,
            attempt: 0,
            tier: Tier::Two,
            runtime: "example".to_owned(),
            image: None,
            platform_url: "https://api.example.com".parse().expect("a URL"),
        };
        let script = user_data(&launch, "prod").expect("written");
        assert!(script.len() < 16 * 1024, "{} bytes", script.len());
        for (path, text) in [
            ("user-data", script.as_str()),
            ("bin/curl", CURL),
            ("bin/docker", DOCKER),
            ("bin/systemctl", OTHER),
            ("bin/systemd-run", OTHER),
            ("bin/sleep", OTHER),
        ] {
            machine.write(path, text);
            let executable = fs::Permissions::from_mode(0o755);
            fs::set_permissions(machine.0.join(path), executable).expect("its mode");
        }
        machine.write("state", "running 0");
        let credentials =
            format!(r#"{{"AccessKeyId":"ASIA1","SecretAccessKey":"{KEY}","Token":"{SESSION}"}}"#);
        machine.write("credentials", &credentials);
        let answer = serde_json::json!({
            "workspace_id": ID, "generation": 3, "token": TOKEN, "runtime": "example",
            "platform_url": "https://api.example.com",
            "image": format!("local/agent@sha256:{}", "0a".repeat(32)),
            "reset_session": false,
            "env": {"API_KEY": SECRET, "CERTIFICATE": MULTILINE, "EMPTY": ""},
        });
        machine.write("answer", &answer.to_string());
        machine
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap_or_default()
    }

    /// What is in its tmpfs.
    pub(crate) fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.join("run/agent")).expect("there");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> = entries.map(|entry| name(entry.expect("read"))).collect();
        names.sort();
        names
    }

    /// Empties what does not outlive a boot.
    pub(crate) fn power_off(&self) {
        fs::remove_dir_all(self.0.join("run")).expect("there");
    }

    /// Runs the user data and returns its log.
    pub(crate) fn boots(&self, statuses: &[u16]) -> String {
        self.succeeds("user-data", statuses)
    }

    /// The same as cloud-init does in every boot after the first.
    pub(crate) fn boots_later(&self, statuses: &[u16]) -> String {
        self.succeeds("var/lib/cloud/scripts/per-boot/agent", statuses)
    }

    /// Copies files of the chat, as the unit does that a boot has started, and looks so many times.
    pub(crate) fn pulls(&self, looks: usize) {
        self.write("looks", &"x\n".repeat(looks));
        self.write(
            "bin/sleep",
            "#!/bin/bash\n[ -s $FAKE/looks ] && sed -i 1d $FAKE/looks\n",
        );
        let script = self.0.join("var/lib/cloud/scripts/per-boot/agent");
        let output = self.command(&script).arg("pull").output();
        let output = output.expect("bash is there");
        assert!(output.status.success(), "{output:?}");
    }

    /// Runs the user data, which ends with an error.
    pub(crate) fn fails(&self, statuses: &[u16]) -> String {
        let (output, log) = self.run("user-data", statuses);
        assert_eq!(output.status.code(), Some(1), "{log}");
        log
    }

    fn succeeds(&self, script: &str, statuses: &[u16]) -> String {
        let (output, log) = self.run(script, statuses);
        assert!(output.status.success(), "{log}");
        log
    }

    fn run(&self, script: &str, statuses: &[u16]) -> (Output, String) {
        let lines: Vec<_> = statuses
            .iter()
            .map(|status| format!("{status}\n"))
            .collect();
        self.write("statuses", &lines.concat());
        let output = self.command(&self.0.join(script)).output();
        let output = output.expect("bash is there");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        (output, log)
    }
    fn command(&self, script: &Path) -> Command {
        let path = std::env::var("PATH").expect("a path");
        let bin = self.0.join("bin");
        let mut command = Command::new(script);
        command
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin:{path}", bin.display()))
            .env("FAKE", &self.0)
            .env("BOOT_ROOT", &self.0);
        command
    }
}
