//! Bodies that were right, and are not any more.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// The body with something in it changed: of JSON mostly a field, else the text.
pub fn garble(dice: &mut Rng, text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) if dice.u8(..) < 224 => {
            for _ in 0..dice.usize(1..4) {
                change(dice, &mut value);
            }
            value.to_string()
        }
        _ => cut(dice, text),
    }
}

fn change(dice: &mut Rng, value: &mut Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() && dice.u8(..) < 240 => {
            field(dice, fields);
        }
        Value::Array(all) if !all.is_empty() && dice.u8(..) < 200 => {
            let at = dice.usize(..all.len());
            match dice.u8(..4) {
                0 => drop(all.remove(at)),
                1 => all.extend_from_within(..),
                _ => change(dice, &mut all[at]),
            }
        }
        other => *other = junk(dice),
    }
}

fn field(dice: &mut Rng, fields: &mut Map<String, Value>) {
    let names: Vec<String> = fields.keys().cloned().collect();
    let name = &names[dice.usize(..names.len())];
    match dice.u8(..8) {
        0 => drop(fields.remove(name)),
        1 => drop(fields.insert(text(dice), junk(dice))),
        2 | 3 => {
            if let Some(inner) = fields.get_mut(name) {
                change(dice, inner);
            }
        }
        _ => drop(fields.insert(name.clone(), junk(dice))),
    }
}

fn junk(dice: &mut Rng) -> Value {
    match dice.u8(..12) {
        0 => Value::Null,
        1 => dice.bool().into(),
        2 => u64::MAX.into(),
        3 => [0, -1, 1, i64::MIN, i64::MAX][dice.usize(..5)].into(),
        4 => json!([0.5, -0.0, 1e308, -1e308, 5e-324, 1e126][dice.usize(..6)]),
        5 => json!([]),
        6 => json!({}),
        7 => (0..dice.usize(60..110)).fold(Value::Null, |inner, _| json!([inner])),
        8 => (0..dice.usize(1..40)).map(|_| text(dice)).collect(),
        _ => text(dice).into(),
    }
}

fn text(dice: &mut Rng) -> String {
    const TEXTS: [&str; 18] = [
        "",
        " ",
        "\0",
        "null",
        "-1",
        "1e999",
        "\u{202e}\u{feff}",
        "\u{10ffff}\u{1f600}",
        "\r\nSet-Cookie: a=b",
        "../../etc/passwd",
        "%00%2e%2e/",
        "${jndi:x}",
        "2026-13-45T99:99:99Z",
        "00000000-0000-0000-0000-000000000000",
        "WS#1",
        "*/0 * * * *",
        "http://[::1",
        "a#b\u{7f}",
    ];
    let one = TEXTS[dice.usize(..TEXTS.len())];
    match dice.u8(..8) {
        0 => one.repeat(dice.usize(1..2000)),
        1 => (0..dice.usize(1..20)).map(|_| dice.char(..)).collect(),
        _ => one.to_owned(),
    }
}

fn cut(dice: &mut Rng, whole: &str) -> String {
    let at = dice.usize(..=whole.len());
    let at = (0..=at).rev().find(|at| whole.is_char_boundary(*at));
    let (front, back) = whole.split_at(at.unwrap_or_default());
    match dice.u8(..4) {
        0 => front.to_owned(),
        1 => format!("{front}{}{back}", text(dice)),
        2 => format!("{whole}{whole}"),
        _ => back.to_owned(),
    }
}
