//! The conditions under which functions that only read may note that a token was used, and have a stream open:
//! the emulator does not enforce `dynamodb:LeadingKeys`, AWS does.

use std::{collections::BTreeSet, fs};

use domain::{Mode, TokenId, WorkspaceId};
use e2e::{
    counted::InProcess,
    template::{Template, there},
};
use serde_json::Value;
use store::keys;
use uuid::Uuid;

/// The patterns of all such conditions: those for notes, which must be one and the same, without the one for the
/// leases of streams, which the functions that stream have and no other.
fn patterns() -> BTreeSet<String> {
    let leases = keys::streams(WorkspaceId::random(), "ANSWERS").pk;
    let mut streaming = BTreeSet::new();
    let mut found: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for function in Template::ours().functions() {
        let policies = function.property("Policies");
        let policies = policies.as_array().into_iter().flatten();
        let statements = policies.flat_map(|it| it["Statement"].as_array().into_iter().flatten());
        for statement in statements.map(there) {
            if !statement["Condition"].to_string().contains("LeadingKeys") {
                continue;
            }
            let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
            let keys = keys.as_array().expect("patterns").iter();
            let keys: BTreeSet<_> = keys.filter_map(Value::as_str).map(str::to_owned).collect();
            if keys.iter().any(|it| fits(it, &leases)) {
                let reached = all_keys()
                    .into_iter()
                    .filter(|key| keys.iter().any(|it| fits(it, key)));
                assert_eq!(reached.collect::<Vec<_>>(), ["STREAMS#<workspace>"]);
                streaming.insert(function.handler().to_owned());
            } else {
                found.insert(keys);
            }
            // The condition also holds where no key is named, so nothing else may stand beside it.
            let only = serde_json::json!(["dynamodb:UpdateItem"]);
            assert_eq!(statement["Action"], only, "{}", function.id);
        }
    }
    assert_eq!(Vec::from_iter(streaming), ["events.live", "events.stream"]);
    assert_eq!(found.len(), 1, "{found:?}");
    found.pop_first().expect("one")
}

/// As IAM's `StringLike`, for patterns with one star at the end or none.
fn fits(pattern: &str, key: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => pattern == key,
    }
}

/// The partition keys of the table in the store's documentation of its keys.
fn all_keys() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/store/src/keys.rs");
    let source = fs::read_to_string(path).expect("a source");
    let rows = source.lines().filter_map(|it| it.strip_prefix("//! |"));
    let keys = rows.filter_map(|row| row.split('|').nth(1));
    // Some rows have two.
    keys.flat_map(|keys| keys.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_rows_of_tokens_fit_and_nothing_else_in_the_table_does() {
    let patterns = patterns();
    let id: TokenId = Uuid::now_v7().to_string().parse().expect("an id");
    let rows = [keys::token(WorkspaceId::random(), id), keys::org_token(id)];
    for row in &rows {
        let fitting = patterns.iter().filter(|it| fits(it, &row.pk));
        assert_eq!(fitting.count(), 1, "{}", row.pk);
    }
    for pattern in &patterns {
        let fitting = rows.iter().filter(|row| fits(pattern, &row.pk));
        assert_eq!(fitting.count(), 1, "{pattern} is for nothing");
    }
    let all = all_keys();
    assert!(all.len() > 20, "{all:?}");
    let reached = all
        .iter()
        .filter(|key| patterns.iter().any(|it| fits(it, key)));
    let reached: Vec<_> = reached.collect();
    assert_eq!(reached, ["TOKENS#<workspace>", "ORG_TOKENS"]);
}

#[tokio::test]
async fn what_is_noted_of_a_tokens_use_is_written_there() {
    let inside = InProcess::apart(Mode::Strict).await;
    let (own, org) = (inside.workspace("Own").await, inside.org_token().await);
    inside.wire.take_all();
    for token in [&own.token, &org] {
        let read = inside.get(&format!("/workspaces/{}", own.id)).bearer(token);
        read.await.expect(200);
    }
    let calls = inside.wire.take_all();
    let updates = calls.iter().filter(|it| it.operation == "UpdateItem");
    let mut written = Vec::new();
    for update in updates {
        // Nothing but these: a transaction or another call would need what the function may not.
        assert!(update.notes_use(), "{update:?}");
        let key = &update.request["Key"]["pk"]["S"];
        written.push(key.as_str().expect("a key").to_owned());
    }
    written.sort();
    assert_eq!(
        written,
        ["ORG_TOKENS".to_owned(), format!("TOKENS#{}", own.id)]
    );
    let patterns = patterns();
    for key in written {
        assert!(patterns.iter().any(|it| fits(it, &key)), "{key}");
    }
}
