//! Looks at items, and sets them up, by a client of its own: to weigh what is written, and for what
//! no route can do or show.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// Items, without being recorded.
#[derive(Debug, Clone)]
pub struct Scale {
    client: Client,
    table: String,
}

impl Scale {
    /// Over a client of its own.
    pub(crate) fn new(client: Client, table: &str) -> Self {
        Self {
            client,
            table: table.to_owned(),
        }
    }

    /// The items under `keys`, as JSON on the wire.
    pub async fn items(&self, keys: &[Value]) -> Vec<Option<Value>> {
        let looks = keys.iter().map(|key| self.item(key));
        futures_util::future::join_all(looks).await
    }

    /// The item under `key`, as JSON on the wire.
    pub async fn item_at(&self, key: &store::keys::Key) -> Option<Value> {
        let key = json!({"pk": {"S": key.pk}, "sk": {"S": key.sk}});
        self.item(&key).await
    }

    /// Deletes the item under `key`.
    pub async fn delete(&self, key: &store::keys::Key) {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.pk.clone()))
            .key("sk", AttributeValue::S(key.sk.clone()));
        deleted.send().await.expect("the emulator answers");
    }

    /// Sets a text attribute of the item under `key`, whatever it was.
    pub async fn set(&self, key: &store::keys::Key, attribute: &str, value: &str) {
        let text = AttributeValue::S(value.to_owned());
        self.set_raw(key, attribute, text).await;
    }

    /// Sets a number of the item under `key`, whatever it was.
    pub async fn set_number(&self, key: &store::keys::Key, attribute: &str, value: i64) {
        let value = AttributeValue::N(value.to_string());
        self.set_raw(key, attribute, value).await;
    }

    /// Sets an attribute of the item under `key` to `value`, whatever it was.
    pub async fn set_raw(&self, key: &store::keys::Key, attribute: &str, value: AttributeValue) {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.pk.clone()))
            .key("sk", AttributeValue::S(key.sk.clone()))
            .update_expression("SET #it = :it")
            .expression_attribute_names("#it", attribute)
            .expression_attribute_values(":it", value)
            .send()
            .await
            .expect("the emulator answers");
    }

    async fn item(&self, key: &Value) -> Option<Value> {
        let text = |name: &str| key[name]["S"].as_str().unwrap_or_default().to_owned();
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(text("pk")))
            .key("sk", AttributeValue::S(text("sk")))
            .consistent_read(true)
            .send()
            .await
            .expect("the emulator answers");
        found.item.as_ref().map(map)
    }
}

fn map(item: &HashMap<String, AttributeValue>) -> Value {
    let attributes = item.iter().map(|(name, it)| (name.clone(), value(it)));
    Value::Object(attributes.collect())
}

fn value(of: &AttributeValue) -> Value {
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    match of {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::B(bytes) => json!({"B": base64(bytes.as_ref())}),
        AttributeValue::Bool(bool) => json!({"BOOL": bool}),
        AttributeValue::Ss(all) => json!({"SS": all}),
        AttributeValue::Ns(all) => json!({"NS": all}),
        AttributeValue::Bs(all) => {
            let all: Vec<_> = all.iter().map(|bytes| base64(bytes.as_ref())).collect();
            json!({"BS": all})
        }
        AttributeValue::L(all) => json!({"L": all.iter().map(value).collect::<Vec<_>>()}),
        AttributeValue::M(entries) => json!({"M": map(entries)}),
        _ => json!({"NULL": true}),
    }
}
