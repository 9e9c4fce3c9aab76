//! Agents' cards: any JSON of up to 64 KB, which agents write themselves.

use serde_json::{Value, json};

/// The longest name that a shortened card keeps, in bytes.
const NAME: usize = 200;

/// A card for a list that cannot carry all cards whole: its name, and that there is more. The whole one is
/// where one workspace is shown.
pub fn shortened(card: &Value) -> Value {
    let name = card["name"].as_str().filter(|name| name.len() <= NAME);
    match name {
        Some(name) => json!({"name": name, "truncated": true}),
        None => json!({"truncated": true}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_card_has_a_name_if_it_is_one() {
        let long = "n".repeat(NAME + 1);
        for (card, expected) in [
            (
                json!({"name": "Alice", "skills": [1]}),
                json!({"name": "Alice", "truncated": true}),
            ),
            (json!({"name": long}), json!({"truncated": true})),
            (json!({"name": 7}), json!({"truncated": true})),
            (json!([1]), json!({"truncated": true})),
            (json!("text"), json!({"truncated": true})),
        ] {
            assert_eq!(shortened(&card), expected);
        }
    }
}
