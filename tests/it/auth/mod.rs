//! Nobody gets in where he does not belong: every route, for every caller, strict and open.

mod callers;
mod deployed;
mod headers;
mod org_tokens;
mod rate;
mod table;
mod used;

use std::collections::BTreeSet;

use callers::{Stage, Who};
use domain::Mode;
pub(crate) use e2e::STRANGER;
use e2e::{Answer, template::Template};
use reqwest::Method;
use serde_json::json;
use table::{Class, Outcome, Row, expected, rows};

impl Row {
    fn method_is_post(&self) -> bool {
        self.route.starts_with("POST ")
    }

    /// Whether calling it takes `own` away from later calls.
    fn ends_it(&self) -> bool {
        let ends = [
            "/pause",
            "/resume",
            "/restart",
            "/hibernate",
            "/bootstrap-failed",
        ];
        self.route == "DELETE /workspaces/{id}" || ends.iter().any(|act| self.path().ends_with(act))
    }
}

/// Why an answer is not what it should be; nothing if it is.
fn differs(row: &Row, answer: &Answer, expected: Outcome) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.bytes);
    let fits = match expected {
        Outcome::Refused(status, sentence) => {
            answer.json == json!({"error": sentence}) && answer.status == status
        }
        // Past the door: what is not there is a part, never the workspace.
        Outcome::In => {
            let parts = row.path().replace("{id}", "").contains('{')
                || row.path() == "/org/tokens/{id}"
                || row.path() == "$default"
                || row.path().contains("/chat/")
                // "not found, or in no state for it".
                || row.path().ends_with("/resume")
                || row.path().ends_with("/hibernate");
            let broken = answer.json["code"] == "platform_unavailable" || answer.status == 500;
            !matches!(answer.status, 401 | 403) && !broken && (parts || answer.status != 404)
        }
    };
    (!fits).then(|| format!("{} {text}", answer.status))
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let routes = Template::ours().routes();
    let routes: BTreeSet<String> = routes
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let mut rows_there = BTreeSet::new();
    for row in rows() {
        assert!(
            rows_there.insert(row.route.to_owned()),
            "{} twice",
            row.route
        );
    }
    let new: Vec<_> = routes.difference(&rows_there).collect();
    assert!(
        new.is_empty(),
        "who may call these? Say it in tests/it/auth/table.rs: {new:?}"
    );
    let gone: Vec<_> = rows_there.difference(&routes).collect();
    assert!(
        gone.is_empty(),
        "rows of routes that are not there: {gone:?}"
    );
}

async fn every_caller_at_every_door(mode: Mode) {
    let mut stage = Stage::new(mode).await;
    let mut wrong = Vec::new();
    let (mut refused, mut in_) = (0, 0);
    for row in rows() {
        let mut ended = false;
        for who in Who::ALL {
            // With open doors there is no admin token that could be right.
            if who == Who::Admin && mode.doors_open() {
                continue;
            }
            let outcome = expected(row.class, who, mode.doors_open());
            if outcome == Outcome::In && row.ends_it() {
                stage.renewed().await;
                ended = true;
            }
            let call = stage.call(&row, &stage.own.id).bearer(stage.token(who));
            let says = matches!(row.class, Class::Discover | Class::Talks);
            let call = match says {
                true => call.header("X-Workspace-ID", stage.claimed(who)),
                false => call,
            };
            let answer = call.await;
            match outcome {
                Outcome::In => in_ += 1,
                Outcome::Refused(..) => refused += 1,
            }
            if let Some(got) = differs(&row, &answer, outcome) {
                wrong.push(format!("{} by {who:?}: {got}, not {outcome:?}", row.route));
            }
        }
        if ended {
            stage.renewed().await;
        }
    }
    let wrong = wrong.join("\n");
    assert!(wrong.is_empty(), "{mode:?}\n{wrong}");
    e2e::counted::show(&format!("{mode:?}: {in_} let in, {refused} refused"));
}

