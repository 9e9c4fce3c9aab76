//! `Idempotency-Key` on `POST /workspaces`: the same request again gets the same answer, and makes
//! no second workspace. A key counts for one caller and for a day.

use domain::{Error, Result, token::TokenHash, workspace::Status};
use edge::{App, Bearer, Caller, Identity, Input, Reply};
use store::workspaces::{Meta, Once};

use crate::{connection::Connection, create::answer};

/// The longest key, in bytes.
const MAX_KEY: usize = 255;

/// A caller's key, and the request it came with.
#[derive(Debug)]
pub struct Key {
    hash: String,
    digest: String,
}

/// The key of a request; none if it has no such header, or an empty one.
///
/// # Errors
/// 400 when it is longer than 255 bytes, or no text.
pub fn key(identity: &Identity, caller: &Caller, input: &Input) -> Result<Option<Key>> {
    let invalid = || Error::invalid("invalid Idempotency-Key");
    let key = input.header("idempotency-key").unwrap_or_default().trim();
    if key.is_empty() {
        return Ok(None);
    }
    if key.len() > MAX_KEY {
        return Err(invalid());
    }
    // Two operators may choose the same key without knowing of each other.
    let who = match (identity, caller.bearer) {
        (Identity::Org, Bearer::Token(hash)) => hash.hex(),
        _ => String::new(),
    };
    Ok(Some(Key {
        hash: TokenHash::of(&format!("{who}\n{key}")).hex(),
        digest: TokenHash::of(&String::from_utf8_lossy(&input.body)).hex(),
    }))
}

impl Key {
    /// What it is kept under.
    pub fn as_str(&self) -> &str {
        &self.hash
    }

    /// What is kept of a creation.
    pub fn row(&self, meta: &Meta, status: Status) -> Once {
        Once::new(&self.digest, meta, status)
    }

    /// The answer to a request that came before.
    ///
    /// # Errors
    /// 409 when it was another one.
    pub async fn repeat(&self, app: &App, input: &Input) -> Result<Option<Reply>> {
        let Some(once) = app.store.created_once(&self.hash, input.now).await? else {
            return Ok(None);
        };
        if once.digest != self.digest {
            return Err(Error::conflict(
                "Idempotency-Key was used for another request",
            ));
        }
        let waits = once.status == Status::AwaitingAgent;
        let connection = waits.then(|| {
            let platform = input.base_url(&app.settings.public_url);
            Connection::again(once.workspace_id, platform)
        });
        let id = (once.workspace_id, once.external);
        Ok(Some(answer(
            id,
            once.status,
            &once.workspace_access,
            connection,
        )))
    }
}
