//! Batch gets, and queries of the table and of indexes.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use serde_json::json;

use super::{Bench, Item, attributes, key};

cases! { a_batch_brings_what_is_there a_partition_in_order an_index_has_keys_only }

fn texts(items: &[Item], name: &str) -> Vec<String> {
    let text = |it: &Item| it.get(name).and_then(|it| it.as_s().ok()).cloned();
    items.iter().filter_map(text).collect()
}

async fn a_batch_brings_what_is_there(bench: Bench) {
    bench.put("one", json!({"n": {"N": "1"}})).await;
    bench.put("two", json!({"n": {"N": "2"}})).await;
    let keys = ["one", "never", "two"].map(key).to_vec();
    let wanted = KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .consistent_read(true);
    let found = bench
        .client
        .batch_get_item()
        .request_items(&bench.table, wanted.build().expect("keys"))
        .send()
        .await
        .expect("an answer");
    let found = found
        .responses
        .unwrap_or_default()
        .remove(&bench.table)
        .unwrap_or_default();
    let mut found = texts(&found, "pk");
    found.sort();
    assert_eq!(found, ["one", "two"]);
}

async fn a_partition_in_order(bench: Bench) {
    for sk in ["c", "a", "e", "b", "d"] {
        bench
            .put("many", json!({"sk": {"S": sk}, "n": {"N": "1"}}))
            .await;
    }
    bench.put("other", json!({"sk": {"S": "a"}})).await;
    let query = || {
        let query = bench.client.query().table_name(&bench.table);
        query.expression_attribute_values(":pk", super::attribute(&json!({"S": "many"})))
    };
    let value = |text: &str| super::attribute(&json!({"S": text}));
    let all = query()
        .key_condition_expression("pk = :pk")
        .send()
        .await
        .expect("an answer");
    assert_eq!(texts(all.items(), "sk"), ["a", "b", "c", "d", "e"]);
    assert!(all.last_evaluated_key.is_none());
    for (forward, first, rest) in [(true, ["a", "b"], "cde"), (false, ["e", "d"], "cba")] {
        let query = || {
            query()
                .key_condition_expression("pk = :pk")
                .scan_index_forward(forward)
        };
        let page = query().limit(2).send().await.expect("an answer");
        assert_eq!(texts(page.items(), "sk"), first);
        let start = page.last_evaluated_key;
        assert!(start.is_some());
        let page = query()
            .set_exclusive_start_key(start)
            .send()
            .await
            .expect("an answer");
        assert_eq!(texts(page.items(), "sk").concat(), rest);
    }
    let some = query()
        .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
        .expression_attribute_values(":from", value("b"))
        .expression_attribute_values(":to", value("d"));
    let some = some.send().await.expect("an answer");
    assert_eq!(texts(some.items(), "sk"), ["b", "c", "d"]);
    let after = query()
        .key_condition_expression("pk = :pk AND sk > :after")
        .expression_attribute_values(":after", value("c"))
        .projection_expression("sk, #n")
        .expression_attribute_names("#n", "n");
    let after = after.send().await.expect("an answer");
    assert_eq!(texts(after.items(), "sk"), ["d", "e"]);
    assert!(after.items().iter().all(|it| it.len() == 2));
}

async fn an_index_has_keys_only(bench: Bench) {
    for (pk, at) in [("late", "3"), ("early", "1"), ("middle", "2")] {
        let item = json!({"due_pk": {"S": "K#0"}, "due_at": {"S": at}, "n": {"N": "1"}});
        bench.put(pk, item).await;
    }
    bench
        .put(
            "other",
            json!({"due_pk": {"S": "K#1"}, "due_at": {"S": "1"}}),
        )
        .await;
    bench.put("not due", json!({"n": {"N": "1"}})).await;
    let found = bench
        .client
        .query()
        .table_name(&bench.table)
        .index_name("due")
        .key_condition_expression("#pk = :pk AND #sk <= :bound")
        .expression_attribute_names("#pk", "due_pk")
        .expression_attribute_names("#sk", "due_at")
        .expression_attribute_values(":pk", super::attribute(&json!({"S": "K#0"})))
        .expression_attribute_values(":bound", super::attribute(&json!({"S": "2"})))
        .limit(10)
        .send()
        .await
        .expect("an answer");
    assert_eq!(texts(found.items(), "pk"), ["early", "middle"]);
    let first = attributes(&json!({
        "pk": {"S": "early"}, "sk": {"S": "S"}, "due_pk": {"S": "K#0"}, "due_at": {"S": "1"},
    }));
    assert_eq!(found.items()[0], first);
}
