//! The routes with their classes (contract: registry-and-auth 4 and the route appendix; decisions 3 to
//! 8, 31, 32 and 37), and what each class answers to whom. From the contract, not from the code.

use reqwest::Method;
use serde_json::{Value, json};

use super::callers::{Who, Who::*};

/// Who may, by the contract's letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// `-`: everybody.
    Everybody,
    /// `A`: operators.
    Admin,
    /// `W`: the workspace itself and operators.
    Own,
    /// `W+`: the workspace itself and no operator (4.8).
    Itself,
    /// `R`: the workspace named in the body, and no operator (4.4).
    Registry,
    /// `R` of registering: operators, too (decision 38).
    Register,
    /// `D` for the workspace in the path (4.7).
    Peers,
    /// `D` for the workspace in `X-Workspace-ID`, which then may talk to the one in the path or not.
    Discover,
    /// Any live credential where the reference asks for none (decision 31).
    Any,
    /// The same, and then only to those it concerns; to others it is not there (decision 43).
    AnyConcerned,
    /// `C`: any live credential, with the sentences of `A` (decision 32).
    Canvas,
    /// `P`: who may send (decision 37).
    Sender,
    /// Who may talk to the workspace, named in `X-Workspace-ID`; operators (4.8).
    Talks,
    /// `W` in the contract, which is a hole there (registry-and-auth, trap 19): operators, and the
    /// workspace itself is told so in these words.
    Operate(&'static str),
    /// The admin alone, in development alone (11.3).
    TestToken,
    /// A machine, by its signature, whatever the bearer (decision 3).
    Machine,
}

/// What a caller gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Past the door.
    In,
    /// This status and this sentence.
    Refused(u16, &'static str),
}

use Outcome::{In, Refused};

const fn no(sentence: &'static str) -> Outcome {
    Refused(401, sentence)
}

/// What a class answers.
pub(super) fn expected(class: Class, who: Who, open: bool) -> Outcome {
    let dead = matches!(who, Wrong | Revoked | Removed | RevokedOrg);
    let operator = matches!(who, Org | Admin);
    let invalid_own = no("invalid workspace auth token");
    let missing_own = no("missing workspace auth token");
    let only_itself = match who {
        Own => In,
        Nobody => missing_own,
        _ => invalid_own,
    };
    match class {
        Class::Everybody => In,
        Class::Machine => no("bootstrap refused"),
        Class::TestToken if open => In,
        // As if the route were not there.
        Class::TestToken => Refused(404, "not found"),
        Class::Admin | Class::Peers | Class::Any if open => In,
        Class::Admin => match who {
            Nobody => no("admin auth required"),
            _ if operator => In,
            _ => no("invalid admin auth token"),
        },
        Class::Operate(sentence) if who == Own && !open => Refused(403, sentence),
        Class::Own | Class::Operate(_) => match who {
            Nobody if open => In,
            Own | Org | Admin => In,
            Nobody => missing_own,
            _ => invalid_own,
        },
        Class::Itself | Class::Registry | Class::Peers => only_itself,
        Class::Register if operator => In,
        Class::Register => only_itself,
        // Open doors believe who somebody says to be; what may be seen is decided all the same.
        Class::Discover => match who {
            Foreign => Refused(403, "not authorized to discover this workspace"),
            Sibling => In,
            _ if open => In,
            _ => only_itself,
        },
        Class::Any | Class::AnyConcerned => match who {
            Nobody if !open => no("missing auth token"),
            _ if dead && !open => no("invalid auth token"),
            _ if class == Class::AnyConcerned => Refused(404, "request not found"),
            _ => In,
        },
        Class::Canvas => match who {
            Nobody if open => In,
            Nobody => no("admin auth required"),
            _ if dead => no("invalid admin auth token"),
            _ => In,
        },
        // Who does not say to be a workspace is a person.
        Class::Sender if open => In,
        Class::Sender => match who {
            Nobody => no("missing caller auth token"),
            _ if dead => no("invalid caller auth token"),
            Foreign => Refused(
                403,
                "access denied: workspaces cannot communicate per hierarchy rules",
            ),
            _ => In,
        },
        Class::Talks => match who {
            Nobody if open => In,
            Nobody => no("missing caller auth token"),
            _ if dead => no("invalid caller auth token"),
            Foreign => Refused(403, "access denied"),
            _ => In,
        },
    }
}

/// A route of the template: its class, and a body that does not stop at 400.
pub(super) struct Row {
    pub(super) route: &'static str,
    pub(super) class: Class,
    pub(super) body: Option<Value>,
}

