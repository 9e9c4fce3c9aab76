//! Secrets as they lie in the table: unreadable, bound to their place, gone with their workspace.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Mode, secret::Scope};
use e2e::{
    Answer, Workspace,
    counted::{ALWAYS, Fault, InCall, InProcess, gate, jobs},
};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use store::{
    keys::{self, Key},
    secrets::Environment,
    workspaces::Parts,
};

const PLAIN: &str = "sk-plain-0123456789";

fn scope(workspace: &Workspace) -> Scope {
    Scope::Workspace(super::id(workspace))
}

fn secret(scope: Scope, name: &str) -> Key {
    keys::secret(scope, &name.parse().expect("a name"))
}

fn set(inside: &InProcess, path: &str, key: &str, value: &str) -> InCall {
    let call = inside.post(path).bearer(&inside.admin);
    call.json(&json!({"key": key, "value": value}))
}

fn set_own(inside: &InProcess, of: &Workspace, key: &str, value: &str) -> InCall {
    set(
        inside,
        &format!("/workspaces/{}/secrets", of.id),
        key,
        value,
    )
}

async fn values(inside: &InProcess, of: &Workspace) -> Answer {
    let path = format!("/workspaces/{}/secrets/values", of.id);
    inside.get(&path).bearer(&of.token).await
}

fn broken(failed: &[&str]) -> Value {
    json!({
        "error": "one or more secrets failed to decrypt; refusing to return partial bundle",
        "failed_keys": failed,
    })
}

async fn stored(inside: &InProcess, key: &Key) -> Value {
    inside.scale.item_at(key).await.unwrap_or_default()
}

/// The ciphertext of a secret.
async fn sealed(inside: &InProcess, key: &Key) -> Vec<u8> {
    let item = stored(inside, key).await;
    let text = item["sealed"]["B"].as_str().expect("bytes");
    STANDARD.decode(text).expect("base64")
}

async fn put(inside: &InProcess, key: &Key, attribute: &str, bytes: &[u8]) {
    let value = AttributeValue::B(Blob::new(bytes));
    inside.scale.set_raw(key, attribute, value).await;
}

#[tokio::test]
async fn the_table_holds_no_plaintext() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let new = json!({"name": "Born", "external": true, "secrets": {"BORN": PLAIN}});
    let create = inside.post("/workspaces").bearer(&inside.admin).json(&new);
    let made = create.await.expect(201);
    let own = Scope::Workspace(made.text("id").parse().expect("an id"));
    let path = format!("/workspaces/{}/secrets", made.text("id"));
    for key in ["ONE", "TWO"] {
        set(&inside, &path, key, PLAIN).await.expect(200);
    }
    set(&inside, "/settings/secrets", "ALL", PLAIN)
        .await
        .expect(200);
    let mut seen = Vec::new();
    for (scope, name) in [
        (own, "BORN"),
        (own, "ONE"),
        (own, "TWO"),
        (Scope::Global, "ALL"),
    ] {
        let key = secret(scope, name);
        let item = stored(&inside, &key).await;
        let attributes: Vec<_> = item.as_object().expect("an item").keys().collect();
        assert_eq!(attributes, ["pk", "sealed", "sk", "version"]);
        assert_eq!(item["version"]["N"], "2");
        let bytes = sealed(&inside, &key).await;
        let shown = bytes.windows(PLAIN.len()).any(|it| it == PLAIN.as_bytes());
        assert!(!shown, "{name} lies in clear");
        assert!(!seen.contains(&bytes), "{name} is recognised");
        seen.push(bytes);
    }
    for scope in [own, Scope::Global] {
        let item = stored(&inside, &keys::keyring(scope)).await;
        let key = STANDARD.decode(item["data_key"]["B"].as_str().expect("bytes"));
        // Wrapped, it is longer than the key itself.
        assert!(key.expect("base64").len() > 64);
        assert!(!item.to_string().contains(PLAIN));
    }
}

