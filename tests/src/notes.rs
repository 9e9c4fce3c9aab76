//! What tests tell the harness that runs them (`infra/local/test.py`).
//!
//! Which secrets they sent, so that it can look for them in the logs of all functions, and which
//! permissions functions needed in process. Without a harness nothing is noted there; a test may also
//! ask what was noted on its thread.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashSet},
    env,
    fs::{File, OpenOptions},
    io::Write as _,
    path::PathBuf,
    sync::{Mutex, OnceLock},
};

use serde_json::{Value, json};

use crate::counted::AwsCall;

/// Where notes go: a folder.
const FOLDER: &str = "NOTES_FOLDER";
/// Shorter texts stand in lines by chance.
const SHORTEST: usize = 12;

/// One file of notes, with what is in it already.
#[derive(Debug)]
struct Notes(Option<(File, HashSet<String>)>);

impl Notes {
    fn open(name: &str) -> Mutex<Self> {
        let folder = env::var_os(FOLDER).map(PathBuf::from);
        let file = folder.map(|folder| {
            let mut options = OpenOptions::new();
            let options = options.create(true).append(true);
            options.open(folder.join(name)).expect("a file")
        });
        Mutex::new(Self(file.map(|file| (file, HashSet::new()))))
    }

    fn add(&mut self, line: String) {
        if let Some((file, known)) = &mut self.0
            && !known.contains(&line)
        {
            // One write a line: processes of tests may run side by side.
            let whole = format!("{line}\n");
            file.write_all(whole.as_bytes()).expect("written");
            known.insert(line);
        }
    }
}

fn sent() -> &'static Mutex<Notes> {
    static SENT: OnceLock<Mutex<Notes>> = OnceLock::new();
    SENT.get_or_init(|| Notes::open("sent.jsonl"))
}

/// Notes a token that is presented.
pub(crate) fn token(text: &str) {
    secret("token", text);
}

/// Notes what a body says that is nobody's business: texts of several words, and what stands under
/// names of secrets.
pub(crate) fn body(body: &Value) {
    match body {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match (name.as_str(), inner) {
                    ("value" | "auth_token", Value::String(text)) => secret("secret", text),
                    ("secrets", Value::Object(all)) => {
                        let values = all.values().filter_map(Value::as_str);
                        values.for_each(|text| secret("secret", text));
                    }
                    _ => self::body(inner),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(self::body),
        Value::String(text) if text.contains(' ') => secret("text of a body", text),
        _ => {}
    }
}

fn secret(kind: &str, text: &str) {
    if text.len() >= SHORTEST {
        // A long one is known by its beginning.
        let start: String = text.chars().take(200).collect();
        let line = json!({"kind": kind, "text": start}).to_string();
        sent().lock().expect("lock").add(line);
    }
}

/// Permissions, each an action and what it acts on.
pub type Permissions = BTreeSet<(String, String)>;

thread_local! {
    /// What functions needed on this thread: a test runs on one.
    static HERE: RefCell<BTreeMap<String, Permissions>> = RefCell::default();
}

/// Notes what a function needed.
pub fn needed<'a>(function: &str, calls: impl IntoIterator<Item = &'a AwsCall>) {
    let permissions = calls.into_iter().flat_map(AwsCall::permissions);
    note(function, permissions.collect());
}

/// Notes what a function needed of a service that is not asked over a wire: actions alone.
pub fn asked(function: &str, actions: impl IntoIterator<Item = &'static str>) {
    let permissions = actions.into_iter().map(|it| (it.to_owned(), String::new()));
    note(function, permissions.collect());
}

fn note(function: &str, permissions: Permissions) {
    static NEEDED: OnceLock<Mutex<Notes>> = OnceLock::new();
    let notes = NEEDED.get_or_init(|| Notes::open("needed.tsv"));
    let mut notes = notes.lock().expect("lock");
    for (action, resource) in &permissions {
        notes.add(format!("{function}\t{action}\t{resource}"));
    }
    HERE.with_borrow_mut(|here| {
        let all = here.entry(function.to_owned()).or_default();
        all.extend(permissions);
    });
}

/// What functions needed while this was done, on this thread.
pub fn during(work: impl FnOnce()) -> BTreeMap<String, Permissions> {
    HERE.take();
    work();
    HERE.take()
}
