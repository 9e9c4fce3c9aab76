//! `GET /workspaces/{id}/activity`, and who may list and report

use domain::activity::REPORTABLE;
use e2e::{STRANGER, World, at_once};
use serde_json::{Value, json};

#[tokio::test]
async fn rows_are_filtered_by_type_and_source() {
    let world = World::new();
    let (workspace, _agent) = world.online("Busy").await;
    let sender = world.workspace("Sender").await;
    for kind in REPORTABLE {
        let body = json!({"activity_type": kind, "summary": kind});
        world.report(&workspace, &body).await.expect(200);
    }
    world
        .message(&workspace.id, "from a person")
        .await
        .expect(200);
    let call = world.message_from(&sender, &workspace.id, "from a workspace");
    call.await.expect(200);

    let all = 9;
    for (query, count) in [
        ("", all),
        ("source=&type=", all),
        ("unknown=1", all),
        ("type=agent_log", 1),
        ("type=a2a_receive", 3),
        ("type=a2a_receive&source=canvas", 1),
        ("type=a2a_receive&source=agent", 2),
        ("source=canvas", 1),
        ("source=agent", 8),
        ("source=agent&limit=3", 3),
        ("type=delegation", 0),
        ("type=no%20such", 0),
    ] {
        assert_eq!(
            world.activity(&workspace.id, query).await.len(),
            count,
            "{query}"
        );
    }
    let newest: Vec<_> = world.activity(&workspace.id, "source=agent").await;
    let order: Vec<_> = newest[1..]
        .iter()
        .map(|row| row["summary"].clone())
        .collect();
    let expected: Vec<Value> = REPORTABLE.iter().rev().map(|kind| json!(kind)).collect();
    assert_eq!(order, expected);
    for source in ["user", "Canvas", "agent%20"] {
        let path = format!("/workspaces/{}/activity?source={source}", workspace.id);
        let answer = world.get(&path).by(&workspace).await;
        let sentence = "source must be 'canvas' or 'agent'";
        assert_eq!(answer.error(), (400, sentence), "{source}");
    }
}

#[tokio::test]
async fn a_list_has_100_rows_or_as_asked_up_to_500() {
    let world = World::new();
    let workspace = world.workspace("Chatty").await;
    let body = json!({"activity_type": "agent_log"});
    for _ in 0..63 {
        let calls = (0..8).map(|_| world.report(&workspace, &body));
        for answer in at_once(calls).await {
            assert_eq!(answer.status, 200);
        }
    }
    for (limit, count) in [
        ("1", 1),
        ("101", 101),
        ("500", 500),
        ("501", 500),
        ("99999999999", 500),
        ("0", 100),
        ("-5", 100),
        ("many", 100),
        ("1.5", 100),
        ("", 100),
    ] {
        let rows = world
            .activity(&workspace.id, &format!("limit={limit}"))
            .await;
        assert_eq!(rows.len(), count, "{limit}");
    }
    assert_eq!(world.activity(&workspace.id, "").await.len(), 100);
}

#[tokio::test]
async fn bodies_beyond_what_an_answer_carries_are_left_out() {
    let world = World::new();
    let workspace = world.workspace("Verbose").await;
    // Twice as long once written into JSON again, which is how a function answers.
    let text = "\"".repeat(120_000);
    for n in 0..14 {
        let body = json!({"activity_type": "agent_log", "duration_ms": n, "request_body": text});
        world.report(&workspace, &body).await.expect(200);
    }
    let path = format!("/workspaces/{}/activity", workspace.id);
    let short = world.get(&format!("{path}?limit=9")).by(&workspace).await;
    assert_eq!(short.header("x-bodies-truncated"), "");
    let list = world.get(&path).by(&workspace).await.expect(200);
    assert_eq!(list.header("x-bodies-truncated"), "true");
    let answer = String::from_utf8(list.bytes).expect("text");
    let measure = json!(answer).to_string().len();
    assert!(measure < 6_000_000, "{measure}");

    // All rows are there, and the newest have their bodies.
    let rows = list.json.as_array().expect("a list");
    let order = rows.iter().map(|row| row["duration_ms"].as_u64());
    assert!(order.eq((0..14).rev().map(Some)));
    let (with, without) = rows.split_at(9);
    assert!(with.iter().all(|row| row["request_body"] == text));
    let last = without.last().expect("more rows");
    assert_eq!(last.get("request_body"), None);
}

#[tokio::test]
async fn only_itself_and_operators_report_and_list() {
    let world = World::new();
    let workspace = world.workspace("Parent").await;
    let child = world.child("Child", &workspace).await;
    let removed = world.workspace("Removed").await;
    world.delete(&removed.id).await;
    let (own, admin) = (workspace.token.as_str(), world.admin.as_str());
    let missing = (401, "missing workspace auth token");
    let invalid = (401, "invalid workspace auth token");
    let no_id = (400, "invalid workspace ID");
    let gone = (404, "workspace not found");
    let fine = (200, "");

    for (who, id, bearer, listing, reporting) in [
        ("nobody", &*workspace.id, None, missing, missing),
        (
            "a made-up token",
            &workspace.id,
            Some("x"),
            invalid,
            invalid,
        ),
        (
            "its child",
            &workspace.id,
            Some(&*child.token),
            invalid,
            invalid,
        ),
        ("its parent", &child.id, Some(own), invalid, invalid),
        (
            "a removed one",
            &removed.id,
            Some(&removed.token),
            invalid,
            invalid,
        ),
        ("itself", &workspace.id, Some(own), fine, fine),
        ("the admin", &workspace.id, Some(admin), fine, fine),
        (
            "the admin for a removed one",
            &removed.id,
            Some(admin),
            fine,
            gone,
        ),
        (
            "the admin for a stranger",
            STRANGER,
            Some(admin),
            fine,
            gone,
        ),
        ("the admin for no id", "x", Some(admin), no_id, no_id),
    ] {
        let path = format!("/workspaces/{id}/activity");
        let body = json!({"activity_type": "agent_log"});
        let mut calls = [world.get(&path), world.post(&path).json(&body)];
        if let Some(token) = bearer {
            calls = calls.map(|call| call.bearer(token));
        }
        let [list, report] = calls;
        assert_eq!(list.await.error(), listing, "{who} lists");
        assert_eq!(report.await.error(), reporting, "{who} reports");
    }
    let stranger = world.activity(STRANGER, "").await;
    assert!(stranger.is_empty());
}
