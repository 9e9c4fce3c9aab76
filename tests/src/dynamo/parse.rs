//! Expressions, read: conditions, updates and key conditions have the same words.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Refusal;

/// One word of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// A name, a placeholder of one, or a keyword.
    Name(String),
    /// A placeholder of a value.
    Value(String),
    /// Anything else.
    Sign(&'static str),
}

const SIGNS: [&str; 11] = ["<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "+"];

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            words.push(Word::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let head = usize::from(rest.starts_with([':', '#']));
            let end = rest[head..]
                .find(|c| !is_name(c))
                .map_or(rest.len(), |n| n + head);
            assert!(
                end > head,
                "not known to the fake of DynamoDB: {rest} in {text}"
            );
            let word = rest[..end].to_owned();
            words.push(match rest.starts_with(':') {
                true => Word::Value(word),
                false => Word::Name(word),
            });
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    words
}

/// Where an attribute is: its name, and in a map the entry's.
pub(super) type Path = Vec<String>;

/// Reads expressions of one request, and remembers which names and values they use.
pub(super) struct Reader<'a> {
    request: &'a Value,
    words: Vec<Word>,
    at: usize,
    used: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(request: &'a Value) -> Self {
        Self {
            request,
            words: Vec::new(),
            at: 0,
            used: BTreeSet::new(),
        }
    }

    /// Goes on with this expression of the request; false if it has none.
    pub(super) fn open(&mut self, field: &str) -> bool {
        let text = self.request[field].as_str();
        self.words = words(text.unwrap_or_default());
        self.at = 0;
        text.is_some()
    }

    pub(super) fn peek(&self) -> Option<&Word> {
        self.words.get(self.at)
    }

    pub(super) fn next(&mut self) -> Option<Word> {
        let word = self.peek().cloned();
        self.at += 1;
        word
    }

    /// Takes the next word if it is this sign.
    pub(super) fn sign(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Some(Word::Sign(it)) if *it == sign);
        self.at += usize::from(there);
        there
    }

    /// Takes the next word if it is this keyword or function.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), Some(Word::Name(it)) if it == word);
        self.at += usize::from(there);
        there
    }

    pub(super) fn expect(&mut self, sign: &str) {
        assert!(
            self.sign(sign),
            "{sign} expected: {:?} at {}",
            self.words,
            self.at
        );
    }

    pub(super) fn done(&self) {
        assert!(
            self.peek().is_none(),
            "what follows is not known: {:?} at {}",
            self.words,
            self.at
        );
    }

    /// The name of an attribute.
    pub(super) fn path(&mut self) -> Result<Path, Refusal> {
        let mut path = Vec::new();
        loop {
            let Some(Word::Name(name)) = self.next() else {
                panic!("a name expected: {:?} at {}", self.words, self.at);
            };
            path.push(self.name(name)?);
            if !self.sign(".") {
                return Ok(path);
            }
        }
    }

    fn name(&mut self, name: String) -> Result<String, Refusal> {
        if !name.starts_with('#') {
            let reserved = super::condition::RESERVED.contains(&name.to_ascii_uppercase().as_str());
            return match reserved {
                true => Err(Refusal::validation(format!("reserved keyword: {name}"))),
                false => Ok(name),
            };
        }
        let meant = self.request["ExpressionAttributeNames"][&name].as_str();
        let meant = meant.map(str::to_owned);
        let meant = meant.ok_or_else(|| Refusal::validation(format!("undefined name {name}")))?;
        self.used.insert(name);
        Ok(meant)
    }

    /// The value of a placeholder.
    pub(super) fn value(&mut self) -> Result<Value, Refusal> {
        let Some(Word::Value(name)) = self.next() else {
            panic!("a value expected: {:?} at {}", self.words, self.at);
        };
        let value = &self.request["ExpressionAttributeValues"][&name];
        if value.is_null() {
            return Err(Refusal::validation(format!("undefined value {name}")));
        }
        self.used.insert(name);
        Ok(value.clone())
    }

    /// Refuses names and values that nothing used, as DynamoDB does.
    pub(super) fn all_used(&self) -> Result<(), Refusal> {
        for field in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
            for (name, _) in self.request[field].as_object().into_iter().flatten() {
                if !self.used.contains(name) {
                    return Err(Refusal::validation(format!(
                        "unused in expressions: {name}"
                    )));
                }
            }
        }
        Ok(())
    }
}