impl Row {
    pub(super) fn method(&self) -> Method {
        let method = self.route.split(' ').next().unwrap_or_default();
        method.parse().expect("a method")
    }

    pub(super) fn path(&self) -> &'static str {
        self.route.split(' ').nth(1).unwrap_or_default()
    }

    /// Whether the one whom it is about is named in the body.
    pub(super) fn names_in_body(&self) -> bool {
        matches!(self.class, Class::Registry | Class::Register)
    }

    /// Whether what it says of a workspace is for it and operators alone: then one that is missing and
    /// one that is somebody else's are the same.
    pub(super) fn hides(&self) -> bool {
        let about = self.path().contains("{id}") && self.path() != "/org/tokens/{id}";
        (about || self.names_in_body()) && self.class != Class::Any
    }
}

/// Every route that there is, and its class. `$id` in a body is the workspace.
pub(super) fn rows() -> Vec<Row> {
    let secret = || json!({"key": "K", "value": "v"});
    let card = json!({"workspace_id": "$id", "agent_card": {}});
    let registration =
        json!({"id": "$id", "url": e2e::counted::PUBLIC, "agent_card": {"name": "auth"}});
    let message = e2e::envelope("hello");
    let schedule = json!({"name": "n", "cron_expr": "0 9 * * *", "prompt": "p"});
    let asks = json!({"caller_id": "$id", "target_id": "$id"});
    let org = json!({"template": {"workspaces": [{"name": "A"}]}});
    let large = json!({"name": "a.txt", "size": 1});
    let mut rows = Vec::new();
    let mut add = |class, routes: &[(&'static str, Option<Value>)]| {
        rows.extend(routes.iter().map(|(route, body)| Row {
            route,
            class,
            body: body.clone(),
        }));
    };
    add(
        Class::Everybody,
        &[
            ("GET /health", None),
            ("GET /openapi.json", None),
            ("GET /canvas/viewport", None),
            ("ANY $default", None),
        ],
    );
    add(
        Class::Admin,
        &[
            (
                "POST /workspaces",
                Some(json!({"name": "n", "external": true})),
            ),
            ("GET /workspaces", None),
            ("DELETE /workspaces/{id}", None),
            ("GET /workspaces/{id}/console", None),
            (
                "PATCH /workspaces/{id}/budget",
                Some(json!({"budget_limit": 1})),
            ),
            ("GET /events", None),
            ("GET /events/{id}", None),
            ("GET /approvals/pending", None),
            ("GET /admin/a2a-queue", None),
            ("POST /admin/a2a-queue/redrive", None),
            ("POST /admin/a2a-queue/drop-stale", Some(json!({}))),
            ("GET /admin/schedules/health", None),
            ("GET /admin/liveness", None),
            // Decision 31: the admin's; the reference leaves it open.
            ("GET /metrics", None),
            ("POST /admin/workspace-images/refresh", None),
            ("GET /settings/secrets", None),
            ("POST /settings/secrets", Some(secret())),
            ("PUT /settings/secrets", Some(secret())),
            ("DELETE /settings/secrets/{key}", None),
            ("GET /admin/secrets", None),
            ("POST /admin/secrets", Some(secret())),
            ("PUT /admin/secrets", Some(secret())),
            ("DELETE /admin/secrets/{key}", None),
            ("GET /templates", None),
            (
                "POST /templates/import",
                Some(json!({"name": "a", "files": {}})),
            ),
            ("POST /templates/refresh", None),
            ("GET /org/templates", None),
            ("POST /org/import", Some(org)),
            ("GET /org/tokens", None),
            ("POST /org/tokens", Some(json!({"name": "n"}))),
            ("DELETE /org/tokens/{id}", None),
        ],
    );
    add(
        Class::Own,
        &[
            ("PATCH /workspaces/{id}", Some(json!({"name": "n"}))),
            // The contract's second gate (4.8) keeps operators out, who see the same in
            // `GET /workspaces/{id}`: here they pass.
            ("GET /workspaces/{id}/state", None),
            ("POST /workspaces/{id}/restart", None),
            // The contract has `A`; whoever knows that a boot failed is the machine, which has its
            // workspace's token and no other.
            (
                "POST /admin/workspaces/{id}/bootstrap-failed",
                Some(json!({"error": "no disk"})),
            ),
            ("GET /workspaces/{id}/budget", None),
            ("GET /workspaces/{id}/metrics", None),
            ("GET /workspaces/{id}/tokens", None),
            ("DELETE /workspaces/{id}/tokens/{token_id}", None),
            ("GET /workspaces/{id}/secrets", None),
            ("POST /workspaces/{id}/secrets", Some(secret())),
            ("PUT /workspaces/{id}/secrets", Some(secret())),
            ("DELETE /workspaces/{id}/secrets/{key}", None),
            ("GET /workspaces/{id}/model", None),
            ("PUT /workspaces/{id}/model", Some(json!({"model": "m"}))),
            (
                "POST /workspaces/{id}/notify",
                Some(json!({"message": "m"})),
            ),
            ("GET /workspaces/{id}/activity", None),
            (
                "POST /workspaces/{id}/activity",
                Some(json!({"activity_type": "agent_log"})),
            ),
            ("GET /workspaces/{id}/session-search", None),
            ("GET /workspaces/{id}/approvals", None),
            (
                "POST /workspaces/{id}/approvals",
                Some(json!({"action": "a"})),
            ),
            ("GET /workspaces/{id}/chat/download", None),
            ("GET /workspaces/{id}/chat/uploads", None),
            ("POST /workspaces/{id}/chat/uploads", None),
            (
                "POST /workspaces/{id}/chat/uploads/presign",
                Some(large.clone()),
            ),
            ("POST /workspaces/{id}/chat/uploads/complete", Some(large)),
            ("GET /workspaces/{id}/events/stream", None),
            (
                "POST /workspaces/{id}/delegate",
                Some(json!({"target_id": super::STRANGER, "task": "t"})),
            ),
            ("GET /workspaces/{id}/delegations", None),
            (
                "POST /workspaces/{id}/delegations/record",
                Some(json!({"target_id": super::STRANGER, "task": "t", "delegation_id": "d"})),
            ),
            (
                "POST /workspaces/{id}/delegations/{delegation_id}/update",
                Some(json!({"status": "failed"})),
            ),
            ("GET /workspaces/{id}/schedules", None),
            ("POST /workspaces/{id}/schedules", Some(schedule)),
            (
                "PATCH /workspaces/{id}/schedules/{schedule_id}",
                Some(json!({"name": "n"})),
            ),
            ("DELETE /workspaces/{id}/schedules/{schedule_id}", None),
            ("POST /workspaces/{id}/schedules/{schedule_id}/run", None),
            ("GET /workspaces/{id}/schedules/{schedule_id}/history", None),
        ],
    );
    for (route, body, sentence) in [
        (
            "POST /workspaces/{id}/approvals/{approval_id}/decide",
            Some(json!({"decision": "approved"})),
            "an operator decides: a workspace cannot decide its own request",
        ),
        (
            "POST /workspaces/{id}/tokens",
            None,
            "an operator mints tokens: a workspace cannot mint its own",
        ),
        (
            "POST /workspaces/{id}/pause",
            None,
            "an operator pauses: a workspace cannot pause itself",
        ),
        (
            "POST /workspaces/{id}/resume",
            None,
            "an operator resumes: a workspace cannot resume itself",
        ),
        (
            "POST /workspaces/{id}/hibernate",
            None,
            "an operator sends to sleep: a workspace cannot hibernate itself",
        ),
    ] {
        add(Class::Operate(sentence), &[(route, body)]);
    }
    add(
        Class::Itself,
        &[("GET /workspaces/{id}/secrets/values", None)],
    );
    add(
        Class::Register,
        &[("POST /registry/register", Some(registration))],
    );
    add(
        Class::Registry,
        &[
            (
                "POST /registry/heartbeat",
                Some(json!({"workspace_id": "$id"})),
            ),
            ("POST /registry/update-card", Some(card)),
        ],
    );
    add(Class::Peers, &[("GET /registry/{id}/peers", None)]);
    add(Class::Discover, &[("GET /registry/discover/{id}", None)]);
    add(
        Class::Any,
        &[
            ("GET /workspaces/{id}", None),
            ("POST /registry/check-access", Some(asks)),
        ],
    );
    add(
        Class::AnyConcerned,
        &[("GET /workspaces/{id}/a2a/requests/{request_id}", None)],
    );
    add(
        Class::Canvas,
        &[("PUT /canvas/viewport", Some(json!({"zoom": 1.0})))],
    );
    add(
        Class::Sender,
        &[("POST /workspaces/{id}/a2a", Some(message))],
    );
    add(
        Class::Talks,
        &[("GET /workspaces/{id}/schedules/health", None)],
    );
    add(
        Class::TestToken,
        &[("GET /admin/workspaces/{id}/test-token", None)],
    );
    add(
        Class::Machine,
        &[("POST /bootstrap/exchange", Some(json!({})))],
    );
    rows
}
