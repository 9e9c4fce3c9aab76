//! What an update leaves.

use aws_sdk_dynamodb::types::ReturnValue;
use serde_json::{Value, json};

use super::{Bench, attributes, key, names, values, without_key};

cases! { every_clause_the_store_uses }

async fn every_clause_the_store_uses(bench: Bench) {
    let item = json!({
        "n": {"N": "5"}, "marks": {"BS": ["one", "two"]}, "map": {"M": {"in": {"S": "x"}}},
        "list": {"L": [{"S": "x"}]},
    });
    let with = |change: &dyn Fn(&mut Value)| {
        let mut after = item.clone();
        change(&mut after);
        after
    };
    let cases: Vec<(&str, Value, Value)> = vec![
        (
            "SET #n = :n",
            json!({":n": {"N": "6"}}),
            with(&|it| it["n"] = json!({"N": "6"})),
        ),
        (
            "SET #n = :n, #s = :s",
            json!({":n": {"N": "6"}, ":s": {"S": ""}}),
            with(&|it| {
                it["n"] = json!({"N": "6"});
                it["s"] = json!({"S": ""});
            }),
        ),
        (
            "SET #n = if_not_exists(#n, :n)",
            json!({":n": {"N": "6"}}),
            item.clone(),
        ),
        (
            "SET #m = if_not_exists(#m, :n)",
            json!({":n": {"N": "6"}}),
            with(&|it| {
                it["m"] = json!({"N": "6"});
            }),
        ),
        (
            "SET #list = list_append(#list, :l)",
            json!({":l": {"L": [{"N": "1"}]}}),
            with(&|it| {
                it["list"] = json!({"L": [{"S": "x"}, {"N": "1"}]});
            }),
        ),
        (
            "SET #map.#out = :s",
            json!({":s": {"S": "y"}}),
            with(&|it| {
                it["map"]["M"]["out"] = json!({"S": "y"});
            }),
        ),
        (
            "SET #map.#in = if_not_exists(#map.#in, :s)",
            json!({":s": {"S": "y"}}),
            item.clone(),
        ),
        (
            "REMOVE #n, #gone",
            json!({}),
            with(&|it| {
                it.as_object_mut().expect("an item").remove("n");
            }),
        ),
        (
            "REMOVE #map.#in",
            json!({}),
            with(&|it| it["map"] = json!({"M": {}})),
        ),
        ("REMOVE #map.#out", json!({}), item.clone()),
        (
            "ADD #n :n",
            json!({":n": {"N": "-7"}}),
            with(&|it| it["n"] = json!({"N": "-2"})),
        ),
        (
            "ADD #m :n",
            json!({":n": {"N": "-7"}}),
            with(&|it| it["m"] = json!({"N": "-7"})),
        ),
        (
            "ADD #marks :b",
            json!({":b": {"BS": ["two", "three"]}}),
            with(&|it| {
                it["marks"] = json!({"BS": ["one", "two", "three"]});
            }),
        ),
        (
            "DELETE #marks :b",
            json!({":b": {"BS": ["two", "six"]}}),
            with(&|it| {
                it["marks"] = json!({"BS": ["one"]});
            }),
        ),
        (
            "DELETE #marks :b",
            json!({":b": {"BS": ["two", "one"]}}),
            with(&|it| {
                it.as_object_mut().expect("an item").remove("marks");
            }),
        ),
        (
            "SET #s = :s REMOVE #map ADD #n :n",
            json!({":s": {"S": "y"}, ":n": {"N": "1"}}),
            with(&|it| {
                it["s"] = json!({"S": "y"});
                it["n"] = json!({"N": "6"});
                it.as_object_mut().expect("an item").remove("map");
            }),
        ),
    ];
    for (expression, given, expected) in cases {
        bench.put("there", item.clone()).await;
        let done = bench
            .client
            .update_item()
            .table_name(&bench.table)
            .set_key(Some(key("there")))
            .update_expression(expression)
            .set_expression_attribute_names(names(expression))
            .set_expression_attribute_values(values(&given))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .expect(expression);
        assert_eq!(
            done.attributes.map(without_key),
            Some(attributes(&item)),
            "{expression}"
        );
        let after = bench.get("there").await.expect("there");
        assert_eq!(sorted(after), sorted(attributes(&expected)), "{expression}");
    }
    // One that is not there begins with its key.
    let made = bench
        .client
        .update_item()
        .table_name(&bench.table)
        .set_key(Some(key("new")))
        .update_expression("SET #n = :n")
        .set_expression_attribute_names(names("#n"))
        .set_expression_attribute_values(values(&json!({":n": {"N": "1"}})))
        .return_values(ReturnValue::AllOld)
        .send()
        .await
        .expect("made");
    assert!(made.attributes.is_none_or(|before| before.is_empty()));
    assert_eq!(
        bench.get("new").await,
        Some(attributes(&json!({"n": {"N": "1"}})))
    );
}

/// Sets have no order.
fn sorted(mut item: super::Item) -> super::Item {
    for value in item.values_mut() {
        if let aws_sdk_dynamodb::types::AttributeValue::Bs(all) = value {
            all.sort_by(|one, other| one.as_ref().cmp(other.as_ref()));
        }
    }
    item
}
