//! When KMS says no, or nothing: the contract's sentences, and nothing half done.

use domain::Mode;
use e2e::counted::{ALWAYS, Fault, InCall, InProcess};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use store::{keys, secrets::Environment};

/// What KMS answers when it will answer so again.
const FINAL: [&str; 5] = [
    "AccessDeniedException",
    "DisabledException",
    "InvalidCiphertextException",
    "KMSInvalidStateException",
    "NotFoundException",
];

fn no(code: &str) -> Fault {
    Fault::error(code, "arn:aws:kms:us-east-1:1:key/secret-insides")
}

/// What passes.
fn passing() -> [Fault; 4] {
    [
        Fault::Unreachable,
        Fault::throttled(),
        no("KMSInternalException"),
        Fault::Answer(503, json!("<html>busy</html>")),
    ]
}

fn set(inside: &InProcess, path: &str) -> InCall {
    let call = inside.call(Method::PUT, path).bearer(&inside.admin);
    call.json(&json!({"key": "KEY", "value": "hunter2"}))
}

fn create(inside: &InProcess) -> InCall {
    let body = json!({"name": "Born", "external": true, "secrets": {"B": "1", "A": "2"}});
    let call = inside.post("/workspaces").bearer(&inside.admin);
    call.json(&body)
}

fn away() -> Value {
    json!({
        "error": "platform datastore unavailable — retry shortly",
        "code": "platform_unavailable",
    })
}

#[tokio::test]
async fn without_a_key_nothing_is_written() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    let path = format!("/workspaces/{}/secrets", own.id);
    let calls = [
        (set(&inside, &path), "failed to encrypt secret"),
        (set(&inside, "/settings/secrets"), "failed to encrypt"),
        (create(&inside), "failed to encrypt secret: A"),
    ];
    for code in FINAL {
        inside.wire.fail("GenerateDataKey", ALWAYS, no(code));
        for (call, sentence) in &calls {
            let (refused, made) = call.clone().counted().await;
            let body = json!({"error": sentence});
            assert_eq!((refused.status, refused.json), (500, body), "{code}");
            assert!(
                made.iter()
                    .all(|call| call.operation != "TransactWriteItems")
            );
        }
        inside.wire.mend();
    }
    let list = inside.get("/workspaces").bearer(&inside.admin);
    let rows = list.await.expect(200).json;
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    for (call, _) in calls {
        let answer = call.await;
        assert!(answer.status < 300, "{answer:?}");
    }
}

#[tokio::test]
async fn who_could_not_ask_kms_is_told_to_try_again() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let (own, new) = (inside.workspace("Own").await, inside.workspace("New").await);
    let at = |id: &str| format!("/workspaces/{id}/secrets");
    set(&inside, &at(&own.id)).await.expect(200);
    let values = inside.get(&format!("{}/values", at(&own.id)));
    let values = values.bearer(&own.token);
    for fault in passing() {
        for (operation, call) in [
            ("GenerateDataKey", create(&inside)),
            ("GenerateDataKey", set(&inside, &at(&new.id))),
            ("Decrypt", set(&inside, &at(&own.id))),
            ("Decrypt", values.clone()),
        ] {
            inside.wire.fail(operation, ALWAYS, fault.clone());
            let answer = call.await;
            assert_eq!((answer.status, answer.json), (503, away()), "{fault:?}");
            inside.wire.mend();
        }
    }
    let ring = keys::keyring(domain::secret::Scope::Workspace(super::id(&new)));
    assert_eq!(inside.scale.item_at(&ring).await, None);
    values.await.expect(200);
}

#[tokio::test]
async fn what_kms_does_not_open_is_named_and_nothing_more_is_said() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    let path = format!("/workspaces/{}/secrets", own.id);
    set(&inside, &path).await.expect(200);
    for code in FINAL {
        inside.wire.fail("Decrypt", ALWAYS, no(code));
        let refused = inside.get(&format!("{path}/values")).bearer(&own.token);
        let refused = refused.await;
        let body = json!({
            "error": "one or more secrets failed to decrypt; refusing to return partial bundle",
            "failed_keys": ["workspace:KEY"],
        });
        assert_eq!((refused.status, refused.json), (500, body), "{code}");
        let refused = set(&inside, &path).await;
        assert_eq!(refused.error(), (500, "failed to encrypt secret"));
        let vault = &super::vaulted(&inside).vault;
        let found = vault.environment(super::id(&own), Timestamp::now()).await;
        let Environment::Broken(why) = found.expect("an answer") else {
            panic!("whole");
        };
        let logged = format!("cannot decrypt workspace:KEY; KMS: {code}");
        assert_eq!(why.to_string(), logged);
        inside.wire.mend();
    }
    // What needs no key goes on.
    inside.wire.fail("Decrypt", ALWAYS, no("DisabledException"));
    let list = inside.get(&path).bearer(&own.token).await.expect(200);
    assert_eq!(list.json[0]["key"], "KEY");
    let delete = inside.call(Method::DELETE, &format!("{path}/KEY"));
    delete.bearer(&own.token).await.expect(200);
}

#[tokio::test]
async fn a_key_is_asked_for_once_in_five_minutes() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    set(&inside, &format!("/workspaces/{}/secrets", own.id))
        .await
        .expect(200);
    let (vault, id) = (&super::vaulted(&inside).vault, super::id(&own));
    let start = Timestamp::now();
    for (seconds, asks) in [(0, 1), (1, 0), (299, 0), (301, 1), (302, 0)] {
        inside.wire.take();
        let now = start + SignedDuration::from_secs(seconds);
        let found = vault.environment(id, now).await.expect("an answer");
        assert!(matches!(found, Environment::Whole(_)));
        let calls = inside.wire.take();
        let asked = calls.iter().filter(|call| call.service == "kms").count();
        assert_eq!(asked, asks, "after {seconds} s");
    }
    assert!(!format!("{vault:?}").contains("hunter2"));
}
