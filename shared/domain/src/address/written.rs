//! A URL's text before any parsing: the rules every URL parser shares, and nothing else.

use super::{MAX_URL_LEN, Refused};

/// A URL's host and port as written. No port is not the same as an empty one.
pub(super) struct Written<'a> {
    pub(super) host: &'a str,
    pub(super) port: Option<&'a str>,
}

impl<'a> Written<'a> {
    /// Refuses what is not plain. What passes has one host, whichever parser reads it.
    pub(super) fn of(text: &'a str) -> Result<Self, Refused> {
        if text.len() > MAX_URL_LEN {
            return Err(Refused::TooLong);
        }
        // The parser would drop tabs and newlines, trim spaces, read `\` as `/` and fold other
        // scripts' digits.
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#'))
        {
            return Err(Refused::Characters);
        }
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if is_http(scheme) => rest,
            _ => return Err(Refused::Scheme),
        };
        // The parser skips further slashes, so `http:///10.0.0.1` would have a host: here it is
        // empty.
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(Refused::Credentials);
        }
        let colon_from = authority.find(']').unwrap_or(0);
        let (host, port) = match authority[colon_from..].find(':') {
            Some(colon) => {
                let (host, port) = authority.split_at(colon_from + colon);
                (host, Some(&port[1..]))
            }
            None => (authority, None),
        };
        if host.is_empty() {
            return Err(Refused::Host);
        }
        Ok(Self { host, port })
    }
}

fn is_http(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}
