//! `!include <path>`: one document from many files.

use std::collections::{BTreeMap, BTreeSet};

use domain::template::relative;
use serde_json::Value;

use crate::yaml::{self, Broken};

/// How deep includes may lie in one another (contract 7.4).
const MAX_NESTED: usize = 16;
/// How many includes one document may have: a file may be included more than once, and includes
/// others each time.
const MAX_INCLUDES: usize = 1_000;
/// How many bytes one document may be made of, files that are included twice counted twice.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Why there is no document.
#[derive(Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// These files are needed too, as paths below the template's folder.
    Needs(BTreeSet<String>),
    /// A sentence.
    Broken(Broken),
}

/// The document of `root` with its includes, as far as `files` has their texts; a file that has
/// none is known not to exist.
///
/// # Errors
/// More files are needed, or something is wrong.
pub fn expand(files: &BTreeMap<String, Option<String>>, root: &str) -> Result<Value, Unfinished> {
    let mut expansion = Expansion {
        files,
        needs: BTreeSet::new(),
        includes: 0,
        bytes: 0,
    };
    let document = expansion.file(root, &[]).map_err(Unfinished::Broken)?;
    if expansion.needs.is_empty() {
        Ok(document)
    } else {
        Err(Unfinished::Needs(expansion.needs))
    }
}

struct Expansion<'a> {
    files: &'a BTreeMap<String, Option<String>>,
    needs: BTreeSet<String>,
    includes: usize,
    bytes: usize,
}

impl Expansion<'_> {
    /// A file's document. `above` are the files that lead to it, the root first.
    fn file(&mut self, path: &str, above: &[&str]) -> Result<Value, Broken> {
        let text = match self.files.get(path) {
            Some(Some(text)) => text,
            Some(None) => return Err(format!("there is no file {path}")),
            None => {
                self.needs.insert(path.to_owned());
                return Ok(Value::Null);
            }
        };
        self.bytes += text.len();
        if self.bytes > MAX_BYTES {
            return Err(format!(
                "together the files have more than {MAX_BYTES} bytes"
            ));
        }
        let mut chain = above.to_vec();
        chain.push(path);
        yaml::parse_with(text, &mut |tag, inner| match tag {
            "include" => self.include(&inner, &chain),
            _ => Ok(inner),
        })
        .map_err(|why| format!("{path}: {why}"))
    }

    fn include(&mut self, to: &Value, chain: &[&str]) -> Result<Value, Broken> {
        let to = to.as_str().map(str::trim).unwrap_or_default();
        let from = chain.last().copied().unwrap_or_default();
        let path = beside(from, to).ok_or_else(|| format!("!include {to:?} leads nowhere"))?;
        if chain.contains(&path.as_str()) {
            return Err(format!("!include {to} leads back to itself"));
        }
        if chain.len() > MAX_NESTED {
            return Err(format!("includes are nested deeper than {MAX_NESTED}"));
        }
        self.includes += 1;
        if self.includes > MAX_INCLUDES {
            return Err(format!("there are more than {MAX_INCLUDES} includes"));
        }
        self.file(&path, chain)
    }
}

/// The path that `to` is in the folder of the file `from`; none outside of the template's folder.
fn beside(from: &str, to: &str) -> Option<String> {
    if to.is_empty() || to.starts_with('/') {
        return None;
    }
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|it| !it.is_empty()).collect();
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    relative(&parts.join("/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn files(of: &[(&str, &str)]) -> BTreeMap<String, Option<String>> {
        of.iter()
            .map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())))
            .collect()
    }

    #[test]
    fn files_are_put_in_their_place() {
        let files = files(&[
            (
                "org.yaml",
                "a: !include teams/a.yaml\nb: [!include x.md, !include x.md]",
            ),
            (
                "teams/a.yaml",
                "{x: !include ../x.md, y: !include deep/y.yaml}",
            ),
            ("teams/deep/y.yaml", "7"),
            ("x.md", "text"),
        ]);
        assert_eq!(
            expand(&files, "org.yaml").expect("a document"),
            json!({"a": {"x": "text", "y": 7}, "b": ["text", "text"]})
        );
    }

    #[test]
    fn missing_files_are_asked_for_all_at_once() {
        let mut known = files(&[("org.yaml", "a: !include a.yaml\nb: !include d/b.yaml")]);
        let Err(Unfinished::Needs(needs)) = expand(&known, "org.yaml") else {
            panic!("it cannot be finished");
        };
        assert_eq!(
            needs.into_iter().collect::<Vec<_>>(),
            ["a.yaml", "d/b.yaml"]
        );
        known.insert("a.yaml".to_owned(), None);
        assert!(matches!(
            expand(&known, "org.yaml"),
            Err(Unfinished::Broken(_))
        ));
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        for (text, why) in [
            ("!include ''", "leads nowhere"),
            ("!include", "leads nowhere"),
            ("!include /etc/passwd", "leads nowhere"),
            ("!include ../x.yaml", "leads nowhere"),
            ("!include a/../../x.yaml", "leads nowhere"),
            ("!include [a]", "leads nowhere"),
            ("!include org.yaml", "leads back to itself"),
            ("!include loop.yaml", "leads back to itself"),
            ("!include broken.yaml", "broken.yaml"),
        ] {
            let files = files(&[
                ("org.yaml", text),
                ("loop.yaml", "x: !include org.yaml"),
                ("broken.yaml", "["),
            ]);
            match expand(&files, "org.yaml") {
                Err(Unfinished::Broken(found)) => assert!(found.contains(why), "{text}: {found}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn sixteen_levels_and_no_more() {
        let chain = |levels: usize| {
            let name = |n: usize| format!("{n}.yaml");
            let mut files: BTreeMap<_, _> = (0..levels)
                .map(|n| (name(n), Some(format!("x: !include {}", name(n + 1)))))
                .collect();
            files.insert(name(levels), Some("end".to_owned()));
            expand(&files, "0.yaml")
        };
        assert!(chain(16).is_ok());
        assert!(matches!(chain(17), Err(Unfinished::Broken(_))));
    }

    #[test]
    fn includes_cannot_multiply() {
        let ten = |n: usize| format!("[{}]", format!("!include {n}.yaml, ").repeat(10));
        let mut all: BTreeMap<_, _> = (0..6)
            .map(|n| (format!("{n}.yaml"), Some(ten(n + 1))))
            .collect();
        all.insert("6.yaml".to_owned(), Some("x".to_owned()));
        assert!(matches!(expand(&all, "0.yaml"), Err(Unfinished::Broken(_))));
    }
}
