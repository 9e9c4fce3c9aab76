//! Any JSON and any text, as strategies: also what no value in memory has, as names that come twice, numbers
//! beyond all bounds, and depth.

use proptest::{prelude::*, sample::select};

/// Stands in made-up strings, so that a test can look for it in answers.
pub const CANARY: &str = "zq7xcanary";

const LITERALS: [&str; 26] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "0.5",
    "1e3",
    "1e126",
    "-1e308",
    "5e-324",
    "1e999",
    "1E-999",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775809",
    "18446744073709551616",
    "[]",
    "{}",
    r#""""#,
    r#"" ""#,
    r#""\u0000""#,
    r#""\ud800""#,
    r#""\u202e\ufeff""#,
    r#""00000000-0000-0000-0000-000000000000""#,
];

const TEXTS: [&str; 24] = [
    "",
    " ",
    "\0",
    "%00",
    "..",
    "../../etc/passwd",
    "%2e%2e%2f",
    "a/b",
    "a#b",
    "WS#1",
    "-1",
    "0",
    "1e9",
    "999999999999999999999999",
    "-9223372036854775808",
    "null",
    "true",
    "2026-13-45T99:99:99Z",
    "9999-12-31T23:59:59.999999999Z",
    "00000000-0000-0000-0000-000000000000",
    "00000000-0000-7000-8000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "\u{202e}\u{feff}\u{10ffff}",
    "Bearer a, Bearer b",
];

fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&LITERALS[..]).prop_map(str::to_owned),
        2 => ".{0,20}".prop_map(|text| quoted(&format!("{CANARY}{text}"))),
        1 => text().prop_map(|text| quoted(&text)),
        1 => "-?[1-9][0-9]{0,400}(\\.[0-9]{1,400})?",
        1 => (1..400_usize).prop_map(|deep| "[".repeat(deep) + &"]".repeat(deep)),
        1 => (1..400_usize).prop_map(|deep| "{\"a\":".repeat(deep) + "0" + &"}".repeat(deep)),
    ]
}

/// JSON as text, whose objects have these names, or others, some of them twice.
pub fn json(names: Vec<String>) -> impl Strategy<Value = String> {
    let known: BoxedStrategy<String> = if names.is_empty() {
        Just(CANARY.to_owned()).boxed()
    } else {
        select(names).boxed()
    };
    leaf().prop_recursive(4, 24, 5, move |inner| {
        let name = prop_oneof![4 => known.clone(), 1 => ".{0,4}"];
        let field = (name, inner.clone());
        let field = field.prop_map(|(name, value)| format!("{}:{value}", quoted(&name)));
        prop_oneof![
            1 => prop::collection::vec(inner, 0..5).prop_map(|all| format!("[{}]", all.join(","))),
            2 => prop::collection::vec(field, 0..5).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

/// Text that was not typed by somebody who means well.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&TEXTS[..]).prop_map(str::to_owned),
        2 => any::<String>(),
        1 => Just(CANARY.to_owned()),
        // A gateway takes 10 KB of all that is no body.
        1 => (select(&TEXTS[..]), 1..60_usize).prop_map(|(text, often)| text.repeat(often)),
    ]
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
