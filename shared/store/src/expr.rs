//! Writes as values: what to set, what must hold. The SDK has no expression builder.

mod write;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use crate::keys::{Key, PK, SK};

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Any serialisable value as an attribute.
///
/// # Panics
/// Never for the types of this crate: they are numbers, strings, lists and structs.
pub(crate) fn value<T: Serialize>(value: T) -> AttributeValue {
    serde_dynamo::to_attribute_value(value).expect("plain data serialises")
}

/// A struct as an item under `key`.
pub(crate) fn item<T: Serialize>(key: Key, row: &T) -> Item {
    let mut item: Item = serde_dynamo::to_item(row).expect("a struct serialises");
    item.insert(PK.to_owned(), AttributeValue::S(key.pk));
    item.insert(SK.to_owned(), AttributeValue::S(key.sk));
    item
}

/// The key as the SDK wants it.
pub(crate) fn key_map(key: Key) -> Item {
    HashMap::from([
        (PK.to_owned(), AttributeValue::S(key.pk)),
        (SK.to_owned(), AttributeValue::S(key.sk)),
    ])
}

/// A condition and the names and values it uses.
#[derive(Debug, Default, Clone)]
pub(crate) struct Terms {
    condition: Option<String>,
    names: HashMap<String, String>,
    values: Item,
}

impl Terms {
    fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    fn values(&self) -> Option<Item> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

/// One write of a transaction, or a write of its own.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    Put { item: Item, terms: Terms },
    Change(Change),
    Delete { key: Key, terms: Terms },
    Check { key: Key, terms: Terms },
}

/// An update of one item.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) key: Key,
    sets: Vec<String>,
    removes: Vec<String>,
    adds: Vec<String>,
    deletes: Vec<String>,
    terms: Terms,
}

impl Change {
    pub(crate) fn at(key: Key) -> Self {
        Self {
            key,
            sets: Vec::new(),
            removes: Vec::new(),
            adds: Vec::new(),
            deletes: Vec::new(),
            terms: Terms::default(),
        }
    }

    fn name(&mut self, attribute: &str) -> String {
        let name = format!("#{attribute}");
        self.terms.names.insert(name.clone(), attribute.to_owned());
        name
    }

    fn value(&mut self, attribute: &str, value: AttributeValue) -> String {
        let placeholder = format!(":{attribute}");
        self.terms.values.insert(placeholder.clone(), value);
        placeholder
    }

    /// `attribute = value`.
    pub(crate) fn set<T: Serialize>(self, attribute: &str, value: T) -> Self {
        self.set_raw(attribute, self::value(value))
    }

