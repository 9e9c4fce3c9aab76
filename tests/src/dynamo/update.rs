//! Updates: all clauses read the item as it was, and no two may touch the same place.

use serde_json::{Value, json};

use super::{
    Item, Refusal,
    condition::at,
    parse::{Path, Reader, Word},
    value,
};

/// What becomes of a place.
#[derive(Debug)]
enum Step {
    Set(Path, Value),
    SetIfAbsent(Path, Path, Value),
    Append(Path, Path, Value),
    Remove(Path),
    Add(Path, Value),
    TakeOut(Path, Value),
}

/// The clauses of an update.
#[derive(Debug)]
pub(super) struct Update(Vec<Step>);

/// Reads an update.
pub(super) fn read(from: &mut Reader<'_>) -> Result<Update, Refusal> {
    let mut steps = Vec::new();
    while from.peek().is_some() {
        let Some(Word::Name(verb)) = from.next() else {
            panic!("not known: a clause of an update expected");
        };
        loop {
            steps.push(match verb.as_str() {
                "SET" => set(from)?,
                "REMOVE" => Step::Remove(from.path()?),
                "ADD" => Step::Add(from.path()?, from.value()?),
                "DELETE" => Step::TakeOut(from.path()?, from.value()?),
                other => panic!("{other} is not known to the fake of DynamoDB"),
            });
            if !from.sign(",") {
                break;
            }
        }
    }
    let update = Update(steps);
    update.apart()?;
    Ok(update)
}

fn set(from: &mut Reader<'_>) -> Result<Step, Refusal> {
    let path = from.path()?;
    from.expect("=");
    for (name, absent) in [("if_not_exists", true), ("list_append", false)] {
        if from.keyword(name) {
            from.expect("(");
            let of = from.path()?;
            from.expect(",");
            let value = from.value()?;
            from.expect(")");
            return Ok(match absent {
                true => Step::SetIfAbsent(path, of, value),
                false => Step::Append(path, of, value),
            });
        }
    }
    Ok(Step::Set(path, from.value()?))
}

impl Step {
    fn path(&self) -> &Path {
        match self {
            Self::Set(path, _)
            | Self::SetIfAbsent(path, ..)
            | Self::Append(path, ..)
            | Self::Remove(path)
            | Self::Add(path, _)
            | Self::TakeOut(path, _) => path,
        }
    }

    /// What is there afterwards; nothing if the attribute goes.
    fn result(&self, item: &Item) -> Result<Option<Value>, Refusal> {
        Ok(match self {
            Self::Set(_, value) => Some(value.clone()),
            Self::SetIfAbsent(_, of, value) => Some(at(item, of).unwrap_or(value).clone()),
            Self::Append(_, of, more) => {
                let list = |value: &Value| value["L"].as_array().cloned().unwrap_or_default();
                let missing = || Refusal::validation("there is no list to append to");
                let mut all = at(item, of).map(list).ok_or_else(missing)?;
                all.extend(list(more));
                Some(json!({ "L": all }))
            }
            Self::Remove(_) => None,
            Self::Add(path, more) => match (value::parts(more).0, at(item, path)) {
                ("N", Some(old)) => {
                    let sum = value::whole(old) + value::whole(more);
                    Some(json!({"N": sum.to_string()}))
                }
                ("N", None) => Some(more.clone()),
                (_, old) => value::joined(old, more, true),
            },
            Self::TakeOut(path, less) => {
                at(item, path).and_then(|old| value::joined(Some(old), less, false))
            }
        })
    }
}

impl Update {
    fn apart(&self) -> Result<(), Refusal> {
        for (n, one) in self.0.iter().enumerate() {
            let one = one.path();
            for other in self.0.iter().skip(n + 1).map(Step::path) {
                let shorter = one.len().min(other.len());
                if one[..shorter] == other[..shorter] {
                    let why = format!("Two document paths overlap with each other: {one:?}");
                    return Err(Refusal::validation(why));
                }
            }
            if matches!(one.first().map(String::as_str), Some("pk" | "sk")) {
                return Err(Refusal::validation("a key is not updated"));
            }
        }
        Ok(())
    }

    /// The item afterwards.
    pub(super) fn apply(&self, before: &Item) -> Result<Item, Refusal> {
        let mut after = before.clone();
        for step in &self.0 {
            let result = step.result(before)?;
            let (last, maps) = step.path().split_last().expect("a name");
            let invalid = || Refusal::validation("the document path is invalid for update");
            match maps {
                [] => put(&mut after, last, result),
                [map] => {
                    let map = after.get_mut(map).and_then(|map| map.get_mut("M"));
                    let map = map.and_then(Value::as_object_mut).ok_or_else(invalid)?;
                    match result {
                        Some(value) => drop(map.insert(last.clone(), value)),
                        None => drop(map.remove(last)),
                    }
                }
                _ => panic!("maps in maps are not known to the fake of DynamoDB"),
            }
        }
        Ok(after)
    }
}

fn put(item: &mut Item, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(item.insert(name.to_owned(), value)),
        None => drop(item.remove(name)),
    }
}
