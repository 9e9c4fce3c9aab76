//! Conditions: read, and judged on an item.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    Item, Refusal,
    parse::{Path, Reader, Word},
    value,
};

/// Those of DynamoDB's reserved words that are names of our attributes: they need a placeholder.
pub(super) const RESERVED: [&str; 16] = [
    "STATUS", "NAME", "PATH", "URL", "STATE", "ROLE", "TTL", "MODE", "TIER", "LOAD", "KEY", "DATA",
    "TOKEN", "VALUE", "SIZE", "COUNT",
];

/// A side of a comparison.
#[derive(Debug)]
enum Side {
    Path(Path),
    Size(Path),
    Value(Value),
}

/// What must hold.
#[derive(Debug)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    There(Path),
    Absent(Path),
    Contains(Path, Value),
    Compare(Side2, &'static str),
    In(Path, Vec<Value>),
    Between(Path, Value, Value),
}

/// Both sides of a comparison.
#[derive(Debug)]
pub(super) struct Side2(Side, Side);

/// Reads a condition.
pub(super) fn read(from: &mut Reader<'_>) -> Result<Condition, Refusal> {
    let mut any = vec![all(from)?];
    while from.keyword("OR") {
        any.push(all(from)?);
    }
    Ok(Condition::Any(any))
}

fn all(from: &mut Reader<'_>) -> Result<Condition, Refusal> {
    let mut all = vec![one(from)?];
    while from.keyword("AND") {
        all.push(one(from)?);
    }
    Ok(Condition::All(all))
}

fn one(from: &mut Reader<'_>) -> Result<Condition, Refusal> {
    if from.keyword("NOT") {
        return Ok(Condition::Not(Box::new(one(from)?)));
    }
    if from.sign("(") {
        let inner = read(from)?;
        from.expect(")");
        return Ok(inner);
    }
    for (name, make) in [
        (
            "attribute_exists",
            Condition::There as fn(Path) -> Condition,
        ),
        ("attribute_not_exists", Condition::Absent),
    ] {
        if from.keyword(name) {
            from.expect("(");
            let path = from.path()?;
            from.expect(")");
            return Ok(make(path));
        }
    }
    if from.keyword("contains") {
        from.expect("(");
        let path = from.path()?;
        from.expect(",");
        let value = from.value()?;
        from.expect(")");
        return Ok(Condition::Contains(path, value));
    }
    comparison(from)
}

fn side(from: &mut Reader<'_>) -> Result<Side, Refusal> {
    if let Some(Word::Value(_)) = from.peek() {
        return Ok(Side::Value(from.value()?));
    }
    if from.keyword("size") {
        from.expect("(");
        let path = from.path()?;
        from.expect(")");
        return Ok(Side::Size(path));
    }
    Ok(Side::Path(from.path()?))
}

fn comparison(from: &mut Reader<'_>) -> Result<Condition, Refusal> {
    let left = side(from)?;
    for sign in ["=", "<>", "<=", ">=", "<", ">"] {
        if from.sign(sign) {
            return Ok(Condition::Compare(Side2(left, side(from)?), sign));
        }
    }
    let Side::Path(path) = left else {
        panic!("only attributes are looked for in lists and ranges");
    };
    if from.keyword("BETWEEN") {
        let low = from.value()?;
        assert!(from.keyword("AND"), "BETWEEN without AND");
        return Ok(Condition::Between(path, low, from.value()?));
    }
    assert!(from.keyword("IN"), "a comparison that is not known");
    from.expect("(");
    let mut values = vec![from.value()?];
    while from.sign(",") {
        values.push(from.value()?);
    }
    from.expect(")");
    Ok(Condition::In(path, values))
}

/// What is at a path of an item.
pub(super) fn at<'a>(item: &'a Item, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let mut found = item.get(first)?;
    for entry in rest {
        found = found.get("M")?.get(entry)?;
    }
    Some(found)
}

impl Side {
    fn of(&self, item: &Item) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::Path(path) => at(item, path).cloned(),
            Self::Size(path) => at(item, path).map(value::size),
        }
    }
}

impl Condition {
    /// Whether it holds for an item; one that is not there has no attributes.
    pub(super) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::All(all) => all.iter().all(|it| it.holds(item)),
            Self::Any(any) => any.iter().any(|it| it.holds(item)),
            Self::Not(it) => !it.holds(item),
            Self::There(path) => at(item, path).is_some(),
            Self::Absent(path) => at(item, path).is_none(),
            Self::Contains(path, part) => {
                at(item, path).is_some_and(|whole| value::contains(whole, part))
            }
            Self::In(path, values) => at(item, path)
                .is_some_and(|found| values.iter().any(|value| value::equal(found, value))),
            Self::Between(path, low, high) => at(item, path).is_some_and(|found| {
                let order = |bound| value::order(found, bound);
                order(low).is_some_and(Ordering::is_ge) && order(high).is_some_and(Ordering::is_le)
            }),
            Self::Compare(Side2(left, right), sign) => {
                let (left, right) = (left.of(item), right.of(item));
                compare(left.as_ref(), right.as_ref(), sign)
            }
        }
    }
}

/// What is not there equals nothing and is unequal to everything.
fn compare(left: Option<&Value>, right: Option<&Value>, sign: &str) -> bool {
    let (Some(left), Some(right)) = (left, right) else {
        return sign == "<>";
    };
    let order = || value::order(left, right);
    match sign {
        "=" => value::equal(left, right),
        "<>" => !value::equal(left, right),
        "<" => order().is_some_and(Ordering::is_lt),
        "<=" => order().is_some_and(Ordering::is_le),
        ">" => order().is_some_and(Ordering::is_gt),
        ">=" => order().is_some_and(Ordering::is_ge),
        other => panic!("{other} is not known"),
    }
}
