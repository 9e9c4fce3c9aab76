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

/// `text` with each `$NAME` and `${NAME}` as `vars` has it, and nothing for what it has not.
///
/// As Go's `os.Expand`, which templates are written for; but the platform's own environment is not looked at: it has
/// credentials.
pub fn fill(text: &str, vars: &BTreeMap<String, String>) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        filled += before;
        let (name, behind) = name(after);
        match name {
            Some(name) => filled += vars.get(name).map_or("", String::as_str),
            None => filled.push('$'),
        }
        rest = behind;
    }
    filled + rest
}

/// What a `$` before this text names, if anything, and the text behind the name. A brace that names nothing, or does not
/// end, is taken away.
fn name(text: &str) -> (Option<&str>, &str) {
    if let Some(text) = text.strip_prefix('{') {
        let (name, behind) = text.split_once('}').unwrap_or(("", text));
        return (Some(name), behind);
    }
    // `$1` and `$?` of shells, which are of one character.
    let special = |c: char| c.is_ascii_digit() || "*#$@!?-".contains(c);
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let end = match text.starts_with(special) {
        true => 1,
        false => text.find(ends).unwrap_or(text.len()),
    };
    let (name, behind) = text.split_at(end);
    ((!name.is_empty()).then_some(name), behind)
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
            ("${HOME_DIR}/x", "/srv/x"),
            ("$HOME_DIR/x", "/srv/x"),
            ("a${EMPTY}b${HOME_DIR}", "ab/srv"),
            ("${PATH}", ""),
            ("/a/$PATH", "/a/"),
            ("$HOME_DIRS", ""),
            ("$1HOME_DIR $$?", "HOME_DIR ?"),
            ("${}a${HOME DIR}${open", "aopen"),
            ("a $ ${HOME_DIR}é$é $", "a $ /srvé$é $"),
        ] {
            assert_eq!(fill(text, &vars), expected, "{text}");
        }
    }
}