#[tokio::test]
async fn what_was_touched_or_moved_does_not_open() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let (own, other) = (
        inside.workspace("Own").await,
        inside.workspace("Other").await,
    );
    for workspace in [&own, &other] {
        for key in ["ONE", "TWO"] {
            set_own(&inside, workspace, key, PLAIN).await.expect(200);
        }
    }
    let (one, two) = (secret(scope(&own), "ONE"), secret(scope(&own), "TWO"));
    let right = sealed(&inside, &one).await;
    let mut flipped = right.clone();
    flipped[20] ^= 1;
    let others = sealed(&inside, &secret(scope(&other), "ONE")).await;
    for (what, bytes) in [
        ("a flipped bit", flipped),
        ("a cut", right[..right.len() - 1].to_vec()),
        ("nothing", vec![]),
        ("a nonce alone", right[..12].to_vec()),
        ("another name's", sealed(&inside, &two).await),
        ("another workspace's", others),
        ("plaintext", PLAIN.as_bytes().to_vec()),
    ] {
        put(&inside, &one, "sealed", &bytes).await;
        let refused = values(&inside, &own).await;
        assert_eq!(
            (refused.status, refused.json),
            (500, broken(&["workspace:ONE"])),
            "{what}"
        );
    }
    put(&inside, &one, "sealed", &right).await;
    values(&inside, &own).await.expect(200);
    // No version but ours is believed: 0 would be plaintext.
    for version in ["0", "1", "3"] {
        let version = AttributeValue::N(version.to_owned());
        inside.scale.set_raw(&one, "version", version).await;
        let refused = values(&inside, &own).await;
        assert_eq!(refused.json, broken(&["workspace:ONE"]));
    }
    // Setting it again mends it.
    set_own(&inside, &own, "ONE", "new").await.expect(200);
    let mended = json!({"ONE": "new", "TWO": PLAIN});
    assert_eq!(values(&inside, &own).await.expect(200).json, mended);
}

#[tokio::test]
async fn a_data_key_opens_for_its_own_workspace_only() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let (own, other) = (
        inside.workspace("Own").await,
        inside.workspace("Other").await,
    );
    for workspace in [&own, &other] {
        for key in ["ONE", "TWO"] {
            set_own(&inside, workspace, key, PLAIN).await.expect(200);
        }
    }
    let (ring, right) = (keys::keyring(scope(&own)), |item: Value| {
        STANDARD.decode(item["data_key"]["B"].as_str().expect("bytes"))
    });
    let others = stored(&inside, &keys::keyring(scope(&other))).await;
    let others = right(others).expect("base64");
    let right = right(stored(&inside, &ring).await).expect("base64");
    // With key, ciphertext and name of the other one, the context is all that differs.
    for bytes in [&others[..], b"", b"no key at all"] {
        put(&inside, &ring, "data_key", bytes).await;
        let refused = values(&inside, &own).await;
        let both = broken(&["workspace:ONE", "workspace:TWO"]);
        assert_eq!((refused.status, refused.json), (500, both));
        let refused = set_own(&inside, &own, "ONE", "new").await;
        assert_eq!(refused.error(), (500, "failed to encrypt secret"));
    }
    put(&inside, &ring, "data_key", &right).await;
    values(&inside, &own).await.expect(200);
}

#[tokio::test]
async fn a_broken_global_secret_stops_every_environment() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    for (path, key) in [("/settings/secrets", "ALL"), ("/admin/secrets", "BOTH")] {
        set(&inside, path, key, PLAIN).await.expect(200);
    }
    set_own(&inside, &own, "BOTH", PLAIN).await.expect(200);
    put(&inside, &secret(Scope::Global, "ALL"), "sealed", b"x").await;
    let refused = values(&inside, &own).await;
    assert_eq!(
        (refused.status, refused.json),
        (500, broken(&["global:ALL"]))
    );
    put(&inside, &secret(scope(&own), "BOTH"), "sealed", b"x").await;
    let refused = values(&inside, &own).await;
    assert_eq!(refused.json, broken(&["global:ALL", "workspace:BOTH"]));

    // The same for whoever starts a machine.
    let vault = &super::vaulted(&inside).vault;
    let found = vault.environment(super::id(&own), Timestamp::now()).await;
    let Environment::Broken(why) = found.expect("an answer") else {
        panic!("whole");
    };
    assert_eq!(why.sentence(), "failed to decrypt global secret");
    assert_eq!(why.to_string(), "cannot decrypt global:ALL, workspace:BOTH");
    for (path, key) in [("/settings/secrets", "ALL"), ("/admin/secrets", "BOTH")] {
        let delete = inside.call(Method::DELETE, &format!("{path}/{key}"));
        delete.bearer(&inside.admin).await.expect(200);
    }
    let found = vault.environment(super::id(&own), Timestamp::now()).await;
    let Environment::Broken(why) = found.expect("an answer") else {
        panic!("whole");
    };
    assert_eq!(why.sentence(), "failed to decrypt workspace secret");
}

#[tokio::test]
async fn two_first_secrets_at_once_have_one_key() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    // Both have found no keyring, and both have a key of their own.
    inside.wire.fail("TransactWriteItems", 2, Fault::meet(2));
    let (one, two) = tokio::join!(
        set_own(&inside, &own, "ONE", "1").into_future(),
        set_own(&inside, &own, "TWO", "2").into_future(),
    );
    one.expect(200);
    two.expect(200);
    let found = values(&inside, &own).await.expect(200).json;
    assert_eq!((&found["ONE"], &found["TWO"]), (&json!("1"), &json!("2")));
}