#[tokio::test]
async fn every_caller_at_every_door_of_a_strict_stack() {
    every_caller_at_every_door(Mode::Strict).await;
}

#[tokio::test]
async fn every_caller_at_every_door_in_open_development() {
    every_caller_at_every_door(Mode::Dev).await;
}

#[tokio::test]
async fn what_is_missing_removed_or_foreign_is_one_and_the_same() {
    let stage = Stage::new(Mode::Strict).await;
    let mut wrong = Vec::new();
    for row in rows().iter().filter(|row| row.hides()) {
        let mut seen = Vec::new();
        for id in [&stage.foreign.id, &stage.removed.id, STRANGER] {
            let call = stage.call(row, id).bearer(&stage.own.token);
            let call = call.header("X-Workspace-ID", &stage.own.id);
            let (answer, calls) = call.counted().await;
            let names: Vec<_> = calls.iter().map(e2e::counted::AwsCall::name).collect();
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            seen.push((answer.status, text, names));
        }
        if matches!(row.class, Class::Discover | Class::Talks | Class::Sender) {
            // A sibling that was removed is still one (contract: registry-and-auth 6).
            seen.remove(1);
        }
        if seen.iter().any(|it| *it != seen[0] || it.0 < 400) {
            wrong.push(format!("{}: {seen:?}", row.route));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn who_it_is_comes_before_what_it_says() {
    let stage = Stage::new(Mode::Strict).await;
    let mut wrong = Vec::new();
    for row in rows() {
        let writes = [Method::POST, Method::PUT, Method::PATCH];
        // Whose door it is stands in the body of these.
        let in_body = row.names_in_body() || row.path() == "/registry/check-access";
        if row.route.starts_with("ANY") || !writes.contains(&row.method()) || in_body {
            continue;
        }
        let path = callers::filled(row.path(), &stage.own.id);
        for who in [Who::Nobody, Who::Wrong, Who::Foreign] {
            let call = stage.inside.call(row.method(), &path);
            let call = call.bearer(stage.token(who)).json(&json!(["garbage"]));
            let answer = call.await;
            let outcome = expected(row.class, who, false);
            if outcome == Outcome::In {
                continue;
            }
            if let Some(got) = differs(&row, &answer, outcome) {
                wrong.push(format!("{} by {who:?}: {got}, not {outcome:?}", row.route));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn with_open_doors_who_says_to_be_a_workspace_with_tokens_proves_it() {
    let stage = Stage::new(Mode::Dev).await;
    let untold = json!({"name": "Untold", "runtime": "example", "parent_id": stage.top.id});
    let untold = stage.inside.post("/workspaces").json(&untold).await;
    let untold = untold.expect(201).text("id");
    let (own, sibling, foreign) = (&stage.own, &stage.sibling, &stage.foreign);
    let none = (401, "missing caller auth token");
    let wrong = (401, "invalid caller auth token");
    let sentence = "access denied: workspaces cannot communicate per hierarchy rules";
    for (claims, bearer, refused) in [
        (&sibling.id, sibling.token.as_str(), None),
        (&sibling.id, "", Some(none)),
        (&sibling.id, "not-a-token", Some(wrong)),
        (&sibling.id, own.token.as_str(), Some(wrong)),
        (&foreign.id, foreign.token.as_str(), Some((403, sentence))),
        // One that never had a token, and one that talks to itself, are believed.
        (&untold, "", None),
        (&own.id, "", None),
    ] {
        let send = stage.inside.post(&format!("/workspaces/{}/a2a", own.id));
        let send = send.bearer(bearer).header("X-Workspace-ID", claims);
        let answer = send.json(&e2e::envelope("hello")).await;
        match refused {
            Some(refused) => assert_eq!(answer.error(), refused, "{claims} {bearer}"),
            None => assert!(answer.status < 300, "{claims} {bearer}: {answer:?}"),
        }
    }
}
