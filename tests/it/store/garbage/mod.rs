//! Calls that were right, with one thing in them changed: every route refuses them or takes them, in the
//! ways its description has, and none of them breaks.
//!
//! Over every route there is rather than over every type: a decoder is what a route does with what it was
//! sent, and a new route is covered by the call it needs in `every_route.rs` anyway. In memory, so that a
//! call takes some milliseconds, and each case begins with the same world.

mod change;
mod handshake;
mod stage;
mod told;

use std::{collections::BTreeSet, env};

use change::Change;
use e2e::counted::{InCall, show};
use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRunner},
};
use stage::Stage;

/// How often each call is changed, unless `GARBAGE_CASES` says otherwise.
const CASES: u32 = 4;

fn hold(changes: impl Fn(&InCall) -> Option<BoxedStrategy<Change>>) {
    let stage = Stage::new();
    let cases = env::var("GARBAGE_CASES")
        .ok()
        .and_then(|it| it.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(CASES),
        failure_persistence: None,
        ..Config::default()
    };
    let (mut wrong, mut changed) = (Vec::new(), 0);
    for call in &stage.calls {
        let Some(changes) = changes(call) else {
            continue;
        };
        let outcome = TestRunner::new(config.clone()).run(&changes, |change| {
            let other = change.of(call.clone());
            let answer = stage.answer(other.clone());
            stage.verdict(&other, answer.as_ref())
        });
        if let Err(error) = outcome {
            wrong.push(match error {
                TestError::Fail(why, change) => format!("{call}, {change:?}: {why}"),
                other => format!("{call}: {other}"),
            });
        }
        changed += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    show(&format!(
        "garbage: {changed} calls, each changed {} times",
        config.cases
    ));
}

#[test]
fn every_route_has_a_call_that_succeeds() {
    let stage = Stage::new();
    let (mut all, mut good) = (BTreeSet::new(), BTreeSet::new());
    for call in &stage.calls {
        let answer = stage.answer(call.clone());
        stage.verdict(call, answer.as_ref()).expect("fine");
        let answer = answer.expect("it does not wait");
        all.insert(call.route());
        if answer.status < 400 {
            good.insert(call.route());
        }
    }
    // What no route answers is no success, and a machine's signature cannot be made up.
    good.extend(["ANY $default", "POST /bootstrap/exchange"].map(str::to_owned));
    let refused: Vec<_> = all.difference(&good).collect();
    assert!(
        refused.is_empty(),
        "nothing is looked at there: {refused:#?}"
    );
}

#[test]
fn no_route_breaks_on_a_body_that_somebody_made_up() {
    hold(change::of_body);
}

#[test]
fn no_route_breaks_on_paths_queries_and_headers_that_somebody_made_up() {
    hold(change::of_head);
}