    /// `attribute = value`, the value as it is.
    pub(crate) fn set_raw(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(attribute, value));
        self.sets.push(format!("{name} = {value}"));
        self
    }

    /// `attribute = value`, unless it has one.
    pub(crate) fn set_if_absent<T: Serialize>(mut self, attribute: &str, value: T) -> Self {
        let (name, value) = (
            self.name(attribute),
            self.value(attribute, self::value(value)),
        );
        self.sets
            .push(format!("{name} = if_not_exists({name}, {value})"));
        self
    }

    /// `attribute = value`, or no attribute when there is none.
    pub(crate) fn set_or_remove<T: Serialize>(self, attribute: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.set(attribute, value),
            None => self.remove(attribute),
        }
    }

    /// As [`set_or_remove`](Self::set_or_remove), for an attribute whose name is no placeholder.
    pub(crate) fn set_or_remove_as<T: Serialize>(
        mut self,
        placeholder: &str,
        attribute: &str,
        value: Option<T>,
    ) -> Self {
        let name = format!("#{placeholder}");
        self.terms.names.insert(name.clone(), attribute.to_owned());
        match value {
            Some(value) => {
                let value = self.value(placeholder, self::value(value));
                self.sets.push(format!("{name} = {value}"));
            }
            None => self.removes.push(name),
        }
        self
    }

    /// `map.entry = value`.
    pub(crate) fn set_entry<T: Serialize>(mut self, map: &str, entry: &str, value: T) -> Self {
        let map = self.name(map);
        self.terms
            .names
            .insert("#set_entry".to_owned(), entry.to_owned());
        let value = self.value("set_entry", self::value(value));
        self.sets.push(format!("{map}.#set_entry = {value}"));
        self
    }

    /// `map.entry = value`, unless the entry is there.
    pub(crate) fn set_entry_if_absent<T: Serialize>(
        mut self,
        map: &str,
        entry: &str,
        value: T,
    ) -> Self {
        let map = self.name(map);
        self.terms
            .names
            .insert("#new_entry".to_owned(), entry.to_owned());
        let value = self.value("new_entry", self::value(value));
        self.sets.push(format!(
            "{map}.#new_entry = if_not_exists({map}.#new_entry, {value})"
        ));
        self
    }

    /// `list = list + value`.
    pub(crate) fn append<T: Serialize>(mut self, list: &str, value: T) -> Self {
        let (name, value) = (self.name(list), self.value(list, self::value([value])));
        self.sets
            .push(format!("{name} = list_append({name}, {value})"));
        self
    }

    /// Removes an entry of a map; harmless when it is not there.
    pub(crate) fn remove_entry(mut self, map: &str, entry: &str) -> Self {
        let map = self.name(map);
        self.terms
            .names
            .insert("#entry".to_owned(), entry.to_owned());
        self.removes.push(format!("{map}.#entry"));
        self
    }

    /// Removes an attribute.
    pub(crate) fn remove(mut self, attribute: &str) -> Self {
        let name = self.name(attribute);
        self.removes.push(name);
        self
    }

    /// Adds to a number, or members to a set.
    pub(crate) fn add(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(attribute, value));
        self.adds.push(format!("{name} {value}"));
        self
    }

    /// Adds to a number.
    pub(crate) fn count(self, attribute: &str, by: i64) -> Self {
        self.add(attribute, value(by))
    }

    /// Takes members out of a set; the attribute goes with the last one.
    pub(crate) fn take_out(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(attribute, value));
        self.deletes.push(format!("{name} {value}"));
        self
    }

    /// What must hold. Names are written `#name`, values `:name`; see [`Terms::with`].
    pub(crate) fn when(mut self, condition: impl Into<String>) -> Self {
        self.terms.condition = Some(condition.into());
        self
    }

    /// A name the condition uses.
    pub(crate) fn naming(mut self, attribute: &str) -> Self {
        self.name(attribute);
        self
    }

    /// A value the condition uses, as `:placeholder`.
    pub(crate) fn with<T: Serialize>(self, placeholder: &str, value: T) -> Self {
        self.with_raw(placeholder, self::value(value))
    }

    /// A value the condition uses, as it is.
    pub(crate) fn with_raw(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.value(placeholder, value);
        self
    }

    /// The update expression, and what names, values and condition go with it.
    pub(crate) fn parts(self) -> Parts {
        let clauses = [
            ("SET", &self.sets, ", "),
            ("REMOVE", &self.removes, ", "),
            ("ADD", &self.adds, ", "),
            ("DELETE", &self.deletes, ", "),
        ];
        let update = clauses
            .iter()
            .filter(|(_, parts, _)| !parts.is_empty())
            .map(|(verb, parts, glue)| format!("{verb} {}", parts.join(glue)))
            .collect::<Vec<_>>()
            .join(" ");
        Parts {
            key: key_map(self.key),
            update,
            names: self.terms.names(),
            values: self.terms.values(),
            condition: self.terms.condition,
        }
    }
}

/// What an update call is made of.
pub(crate) struct Parts {
    pub(crate) key: Item,
    pub(crate) update: String,
    pub(crate) names: Option<HashMap<String, String>>,
    pub(crate) values: Option<Item>,
    pub(crate) condition: Option<String>,
}