#[tokio::test]
async fn no_secret_outlives_its_workspace() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    set_own(&inside, &own, "BEFORE", "v").await.expect(200);
    // It is written while the workspace goes.
    let gate = gate();
    let hold = Fault::Hold(gate.clone());
    inside.wire.fail("TransactWriteItems", 1, hold);
    let late = tokio::spawn(set_own(&inside, &own, "LATE", "v").into_future());
    gate.wait().await;
    let delete = inside.call(Method::DELETE, &format!("/workspaces/{}", own.id));
    delete.bearer(&inside.admin).await.expect(200);
    gate.wait().await;
    let late = late.await.expect("an answer");
    assert_eq!(late.error(), (404, "workspace not found"));
    for key in [
        keys::keyring(scope(&own)),
        secret(scope(&own), "BEFORE"),
        secret(scope(&own), "LATE"),
    ] {
        assert_eq!(stored(&inside, &key).await, Value::Null, "{key:?}");
    }
}

#[tokio::test]
async fn a_removal_that_was_cut_off_leaves_what_nobody_can_read() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    set_own(&inside, &own, "KEY", "v").await.expect(200);
    let delete = |query: &str| {
        let path = format!("/workspaces/{}{query}", own.id);
        inside.call(Method::DELETE, &path).bearer(&inside.admin)
    };
    inside.wire.fail("DeleteItem", ALWAYS, Fault::Unreachable);
    delete("").await.expect(503);
    inside.wire.mend();
    let (ring, key) = (keys::keyring(scope(&own)), secret(scope(&own), "KEY"));
    assert_eq!(stored(&inside, &ring).await, Value::Null);
    assert_ne!(stored(&inside, &key).await, Value::Null);
    delete("?purge=true").await.expect(200);
    assert_eq!(stored(&inside, &key).await, Value::Null);
}

/// The last choice of a model wins, whichever way it is made: the one of the creation, which comes
/// before any secret, is gone once somebody changes the workspace's own.
#[tokio::test]
async fn whoever_changes_the_model_changes_the_one_of_the_creation() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let chosen = async |of: &str| {
        let id = of.parse().expect("an id");
        let found = inside.app.store.workspace(id, Parts::Core).await;
        found.expect("read").expect("there").meta.model
    };
    let put = |of: &str, model: &str| {
        let call = inside.call(Method::PUT, &format!("/workspaces/{of}/model"));
        call.bearer(&inside.admin).json(&json!({"model": model}))
    };
    let set =
        |of: &str, key: &str| set(&inside, &format!("/workspaces/{of}/secrets"), key, "local");
    let delete = |of: &str, key: &str| {
        let path = format!("/workspaces/{of}/secrets/{key}");
        inside.call(Method::DELETE, &path).bearer(&inside.admin)
    };
    for (way, born_with) in [
        ("put", None),
        ("clear", None),
        ("clear", Some("MODEL_PROVIDER")),
        ("clear", Some("OTHER")),
        ("set", None),
        ("delete", Some("MODEL_PROVIDER")),
    ] {
        let secrets = born_with.map(|key| (key.to_owned(), json!("born")));
        let secrets: serde_json::Map<String, Value> = secrets.into_iter().collect();
        let new = json!({
            "name": "Own", "runtime": "hermes", "model": "chosen", "secrets": secrets,
        });
        let made = inside.post("/workspaces").bearer(&inside.admin).json(&new);
        let own = made.await.expect(201).text("id");
        // Any other secret is none of its business.
        set(&own, "TOKEN").await.expect(200);
        delete(&own, "TOKEN").await.expect(200);
        assert_eq!(chosen(&own).await.as_deref(), Some("chosen"), "{way}");
        inside.wire.take();
        let answer = match way {
            "put" => put(&own, "better").await,
            "clear" => put(&own, "").await,
            "set" => set(&own, "MODEL_PROVIDER").await,
            _ => delete(&own, "MODEL_PROVIDER").await,
        };
        answer.expect(200);
        let restarts = format!("{:?}", jobs(&inside.wire.take()));
        assert!(
            restarts.contains("RestartV1"),
            "{way}, {born_with:?}: {restarts}"
        );
        assert_eq!(chosen(&own).await, None, "{way}, {born_with:?}");
        let shown = inside.get(&format!("/workspaces/{own}/model"));
        let shown = shown.bearer(&inside.admin).await.expect(200).text("model");
        let expected = match way {
            "put" => "better",
            "set" => "local",
            _ => "",
        };
        assert_eq!(shown, expected, "{way}, {born_with:?}");
        // Nothing is left that could be cleared.
        put(&own, "").await.expect(200);
        inside.wire.take();
        put(&own, "").await.expect(200);
        assert!(jobs(&inside.wire.take()).is_empty(), "{way}, {born_with:?}");
    }
}
