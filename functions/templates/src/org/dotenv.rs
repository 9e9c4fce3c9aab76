//! `.env` files: what workspaces of an organisation get as secrets.

use std::collections::BTreeMap;

/// The variables of a file: `KEY=value`, also behind `export`, also in quotes. Lines that are
/// something else say nothing.
pub fn read(text: &str) -> BTreeMap<String, String> {
    let lines = text.trim_start_matches('\u{feff}').lines();
    lines.filter_map(variable).collect()
}

fn variable(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    let fine = key.starts_with(starts) && key.chars().all(|c| starts(c) || c.is_ascii_digit());
    fine.then(|| (key.to_owned(), unquoted(value.trim())))
}

fn unquoted(value: &str) -> String {
    for quote in ['"', '\''] {
        let Some(rest) = value.strip_prefix(quote) else {
            continue;
        };
        let Some(inner) = closing(rest, quote).and_then(|end| rest.get(..end)) else {
            continue;
        };
        return match quote {
            '"' => inner.replace("\\n", "\n").replace("\\\"", "\""),
            _ => inner.to_owned(),
        };
    }
    // A `#` begins a comment where a space stands before it.
    let end = value.find(" #").unwrap_or(value.len());
    value[..end].trim_end().to_owned()
}

/// Where a quoted value ends: at the first quote behind which there is nothing, or a comment, which may have quotes of
/// its own. Quotes before it are the value's, as in `"{"a":1}"`.
///
/// In double quotes one behind a backslash does not count. If none is left, as in `"C:\tools\"`, it is the last one.
fn closing(text: &str, quote: char) -> Option<usize> {
    let is_end = |at: usize| {
        let behind = text[at + quote.len_utf8()..].trim_start();
        behind.is_empty() || behind.starts_with('#')
    };
    let mut escaped = false;
    let end = text.char_indices().find_map(|(at, char)| {
        let counts = char == quote && !escaped;
        escaped = quote == '"' && char == '\\' && !escaped;
        (counts && is_end(at)).then_some(at)
    });
    end.or_else(|| text.rfind(quote))
}

/// `text` with each `${VAR}` as `vars` has it.
///
/// # Errors
/// The name of a variable that is not there. The platform's own environment is not looked at: it
/// has credentials.
pub fn fill(text: &str, vars: &BTreeMap<String, String>) -> Result<String, String> {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else {
            break;
        };
        let value = vars.get(name).ok_or_else(|| name.to_owned())?;
        filled += before;
        filled += value;
        rest = behind;
    }
    Ok(filled + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let text = "\u{feff}# comment\nA=1\n export B = two words \nC=\"q # x\\n\" # c\nD='$x'\nE=a#b # c\n\
            K='abc' # don't\nL=\"a \\\"b\\\"\" # the \"prod\" one\nF=\n=x\n1G=x\nH-I=x\nnothing\r\nJ=x\r\nA=2";
        let expected = [
            ("A", "2"),
            ("B", "two words"),
            ("C", "q # x\n"),
            ("D", "$x"),
            ("E", "a#b"),
            ("F", ""),
            ("J", "x"),
            ("K", "abc"),
            ("L", "a \"b\""),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(read(text), expected.into());
    }

    #[test]
    fn a_value_ends_at_the_quote_that_nothing_follows() {
        for (line, expected) in [
            (r#"A="{"a":1}""#, r#"{"a":1}"#),
            (r#"A="{"a":1}" # the "one""#, r#"{"a":1}"#),
            ("A='it's'", "it's"),
            ("A='it's' # isn't it", "it's"),
            (r#"A="C:\tools\""#, r"C:\tools\"),
            (r#"A="a \\" # "b""#, r"a \\"),
            (r#"A="a"#, r#""a"#),
            ("A=\"\"", ""),
            ("A='' # none", ""),
            ("A='a'#b", "a"),
        ] {
            let read = read(line);
            assert_eq!(read["A"], expected, "{line}");
        }
    }

    #[test]
    fn variables_are_filled_in() {
        let vars = read("HOME_DIR=/srv\nEMPTY=");
        for (text, expected) in [
            ("${HOME_DIR}/x", Ok("/srv/x")),
            ("a${EMPTY}b${HOME_DIR}", Ok("ab/srv")),
            ("$HOME_DIR ${open", Ok("$HOME_DIR ${open")),
            ("${PATH}", Err("PATH")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(fill(text, &vars), expected, "{text}");
        }
    }
}
