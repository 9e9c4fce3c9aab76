//! How people look for text: part of it, in any case, with `%` for anything and `_` for one character
//! (contract: a2a-notify-events 7).

/// The longest pattern, in bytes.
pub const MAX_PATTERN: usize = 256;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// This character, in lower case.
    One(char),
    /// Any character.
    Any,
    /// Any number of characters.
    Rest,
}

impl Part {
    fn takes(self, c: char) -> bool {
        match self {
            Self::One(wanted) => wanted == c,
            Self::Any => true,
            Self::Rest => false,
        }
    }
}

/// Character by character: a whole word would have its last sigma written otherwise than a part of it.
fn lower(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

impl Pattern {
    /// From what somebody typed; none when that is blank, which everything matches. A backslash takes
    /// the meaning from the character after it.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let (mut parts, mut chars) = (vec![Part::Rest], lower(text));
        while let Some(c) = chars.next() {
            parts.push(match c {
                '%' => Part::Rest,
                '_' => Part::Any,
                '\\' => Part::One(chars.next().unwrap_or('\\')),
                c => Part::One(c),
            });
        }
        parts.push(Part::Rest);
        parts.dedup_by(|one, other| (*one, *other) == (Part::Rest, Part::Rest));
        Some(Self(parts))
    }

    /// Whether it is in `text`. Takes at most the product of both lengths, usually their sum.
    pub fn is_in(&self, text: &str) -> bool {
        let text: Vec<char> = lower(text).collect();
        let parts = &self.0;
        let (mut part, mut at) = (0, 0);
        // The last `%`, and how far it reaches as tried so far: only that one is ever tried anew.
        let mut back = None;
        while at < text.len() {
            match parts.get(part) {
                Some(Part::Rest) => {
                    part += 1;
                    back = Some((part, at));
                }
                Some(wanted) if wanted.takes(text[at]) => {
                    part += 1;
                    at += 1;
                }
                _ => {
                    let Some((after, reached)) = back else {
                        return false;
                    };
                    (part, at) = (after, reached + 1);
                    back = Some((after, at));
                }
            }
            // What ends with anything needs no look at the rest.
            if part + 1 == parts.len() {
                return true;
            }
        }
        parts[part..].iter().all(|part| *part == Part::Rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(pattern: &str, text: &str) -> bool {
        Pattern::of(pattern).is_none_or(|it| it.is_in(text))
    }

    #[test]
    fn patterns_as_a_table() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("  ", "anything", true),
            ("b", "abc", true),
            ("abc", "abc", true),
            ("abcd", "abc", false),
            ("abc", "", false),
            (" b ", "abc", true),
            ("GRÜSSE", "viele Grüße und grüsse", true),
            ("ΟΔΟΣ", "ΟΔΟΣΤΡΩΜΑ", true),
            ("a_c", "xabcx", true),
            ("a_c", "ac", false),
            ("a%c", "a long way to c", true),
            ("a%c", "c before a", false),
            ("%", "", true),
            ("_", "", false),
            ("__", "x", false),
            ("100%", "100 of 100", true),
            ("100\\%", "100 of 100", false),
            ("100\\%", "it is 100% of it", true),
            ("\\_", "a_b", true),
            ("\\_", "ab", false),
            ("a\\", "a\\b", true),
            ("aab", "aaab", true),
            ("ab%ab", "ab", false),
            ("ab%ab", "abab", true),
        ] {
            assert_eq!(found(pattern, text), expected, "{pattern:?} in {text:?}");
        }
    }

    proptest! {
        #[test]
        fn plain_text_is_found_where_it_is(text in "[a-cA-C]{0,12}", pattern in "[a-c]{1,4}") {
            prop_assert_eq!(found(&pattern, &text), text.to_lowercase().contains(&pattern));
        }

        #[test]
        fn what_is_around_a_match_does_not_matter(
            before in ".{0,8}", text in "[a-z]{1,8}", after in ".{0,8}"
        ) {
            let around = format!("{before}{text}{after}");
            prop_assert!(found(&text, &around));
            let (one, two) = text.split_at(text.len() / 2);
            let spread = format!("{one}{before}{two}");
            let pattern = format!("{one}%{two}");
            prop_assert!(found(&pattern, &spread));
        }
    }
}
