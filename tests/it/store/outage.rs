//! The datastore is away: every route says so in one form, and says nothing else.

use std::collections::BTreeSet;

use domain::Mode;
use e2e::{
    Answer,
    counted::{ALWAYS, Fault, IN_PROCESS, InCall, InProcess},
    template::Template,
};
use serde_json::json;

use super::every_route::calls;

fn is_away(answer: &Answer) -> bool {
    let body = json!({
        "error": "platform datastore unavailable — retry shortly",
        "code": "platform_unavailable",
    });
    answer.status == 503 && answer.json == body
}

#[tokio::test]
async fn every_route_says_that_the_datastore_is_away() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let calls = calls(&inside).await;
    let covered: BTreeSet<String> = calls.iter().map(InCall::route).collect();
    // A machine proves itself to STS before anything is read: see `fleet/exchange.rs`.
    let reads = |name: &&&str| **name != "fleet.exchange";
    let here: BTreeSet<&str> = IN_PROCESS.iter().filter(reads).copied().collect();
    let routes = Template::ours().routes().into_iter();
    let routes = routes.filter(|route| here.contains(route.handler.as_str()));
    let all: BTreeSet<String> = routes
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(covered, all, "a route without a call");
    for fault in [
        Fault::Unreachable,
        Fault::error(
            "AccessDeniedException",
            "User: arn:aws:sts::1:assumed-role/x is not",
        ),
        Fault::error("ResourceNotFoundException", "Requested resource not found"),
        Fault::Answer(
            500,
            json!({"__type": "InternalServerError", "message": "secret"}),
        ),
        Fault::Answer(502, json!("<html>bad gateway</html>")),
    ] {
        inside.wire.mend();
        inside.wire.fail("", ALWAYS, fault.clone());
        for call in &calls {
            let what = format!("{call} while {fault:?}");
            let answer = call.clone().await;
            match call.function().as_str() {
                "workspaces.health" | "workspaces.openapi" => {
                    assert_eq!(answer.status, 200, "{what}")
                }
                "workspaces.fallback" => assert_eq!(answer.status, 404, "{what}"),
                _ => assert!(is_away(&answer), "{what}: {answer:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_outage_in_the_middle_says_so_too() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    for operation in [
        "TransactWriteItems",
        "UpdateItem",
        "PutItem",
        "DeleteItem",
        "Query",
    ] {
        let calls = calls(&inside).await;
        inside.wire.stand_in();
        inside.wire.fail(operation, ALWAYS, Fault::Unreachable);
        for call in calls {
            let what = format!("{call} without {operation}");
            let (answer, made) = call.counted().await;
            let met = made.iter().any(|call| call.operation == operation);
            assert_eq!(met, is_away(&answer), "{what}: {answer:?}");
        }
        inside.wire.mend();
    }
}

#[tokio::test]
async fn large_bodies_need_the_bucket() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let notify = inside.post(&format!("/workspaces/{}/notify", own.id));
    let notify = notify.bearer(&own.token);
    let notify = notify.json(&json!({"message": "m".repeat(20 * 1024)}));
    let list = inside.get(&format!("/workspaces/{}/activity", own.id));
    let list = list.bearer(&own.token);

    inside.wire.fail("PutObject", 1, Fault::Unreachable);
    assert!(is_away(&notify.clone().await));
    let rows = list.clone().await.expect(200).json;
    assert_eq!(rows, json!([]), "half a notification");
    notify.await.expect(200);
    inside.wire.fail("GetObject", 1, Fault::Unreachable);
    assert!(is_away(&list.clone().await));
    let rows = list.await.expect(200).json;
    let kept = rows[0]["response_body"]["result"].as_str().map(str::len);
    assert_eq!(kept, Some(20 * 1024));
}

#[tokio::test]
async fn half_an_upload_leaves_nothing() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let at = format!("/workspaces/{}/chat/uploads", own.id);
    let upload = inside.post(&at).bearer(&own.token).form("a.txt", "text");
    let id = own.id.parse().expect("an id");

    // The bucket has it when the answer is lost, and when the table does not get its mark.
    for (operation, fault) in [
        ("PutObject", Fault::AnswerLost),
        ("PutObject", Fault::Unreachable),
        ("PutItem", Fault::Unreachable),
    ] {
        inside.wire.fail(operation, 1, fault);
        assert!(is_away(&upload.clone().await), "{operation}");
        let kept = inside.app.store.chat_files(id).await.expect("listed");
        assert_eq!(kept, [], "{operation}");
    }
    upload.await.expect(200);
    let kept = inside.app.store.chat_files(id).await.expect("listed");
    assert_eq!(kept.len(), 1);
}
