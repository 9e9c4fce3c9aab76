//! When a condition holds, and what a write says whose condition does not.

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError, types::ReturnValuesOnConditionCheckFailure,
};
use serde_json::{Value, json};

use super::{Bench, attributes, key, names, values, without_key};

cases! { hold_or_do_not a_broken_one_tells_what_is_there }

async fn hold_or_do_not(bench: Bench) {
    let item = json!({
        "n": {"N": "5"}, "s": {"S": "b"}, "flag": {"BOOL": true}, "marks": {"BS": ["one", "two"]},
        "map": {"M": {"in": {"S": "x"}}}, "list": {"L": [{"S": "x"}]},
    });
    bench.put("there", item).await;
    let none = json!({});
    let n = |n: &str| json!({":n": {"N": n}});
    let cases: Vec<(&str, Value, bool)> = vec![
        ("attribute_exists(pk)", none.clone(), true),
        ("attribute_not_exists(pk)", none.clone(), false),
        ("attribute_exists(#gone)", none.clone(), false),
        ("attribute_exists(#map.#in)", none.clone(), true),
        ("attribute_exists(#map.#out)", none.clone(), false),
        ("#n = :n", n("5"), true),
        ("#n <> :n", n("5"), false),
        ("#gone <> :n", n("5"), true),
        ("#gone = :n", n("5"), false),
        ("#gone < :n", n("5"), false),
        ("#s = :n", n("5"), false),
        ("#s <> :n", n("5"), true),
        ("#s < :n", n("5"), false),
        ("#n < :n", n("10"), true),
        ("#n <= :n", n("5"), true),
        ("#n > :n", n("-6"), true),
        ("#s >= :s", json!({":s": {"S": "b"}}), true),
        ("#flag = :b", json!({":b": {"BOOL": true}}), true),
        ("contains(#marks, :m)", json!({":m": {"B": "two"}}), true),
        ("contains(#marks, :m)", json!({":m": {"B": "three"}}), false),
        ("contains(#gone, :m)", json!({":m": {"B": "two"}}), false),
        ("#marks = :m", json!({":m": {"BS": ["two", "one"]}}), true),
        ("#marks = :m", json!({":m": {"BS": ["two"]}}), false),
        ("size(#marks) < :n", n("3"), true),
        ("size(#map) < :n", n("1"), false),
        ("size(#gone) < :n", n("3"), false),
        (
            "#s IN (:a, :b)",
            json!({":a": {"S": "a"}, ":b": {"S": "b"}}),
            true,
        ),
        (
            "NOT #s IN (:a, :c)",
            json!({":a": {"S": "a"}, ":c": {"S": "c"}}),
            true,
        ),
        ("attribute_not_exists(pk) OR #n = :n", n("5"), true),
        (
            "attribute_exists(pk) AND (attribute_not_exists(#gone) OR #gone < :n)",
            n("5"),
            true,
        ),
        ("attribute_exists(pk) AND #n = :n OR #n = :n", n("6"), false),
        (
            "attribute_not_exists(pk) AND #n = :n OR #n = :n",
            n("5"),
            true,
        ),
    ];
    for (condition, given, expected) in cases {
        let done = bench
            .client
            .delete_item()
            .table_name(&bench.table)
            .set_key(Some(attributes(
                &json!({"pk": {"S": "there"}, "sk": {"S": "S"}}),
            )))
            .condition_expression(format!("({condition}) AND attribute_exists(#never)"))
            .set_expression_attribute_names(names(&format!("{condition} #never")))
            .set_expression_attribute_values(values(&given))
            .send()
            .await;
        assert!(done.is_err(), "{condition}");
        let done = bench
            .client
            .update_item()
            .table_name(&bench.table)
            .set_key(Some(key("there")))
            .update_expression("REMOVE #never")
            .condition_expression(condition)
            .set_expression_attribute_names(names(&format!("{condition} #never")))
            .set_expression_attribute_values(values(&given))
            .send()
            .await;
        assert_eq!(done.is_ok(), expected, "{condition} {given}: {done:?}");
    }
}

async fn a_broken_one_tells_what_is_there(bench: Bench) {
    bench.put("there", json!({"n": {"N": "5"}})).await;
    for (pk, found) in [("there", Some(json!({"n": {"N": "5"}}))), ("absent", None)] {
        let refused = bench
            .client
            .update_item()
            .table_name(&bench.table)
            .set_key(Some(key(pk)))
            .update_expression("SET #n = :n")
            .condition_expression("#n = :m")
            .set_expression_attribute_names(names("#n"))
            .set_expression_attribute_values(values(&json!({":n": {"N": "1"}, ":m": {"N": "2"}})))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let refused = refused.expect_err("refused").into_service_error();
        let UpdateItemError::ConditionalCheckFailedException(why) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(
            why.item.map(without_key),
            found.as_ref().map(attributes),
            "{pk}"
        );
        assert_eq!(bench.get(pk).await, found.as_ref().map(attributes), "{pk}");
    }
}
