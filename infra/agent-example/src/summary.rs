//! A summary of a text file, without a model: its size and its start.

use crate::parts::{Content, File};

const LINES_SHOWN: usize = 3;

/// Sums up the first file of a message, or says why it cannot.
pub(crate) fn summarise(files: &[File]) -> String {
    let Some(File { name, content }) = files.first() else {
        return "Attach a text file to your message and I will summarise it.".to_owned();
    };
    let bytes = match content {
        Content::Bytes(bytes) => bytes,
        Content::Uri(uri) => {
            return format!("I read files sent as bytes; {name} came as an address: {uri}");
        }
    };
    match str::from_utf8(bytes) {
        Ok(text) => describe(name, text),
        Err(_) => format!("{name} is not a text file."),
    }
}

fn describe(name: &str, text: &str) -> String {
    let words = count(text.split_whitespace().count(), "word");
    let lines = count(text.lines().count(), "line");
    let start: Vec<_> = text.lines().take(LINES_SHOWN).collect();
    format!("{name}: {words}, {lines}.\n{}", start.join("\n"))
        .trim_end()
        .to_owned()
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: Content) -> [File; 1] {
        let name = "a.txt".to_owned();
        [File { name, content }]
    }

    #[test]
    fn a_text_is_counted_and_its_start_shown() {
        let bytes = |text: &str| summarise(&file(Content::Bytes(text.as_bytes().to_vec())));
        assert_eq!(
            bytes("one two\nthree\n\nfour\n"),
            "a.txt: 4 words, 4 lines.\none two\nthree"
        );
        assert_eq!(bytes("one"), "a.txt: 1 word, 1 line.\none");
        assert_eq!(bytes(""), "a.txt: 0 words, 0 lines.");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(summarise(&[]).starts_with("Attach a text file"));
        assert_eq!(
            summarise(&file(Content::Bytes(vec![0xff]))),
            "a.txt is not a text file."
        );
        assert!(summarise(&file(Content::Uri("workspace:/a".to_owned()))).contains("workspace:/a"));
    }
}
