//! A table for the functions in this process, as the template has it: what is tested here and what
//! the deployed functions do, woken by their table's stream, stay apart.

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType,
    },
};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::template::Template;

static MADE: OnceCell<()> = OnceCell::const_new();

/// Makes the table, once for all tests of this process.
pub(super) async fn make(client: &Client, name: &str) {
    MADE.get_or_init(|| make_new(client, name)).await;
}

/// Makes a table.
pub(super) async fn make_new(client: &Client, name: &str) {
    let made = create(client, name).await;
    // Another process of the same run may have made it.
    if let Err(error) = made {
        let error = error.into_service_error();
        assert!(error.is_resource_in_use_exception(), "{error:?}");
    }
}

type Outcome = Result<
    aws_sdk_dynamodb::operation::create_table::CreateTableOutput,
    aws_sdk_dynamodb::error::SdkError<aws_sdk_dynamodb::operation::create_table::CreateTableError>,
>;

async fn create(client: &Client, name: &str) -> Outcome {
    let (_, table) = Template::ours()
        .of_type("AWS::DynamoDB::Table")
        .next()
        .expect("a table");
    let properties = &table["Properties"];
    let attributes = list(&properties["AttributeDefinitions"]).map(|it| {
        AttributeDefinition::builder()
            .attribute_name(text(it, "AttributeName"))
            .attribute_type(ScalarAttributeType::from(text(it, "AttributeType")))
            .build()
            .expect("an attribute")
    });
    let indexes = list(&properties["GlobalSecondaryIndexes"]).map(|it| {
        let kind = ProjectionType::from(text(&it["Projection"], "ProjectionType"));
        GlobalSecondaryIndex::builder()
            .index_name(text(it, "IndexName"))
            .set_key_schema(Some(keys(it)))
            .projection(Projection::builder().projection_type(kind).build())
            .build()
            .expect("an index")
    });
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes.collect()))
        .set_key_schema(Some(keys(properties)))
        .set_global_secondary_indexes(Some(indexes.collect()))
        .send()
        .await
}

fn keys(of: &Value) -> Vec<KeySchemaElement> {
    let element = |it: &Value| {
        KeySchemaElement::builder()
            .attribute_name(text(it, "AttributeName"))
            .key_type(KeyType::from(text(it, "KeyType")))
            .build()
            .expect("a key")
    };
    list(&of["KeySchema"]).map(element).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or_default()
}
