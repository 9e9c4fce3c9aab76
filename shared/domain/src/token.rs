//! Bearer tokens: what they look like, what is kept of them, how they are compared.
//!
//! Format and storage are the contract's (registry-and-auth 2): 32 random bytes as 43 characters
//! of base64url; kept as the SHA-256 of that *text* and its first eight characters.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The most live tokens one workspace may have.
pub const MAX_LIVE_TOKENS: usize = 50;

/// A token in clear text. It is shown once and never logged: `Debug` hides it.
pub struct Token(String);

impl Token {
    /// The token made of these random bytes.
    pub fn from_entropy(bytes: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The text to hand to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }

    /// The first eight characters: enough for a person to tell tokens apart.
    pub fn prefix(&self) -> &str {
        &self.0[..8]
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// SHA-256 of a token's text. Compared in constant time.
#[derive(Clone, Copy, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token as presented.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The first 12 bytes, as kept on the heartbeat item: 50 of them and the rest of the item stay
    /// under one write unit, and 96 bits are far beyond finding another text by trial.
    pub fn mark(&self) -> [u8; 12] {
        let mut mark = [0; 12];
        mark.copy_from_slice(&self.0[..12]);
        mark
    }

    /// All of it, in lower-case hex: the key it is looked up by.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// The token of an `Authorization` header: prefix `Bearer ` exactly so, the rest trimmed, blank is
/// none (contract: registry-and-auth 0).
pub fn bearer(header: &str) -> Option<&str> {
    let token = header.strip_prefix("Bearer ")?.trim();
    (!token.is_empty()).then_some(token)
}

/// How a WebSocket's protocol begins that carries a token as base64url.
pub const BASE64URL_PROTOCOL: &str = "base64url.bearer.";

/// The token that a protocol of a WebSocket carries.
///
/// What follows [`BASE64URL_PROTOCOL`] as base64url without padding, for tokens with characters that a
/// protocol may not have (`=`, `/`); else the protocol itself.
pub fn of_protocol(protocol: &str) -> String {
    let encoded = protocol.strip_prefix(BASE64URL_PROTOCOL);
    let decoded = encoded.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or_else(|| protocol.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_43_characters_and_keeps_its_secret() {
        let token = Token::from_entropy([7; 32]);
        assert_eq!(token.reveal().len(), 43);
        assert_eq!(token.prefix(), &token.reveal()[..8]);
        assert!(!format!("{token:?} {:?}", token.hash()).contains(token.prefix()));
        assert_eq!(token.hash(), TokenHash::of(token.reveal()));
        assert_ne!(token.hash(), Token::from_entropy([8; 32]).hash());
        assert_eq!(token.hash().hex().len(), 64);
    }

    #[test]
    fn bearers_are_parsed_as_the_contract_says() {
        for (header, expected) in [
            ("Bearer x", Some("x")),
            ("Bearer   x  ", Some("x")),
            ("bearer x", None),
            ("Bearer", None),
            ("Bearer   ", None),
            ("Basic x", None),
            ("", None),
        ] {
            assert_eq!(bearer(header), expected, "{header:?}");
        }
    }

    #[test]
    fn protocols_carry_tokens_as_they_are_or_as_base64url() {
        for (protocol, expected) in [
            ("plain", "plain"),
            ("base64url.bearer.YS9iK2M9PQ", "a/b+c=="),
            // Nothing that decodes: a token that nobody has.
            (
                "base64url.bearer.YS9iK2M9PQ==",
                "base64url.bearer.YS9iK2M9PQ==",
            ),
            ("base64url.bearer._w", "base64url.bearer._w"),
            ("base64url.bearer.", ""),
        ] {
            assert_eq!(of_protocol(protocol), expected);
        }
    }
}
