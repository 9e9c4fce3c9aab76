//! The most each operation may take (the design's table, and what the others take today).

use e2e::{
    Workspace,
    counted::{InCall, InProcess, PUBLIC},
};
use reqwest::Method;
use serde_json::{Value, json};

/// The most an operation may take.
pub(super) struct Budget {
    pub(super) what: &'static str,
    /// Calls to DynamoDB that wait for one another.
    pub(super) round_trips: usize,
    /// Write units of the table, with small bodies.
    pub(super) write_units: usize,
    pub(super) call: InCall,
}

/// The operations in an order in which each finds what it needs; `org` is an organisation's token.
pub(super) fn of(
    inside: &InProcess,
    top: &Workspace,
    own: &Workspace,
    peer: &Workspace,
    org: &str,
) -> Vec<Budget> {
    let beat = |extra| inside.beat(own, extra);
    let get = |path: &str| inside.get(path).bearer(&own.token);
    let post = |path: &str, body: Value| inside.post(path).bearer(&own.token).json(&body);
    // An operator whose token is looked up, as the admin's is not.
    let operate = |act: &str| {
        let call = inside.post(&format!("/workspaces/{}/{act}", own.id));
        call.bearer(org).json(&json!({}))
    };
    let admin = |method: Method, path: &str, body: Value| {
        let call = inside.call(method, path).bearer(&inside.admin);
        call.json(&body)
    };
    let at = |rest: &str| format!("/workspaces/{}{rest}", own.id);
    let numbers = json!({
        "active_tasks": 2, "uptime_seconds": 86_400, "error_rate": 0.123_456, "monthly_spend": 1234,
    });
    let reading = json!({"current_task": "reading"});
    let failing = json!({"current_task": "reading", "error_rate": 0.6});
    let both = json!({"current_task": "writing"});
    let stranger = json!({"id": uuid::Uuid::new_v4(), "url": PUBLIC, "agent_card": {}});
    let question = json!({"caller_id": own.id, "target_id": peer.id});
    let card = json!({"workspace_id": own.id, "agent_card": {"name": "new"}});
    let report = json!({"activity_type": "agent_log", "summary": "working"});
    let asked = json!({"action": "delete a branch", "reason": "it is merged"});
    let new = json!({"name": "New", "external": true, "parent_id": top.id});
    let below = json!({"parent_id": peer.id});
    let schedule = json!({"cron_expr": "0 9 * * *", "prompt": "p"});
    let discover = get(&format!("/registry/discover/{}", peer.id));
    let delete = format!("/workspaces/{}?confirm=true", peer.id);
    [
        ("heartbeat, nothing new", 1, 1, beat(json!({}))),
        ("heartbeat, other numbers", 1, 1, beat(numbers)),
        ("heartbeat, another task", 2, 7, beat(reading)),
        ("heartbeat, a transition", 2, 5, beat(failing)),
        ("heartbeat, both", 2, 9, beat(both)),
        ("register, token known", 2, 8, inside.register(own, PUBLIC)),
        (
            "register, a stranger",
            2,
            14,
            admin(Method::POST, "/registry/register", stranger),
        ),
        ("discover", 1, 0, discover.header("X-Workspace-ID", &own.id)),
        (
            "check-access",
            1,
            0,
            post("/registry/check-access", question),
        ),
        ("peers", 4, 0, get(&format!("/registry/{}/peers", own.id))),
        ("update-card", 2, 6, post("/registry/update-card", card)),
        (
            "notify",
            2,
            4,
            post(&at("/notify"), json!({"message": "done"})),
        ),
        ("activity report", 2, 4, post(&at("/activity"), report)),
        // Rows so young that others may be on their way: what is shown is written down, and read again.
        ("activity list", 4, 1, get(&at("/activity"))),
        (
            "activity list, for an operator",
            2,
            0,
            admin(Method::GET, &at("/activity"), json!({})),
        ),
        ("session search", 2, 0, get(&at("/session-search?q=work"))),
        // The first in ten minutes, which begins the count of them: two more.
        ("ask for approval", 4, 12, post(&at("/approvals"), asked)),
        ("approvals", 2, 0, get(&at("/approvals"))),
        (
            "approvals everywhere",
            5,
            0,
            admin(Method::GET, "/approvals/pending", json!({})),
        ),
        (
            "events of one",
            1,
            0,
            admin(Method::GET, &format!("/events/{}", own.id), json!({})),
        ),
        (
            "events as they happen",
            2,
            0,
            get(&at("/events/stream"))
                .header("last-event-id", "01900000-0000-7000-8000-000000000000"),
        ),
        ("create", 2, 16, admin(Method::POST, "/workspaces", new)),
        ("one workspace", 1, 0, get(&at(""))),
        (
            "change a name",
            3,
            1,
            admin(Method::PATCH, &at(""), json!({"name": "Renamed"})),
        ),
        (
            "change the parent",
            7,
            8,
            admin(Method::PATCH, &at(""), below),
        ),
        ("mint a token", 2, 6, operate("tokens")),
        ("list tokens", 2, 0, get(&at("/tokens"))),
        (
            "mint one of operators'",
            3,
            6,
            admin(Method::POST, "/org/tokens", json!({})),
        ),
        (
            "list those",
            1,
            0,
            admin(Method::GET, "/org/tokens", json!({})),
        ),
        ("how it stands", 1, 0, get(&at("/state"))),
        ("hibernate", 3, 9, operate("hibernate")),
        ("restart", 3, 12, post(&at("/restart"), json!({}))),
        ("pause", 4, 10, operate("pause")),
        ("resume", 4, 12, operate("resume")),
        ("schedules", 3, 0, get(&at("/schedules"))),
        ("a new schedule", 2, 14, post(&at("/schedules"), schedule)),
        (
            "delete, one below",
            20,
            35,
            admin(Method::DELETE, &delete, json!({})),
        ),
        (
            "liveness",
            1,
            0,
            admin(Method::GET, "/admin/liveness", json!({})),
        ),
        ("metrics", 6, 0, admin(Method::GET, "/metrics", json!({}))),
        ("health", 0, 0, inside.get("/health")),
        ("the description", 0, 0, inside.get("/openapi.json")),
        ("the console", 0, 0, inside.get("/")),
        ("no such route", 0, 0, inside.get("/nowhere")),
    ]
    .map(|(what, round_trips, write_units, call)| Budget {
        what,
        round_trips,
        write_units,
        call,
    })
    .into()
}
