//! The writes of a transaction: puts, deletes, checks and changes, each with its condition.

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use serde::Serialize;

use super::{Change, Item, Terms, Write, item, key_map, value};
use crate::keys::Key;

impl From<Change> for Write {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}

impl Write {
    /// Puts `row` under `key`, whatever is there.
    pub(crate) fn put<T: Serialize>(key: Key, row: &T) -> Self {
        Self::put_item(item(key, row))
    }

    /// Puts an item, whatever is there.
    pub(crate) fn put_item(item: Item) -> Self {
        Self::Put {
            item,
            terms: Terms::default(),
        }
    }

    /// Deletes what is under `key`, if anything.
    pub(crate) fn delete(key: Key) -> Self {
        Self::Delete {
            key,
            terms: Terms::default(),
        }
    }

    /// Only looks.
    pub(crate) fn check(key: Key) -> Self {
        Self::Check {
            key,
            terms: Terms::default(),
        }
    }

    fn terms(&mut self) -> &mut Terms {
        match self {
            Self::Put { terms, .. } | Self::Delete { terms, .. } | Self::Check { terms, .. } => {
                terms
            }
            Self::Change(change) => &mut change.terms,
        }
    }

    /// What must hold.
    pub(crate) fn when(mut self, condition: &str) -> Self {
        self.terms().condition = Some(condition.to_owned());
        self
    }

    /// Nothing may be there yet.
    pub(crate) fn if_new(self) -> Self {
        self.when("attribute_not_exists(pk)")
    }

    /// Something must be there.
    pub(crate) fn if_there(self) -> Self {
        self.when("attribute_exists(pk)")
    }

    /// A name the condition uses, as `#name`: many plain words are reserved.
    pub(crate) fn naming(mut self, attribute: &str) -> Self {
        let name = format!("#{attribute}");
        self.terms().names.insert(name, attribute.to_owned());
        self
    }

    /// A value the condition uses, as `:placeholder`.
    pub(crate) fn with<T: Serialize>(mut self, placeholder: &str, value: T) -> Self {
        let value = self::value(value);
        self.terms().values.insert(format!(":{placeholder}"), value);
        self
    }

    /// A value the condition uses, as it is.
    pub(crate) fn with_raw(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.terms().values.insert(format!(":{placeholder}"), value);
        self
    }

    /// As part of a transaction. A failed condition returns the item, so no second read follows.
    pub(crate) fn in_transaction(self, table: &str) -> TransactWriteItem {
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let out = TransactWriteItem::builder();
        match self {
            Self::Put { item, terms } => out.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(item))
                    .set_expression_attribute_names(terms.names())
                    .set_expression_attribute_values(terms.values())
                    .set_condition_expression(terms.condition)
                    .return_values_on_condition_check_failure(old)
                    .build()
                    .expect("table and item are set"),
            ),
            Self::Change(change) => {
                let parts = change.parts();
                out.update(
                    Update::builder()
                        .table_name(table)
                        .set_key(Some(parts.key))
                        .update_expression(parts.update)
                        .set_expression_attribute_names(parts.names)
                        .set_expression_attribute_values(parts.values)
                        .set_condition_expression(parts.condition)
                        .return_values_on_condition_check_failure(old)
                        .build()
                        .expect("table, key and update are set"),
                )
            }
            Self::Delete { key, terms } => out.delete(
                Delete::builder()
                    .table_name(table)
                    .set_key(Some(key_map(key)))
                    .set_expression_attribute_names(terms.names())
                    .set_expression_attribute_values(terms.values())
                    .set_condition_expression(terms.condition)
                    .return_values_on_condition_check_failure(old)
                    .build()
                    .expect("table and key are set"),
            ),
            Self::Check { key, terms } => out.condition_check(
                ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(key_map(key)))
                    .set_expression_attribute_names(terms.names())
                    .set_expression_attribute_values(terms.values())
                    .set_condition_expression(terms.condition)
                    .return_values_on_condition_check_failure(old)
                    .build()
                    .expect("table, key and condition are set"),
            ),
        }
        .build()
    }
}
