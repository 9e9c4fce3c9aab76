//! The parts of an A2A message, as senders write them: `kind` or `type`, bytes or an address.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

/// A part of a message this agent has a use for.
#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    Text(String),
    File(File),
}

/// A file somebody attached.
#[derive(Debug, PartialEq)]
pub(crate) struct File {
    pub name: String,
    pub content: Content,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Content {
    Bytes(Vec<u8>),
    Uri(String),
}

/// A part on the wire. Both spellings of the tag are in use, sometimes in one part.
#[derive(Deserialize)]
pub(crate) struct WirePart {
    kind: Option<String>,
    #[serde(rename = "type")]
    type_: Option<String>,
    text: Option<String>,
    file: Option<WireFile>,
}

#[derive(Deserialize)]
struct WireFile {
    name: Option<String>,
    bytes: Option<String>,
    uri: Option<String>,
}

impl WirePart {
    /// `None` for kinds this agent has no use for; an error says what is wrong with the part.
    pub(crate) fn decode(self) -> Result<Option<Part>, String> {
        let kind = self.kind.or(self.type_).ok_or("a part needs a kind")?;
        match kind.as_str() {
            "text" => {
                let text = self.text.ok_or("a text part needs a text")?;
                Ok(Some(Part::Text(text)))
            }
            "file" => {
                let file = self.file.ok_or("a file part needs a file")?;
                Ok(Some(Part::File(file.decode()?)))
            }
            _ => Ok(None),
        }
    }
}

impl WireFile {
    fn decode(self) -> Result<File, String> {
        let content = match (self.bytes, self.uri) {
            (Some(bytes), _) => Content::Bytes(
                STANDARD
                    .decode(bytes)
                    .map_err(|error| format!("the bytes of a file are not base64: {error}"))?,
            ),
            (None, Some(uri)) => Content::Uri(uri),
            (None, None) => return Err("a file needs bytes or a uri".to_owned()),
        };
        Ok(File {
            name: self.name.unwrap_or("file".to_owned()),
            content,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Content, File, Part, WirePart};

    fn decode(part: Value) -> Result<Option<Part>, String> {
        serde_json::from_value::<WirePart>(part)
            .map_err(|error| error.to_string())?
            .decode()
    }

    fn file(name: &str, content: Content) -> Result<Option<Part>, String> {
        let name = name.to_owned();
        Ok(Some(Part::File(File { name, content })))
    }

    #[test]
    fn both_tags_and_both_kinds_of_file_are_read() {
        let hi = || Ok(Some(Part::Text("hi".to_owned())));
        assert_eq!(decode(json!({"kind": "text", "text": "hi"})), hi());
        assert_eq!(decode(json!({"type": "text", "text": "hi"})), hi());
        assert_eq!(
            decode(json!({"kind": "text", "type": "text", "text": "hi"})),
            hi()
        );
        assert_eq!(
            decode(
                json!({"kind": "file", "file": {"bytes": "aGk=", "name": "a.txt", "mimeType": "text/plain"}})
            ),
            file("a.txt", Content::Bytes(b"hi".to_vec()))
        );
        assert_eq!(
            decode(json!({"type": "file", "file": {"uri": "workspace:/a"}})),
            file("file", Content::Uri("workspace:/a".to_owned()))
        );
        assert_eq!(decode(json!({"kind": "data", "data": {}})), Ok(None));
    }

    #[test]
    fn a_broken_part_is_an_error() {
        for part in [
            json!({"text": "no tag"}),
            json!({"kind": "text"}),
            json!({"kind": "file"}),
            json!({"kind": "file", "file": {"name": "empty"}}),
            json!({"kind": "file", "file": {"bytes": "%%%"}}),
            json!("text"),
        ] {
            assert!(decode(part.clone()).is_err(), "{part}");
        }
    }
}
