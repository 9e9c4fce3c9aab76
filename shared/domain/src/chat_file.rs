//! Files of a chat: how they are named, where agents find them, and what may be asked for
//! (contract: a2a-notify-events 8).

use std::{fmt::Write as _, str::FromStr};

use uuid::Uuid;

use crate::{Error, Result};

/// Where an agent finds the files of its chat.
pub const FOLDER: &str = "/workspace/.molecule/chat-uploads";
/// What may be asked for lies in one of these.
const ROOTS: [&str; 4] = ["/configs", "/workspace", "/home", "/plugins"];
/// The most a safe name has, in bytes.
pub const MAX_NAME: usize = 100;
/// The longest ending, with its dot, that is kept when a name is cut.
const MAX_EXTENSION: usize = 16;
/// Hex digits before a stored name's dash.
const DIGITS: usize = 32;

/// The name a file gets, from the one its sender gave it.
///
/// Never empty, never a separator, at most [`MAX_NAME`] bytes of `A-Za-z0-9._-`. The contract's rule,
/// and never two dots in a row: no path that has them is served.
pub fn safe_name(sent: &str) -> String {
    let last = sent.trim_end_matches('/').rsplit('/').next();
    let mut name = String::new();
    for char in last.unwrap_or_default().chars() {
        match char {
            '.' if name.ends_with('.') => {}
            'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | '-' => name.push(char),
            _ => name.push('_'),
        }
    }
    if name.len() > MAX_NAME {
        let dot = name.rfind('.').unwrap_or(name.len());
        let extension = match name.len() - dot {
            1..=MAX_EXTENSION => name.split_off(dot),
            _ => String::new(),
        };
        name.truncate(MAX_NAME - extension.len());
        if !extension.is_empty() {
            name.truncate(name.trim_end_matches('.').len());
        }
        name.push_str(&extension);
    }
    match name.as_str() {
        "" | "." => "file".to_owned(),
        _ => name,
    }
}

/// A file's name where it is kept: `<32 hex digits>-<safe name>`.
///
/// The digits are a UUID of version 7, so that names sort by the time they were given out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredName(String);

impl StoredName {
    /// For a file that its sender calls `sent`.
    pub fn new(id: Uuid, sent: &str) -> Self {
        Self(format!("{}-{}", id.simple(), safe_name(sent)))
    }

    /// As it is in the bucket, and on the agent's disk.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The safe name: without the digits.
    pub fn name(&self) -> &str {
        &self.0[DIGITS + 1..]
    }

    /// The path at which the agent finds it.
    pub fn path(&self) -> String {
        format!("{FOLDER}/{}", self.0)
    }

    /// How messages refer to it.
    pub fn uri(&self) -> String {
        format!("workspace:{}", self.path())
    }

    /// The file at this path, if that is where files of chats are.
    pub fn at(path: &str) -> Option<Self> {
        let stored = path.strip_prefix(FOLDER)?.strip_prefix('/')?;
        stored.parse().ok()
    }

    /// The file of this URI.
    ///
    /// # Errors
    /// It is no file of a chat.
    pub fn of_uri(uri: &str) -> Result<Self> {
        let path = uri.strip_prefix("workspace:");
        path.and_then(Self::at)
            .ok_or_else(|| Error::invalid("uri must be one that presign has answered"))
    }
}

impl FromStr for StoredName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_hex = |digits: &str| {
            let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            digits.len() == DIGITS && digits.bytes().all(hex)
        };
        match text.split_once('-') {
            Some((digits, name)) if is_hex(digits) && safe_name(name) == name => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(Error::invalid("no file of a chat has this name")),
        }
    }
}

/// Refuses paths that are not absolute, leave the four roots, or are not written in the one way they
/// can be.
///
/// # Errors
/// 400 with the contract's sentences, in its order.
pub fn check_path(path: &str) -> Result<()> {
    let below = |root: &&str| {
        let rest = path.strip_prefix(*root);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if path.is_empty() {
        return Err(Error::invalid("path query required"));
    }
    if !path.starts_with('/') {
        return Err(Error::invalid("path must be absolute"));
    }
    if !ROOTS.iter().any(below) {
        return Err(Error::invalid(
            "path must be under /configs, /workspace, /home, or /plugins",
        ));
    }
    let clean = path[1..].split('/').all(|part| !matches!(part, "" | "."));
    if !clean || path.contains("..") {
        return Err(Error::invalid("invalid path"));
    }
    Ok(())
}

/// The `Content-Disposition` that makes a browser save a file under `name`: as a quoted string, and
/// percent-encoded for names that are no ASCII.
pub fn disposition(name: &str) -> String {
    let mut header = "attachment; filename=\"".to_owned();
    for char in name.chars().filter(|char| !char.is_control()) {
        if matches!(char, '"' | '\\') {
            header.push('\\');
        }
        header.push(char);
    }
    header.push_str("\"; filename*=UTF-8''");
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                header.push(char::from(byte));
            }
            _ => write!(header, "%{byte:02X}").unwrap_or_default(),
        }
    }
    header
}

#[cfg(test)]
mod tests;
