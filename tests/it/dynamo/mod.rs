//! The contract of DynamoDB as far as the store leans on it, held by the emulator and by the fake in
//! memory alike: what the simulation of the fleet shows is worth as much as these cases.
//!
//! Where the emulator takes what DynamoDB refuses, the fake is right, and tested beside its code.

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::{Client, primitives::Blob, types::AttributeValue};
use domain::Mode;
use e2e::{
    counted::InProcess,
    dynamo::{Dynamo, Fair, Line, unsigned},
};
use serde_json::{Value, json};

/// Runs each case over both.
macro_rules! cases {
    ($($case:ident)+) => {
        mod emulator {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::dynamo::Bench::emulator().await).await;
            })+
        }
        mod fake {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::dynamo::Bench::fake()).await;
            })+
        }
    };
}

mod conditions;
mod reads;
mod transactions;
mod updates;

/// A table under test.
struct Bench {
    client: Client,
    table: String,
}

type Item = HashMap<String, AttributeValue>;

impl Bench {
    async fn emulator() -> Self {
        let inside = InProcess::apart(Mode::DevClosed).await;
        Self {
            client: Client::new(&inside.app.sdk),
            table: inside.app.settings.table.clone(),
        }
    }

    fn fake() -> Self {
        Self {
            client: unsigned(Line::new(Dynamo::default(), Arc::new(Fair))),
            table: "table".to_owned(),
        }
    }

    /// Puts an item under `pk`, with `sk` `S` unless it says otherwise.
    async fn put(&self, pk: &str, item: Value) {
        let mut item = attributes(&item);
        item.insert("pk".to_owned(), AttributeValue::S(pk.to_owned()));
        item.entry("sk".to_owned())
            .or_insert(AttributeValue::S("S".to_owned()));
        let put = self.client.put_item().table_name(&self.table);
        put.set_item(Some(item)).send().await.expect("put");
    }

    /// What is under `pk`, without its key.
    async fn get(&self, pk: &str) -> Option<Item> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true);
        let found = get.set_key(Some(key(pk))).send().await.expect("an answer");
        found.item.map(without_key)
    }
}

fn key(pk: &str) -> Item {
    attributes(&json!({"pk": {"S": pk}, "sk": {"S": "S"}}))
}

fn without_key(mut item: Item) -> Item {
    item.remove("pk");
    item.remove("sk");
    item
}

/// The placeholders of an expression that are names: each stands for itself.
fn names(expression: &str) -> Option<HashMap<String, String>> {
    let parts = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '#');
    let names = parts.filter_map(|word| word.strip_prefix('#'));
    let names: HashMap<_, _> = names.map(|it| (format!("#{it}"), it.to_owned())).collect();
    (!names.is_empty()).then_some(names)
}

/// The values of an expression, if it has some.
fn values(given: &Value) -> Option<Item> {
    let values = attributes(given);
    (!values.is_empty()).then_some(values)
}

fn attributes(of: &Value) -> Item {
    let fields = of.as_object().into_iter().flatten();
    fields
        .map(|(name, it)| (name.clone(), attribute(it)))
        .collect()
}

/// `{"S": "text"}` as the SDK has it; the bytes of a `BS` are those of its texts.
fn attribute(of: &Value) -> AttributeValue {
    let (kind, inner) = of
        .as_object()
        .and_then(|it| it.iter().next())
        .expect("a value");
    let text = || inner.as_str().expect("text").to_owned();
    let list = || inner.as_array().expect("a list").iter();
    let blob = |it: &Value| Blob::new(it.as_str().expect("text"));
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "B" => AttributeValue::B(blob(inner)),
        "BOOL" => AttributeValue::Bool(inner == true),
        "BS" => AttributeValue::Bs(list().map(blob).collect()),
        "L" => AttributeValue::L(list().map(attribute).collect()),
        "M" => AttributeValue::M(attributes(inner)),
        other => panic!("{other}"),
    }
}
