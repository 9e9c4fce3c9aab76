//! The README's figures, held against what was counted.

use super::table::Prices;

/// How far a figure may be off, beside what two digits after the point leave out.
const TOLERANCE: f64 = 0.02;
/// Half of the last digit.
const ROUNDING: f64 = 0.005;

/// Where the README differs, in sentences: a row `| <what> | $<figure> |` for everything named, whose
/// figure is what was counted.
pub fn differences(readme: &str, prices: &Prices, named: &[&str]) -> Vec<String> {
    let all = prices.operations.iter().chain(&prices.months);
    let wanted = all.filter(|(what, _)| named.contains(&what.as_str()));
    let mut found = Vec::new();
    for (what, price) in wanted {
        match figure(readme, what) {
            None => found.push(format!("the README has no row {what:?}: it is ${price:.2}")),
            Some(says) if (says - price).abs() > ROUNDING + TOLERANCE * price => {
                found.push(format!(
                    "{what}: the README says ${says}, counted are ${price:.2}"
                ));
            }
            Some(_) => {}
        }
    }
    let known =
        |what: &str| prices.operations.contains_key(what) || prices.months.contains_key(what);
    let unknown = named.iter().filter(|what| !known(what));
    found.extend(unknown.map(|what| format!("nothing was counted for {what:?}")));
    found
}

/// The figure in the row of `what`.
fn figure(readme: &str, what: &str) -> Option<f64> {
    let row = readme.lines().find_map(|line| {
        let (name, rest) = line.strip_prefix("| ")?.split_once(" | ")?;
        (name == what).then_some(rest)
    })?;
    let text = row.trim_start_matches(['*', '$']);
    let end = text.find(|it: char| !it.is_ascii_digit() && it != '.')?;
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_differs_is_missing_or_unknown_is_told() {
        let readme = "text\n| beat | $1.84 | x |\n| notify | **$6.00** |\n| beatles | $9.00 |\n";
        let prices = |of: &[(&str, f64)]| Prices {
            operations: of
                .iter()
                .map(|(what, it)| ((*what).to_owned(), *it))
                .collect(),
            ..Prices::default()
        };
        let counted = prices(&[
            ("beat", 1.842),
            ("notify", 5.2),
            ("create", 16.0),
            ("more", 1.0),
        ]);
        assert_eq!(
            differences(readme, &counted, &["beat", "notify", "create", "never"]),
            [
                "the README has no row \"create\": it is $16.00",
                "notify: the README says $6, counted are $5.20",
                "nothing was counted for \"never\"",
            ]
        );
        assert!(differences(readme, &counted, &["beat"]).is_empty());
    }
}
