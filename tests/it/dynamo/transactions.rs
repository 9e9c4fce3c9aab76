//! All writes of a transaction or none, and why none.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure as OnFailure,
        TransactWriteItem, Update,
    },
};
use serde_json::json;

use super::{Bench, attributes, key, names, values, without_key};

cases! { all_of_it none_of_it }

fn put(bench: &Bench, pk: &str, condition: &str) -> TransactWriteItem {
    let mut item = key(pk);
    item.extend(attributes(&json!({"n": {"N": "1"}})));
    let put = Put::builder()
        .table_name(&bench.table)
        .set_item(Some(item))
        .condition_expression(condition)
        .return_values_on_condition_check_failure(OnFailure::AllOld);
    TransactWriteItem::builder()
        .put(put.build().expect("whole"))
        .build()
}

fn check(bench: &Bench, pk: &str, condition: &str) -> TransactWriteItem {
    let check = ConditionCheck::builder()
        .table_name(&bench.table)
        .set_key(Some(key(pk)))
        .condition_expression(condition)
        .return_values_on_condition_check_failure(OnFailure::AllOld);
    let check = check.build().expect("whole");
    TransactWriteItem::builder().condition_check(check).build()
}

fn set(bench: &Bench, pk: &str, n: &str) -> TransactWriteItem {
    let update = Update::builder()
        .table_name(&bench.table)
        .set_key(Some(key(pk)))
        .update_expression("SET #n = :n")
        .condition_expression("attribute_exists(pk)")
        .set_expression_attribute_names(names("#n"))
        .set_expression_attribute_values(values(&json!({":n": {"N": n}})));
    TransactWriteItem::builder()
        .update(update.build().expect("whole"))
        .build()
}

fn delete(bench: &Bench, pk: &str) -> TransactWriteItem {
    let delete = Delete::builder()
        .table_name(&bench.table)
        .set_key(Some(key(pk)));
    TransactWriteItem::builder()
        .delete(delete.build().expect("whole"))
        .build()
}

async fn all_of_it(bench: Bench) {
    for pk in ["old", "gone", "seen"] {
        bench.put(pk, json!({"n": {"N": "0"}})).await;
    }
    let writes = vec![
        put(&bench, "new", "attribute_not_exists(pk)"),
        set(&bench, "old", "2"),
        delete(&bench, "gone"),
        delete(&bench, "never"),
        check(&bench, "seen", "attribute_exists(pk)"),
    ];
    let sent = bench
        .client
        .transact_write_items()
        .set_transact_items(Some(writes));
    sent.send().await.expect("done");
    let n = |n: &str| Some(attributes(&json!({"n": {"N": n}})));
    assert_eq!(bench.get("new").await, n("1"));
    assert_eq!(bench.get("old").await, n("2"));
    assert_eq!(bench.get("seen").await, n("0"));
    assert_eq!(bench.get("gone").await, None);
}

async fn none_of_it(bench: Bench) {
    for pk in ["old", "taken", "gone"] {
        bench.put(pk, json!({"n": {"N": "0"}})).await;
    }
    let writes = vec![
        set(&bench, "old", "2"),
        put(&bench, "taken", "attribute_not_exists(pk)"),
        delete(&bench, "gone"),
        check(&bench, "never", "attribute_exists(pk)"),
    ];
    let sent = bench
        .client
        .transact_write_items()
        .set_transact_items(Some(writes));
    let refused = sent.send().await.expect_err("refused").into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(why) = refused else {
        panic!("{refused:?}");
    };
    let why = why.cancellation_reasons.expect("reasons");
    let codes: Vec<_> = why
        .iter()
        .map(|it| it.code.clone().unwrap_or_default())
        .collect();
    assert_eq!(
        codes,
        [
            "None",
            "ConditionalCheckFailed",
            "None",
            "ConditionalCheckFailed"
        ]
    );
    let n = |n: &str| Some(attributes(&json!({"n": {"N": n}})));
    assert_eq!(why[1].item.clone().map(without_key), n("0"));
    assert_eq!(why[3].item.clone().filter(|it| !it.is_empty()), None);
    for pk in ["old", "taken", "gone"] {
        assert_eq!(bench.get(pk).await, n("0"), "{pk}");
    }
}
