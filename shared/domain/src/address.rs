//! Which URLs and IP addresses an agent may have: the one guard against server-side request
//! forgery.
//!
//! The control plane POSTs to whatever URL an agent registers, so the URL decides whom we talk to.
//! One filter serves every place that stores or uses such a URL:
//!
//! 1. [`AgentUrl::parse`] when a URL is stored, and again on the stored text before each call. An
//!    HTTP client skips its resolver for a literal IP, so for literals this is the only check.
//! 2. [`all_allowed`] in the client's resolver, on every address a name resolves to, at connect
//!    time. Nothing is looked up here; a name that passes step 1 is only a name that may be asked
//!    for. The client must connect to the addresses returned, follow no redirect and use no proxy,
//!    or the check is of something else.
//!
//! **Spelling.** The text is kept as posted and other programs parse it too, with parsers that
//! disagree on everything exotic. So a URL must be written plainly: visible ASCII, `scheme://host`,
//! and a host that our parser leaves as it is (case aside). `0x7f.1`, `2130706433`, `%3127.0.0.1`
//! and `127.0.0.1.` are judged as what they mean, for the log, and refused even where that address
//! is allowed. International names come as `xn--`.
//!
//! **Names.** Strictly, only names that can be public: at least two labels, not under `localhost`,
//! `local` (mDNS), `internal` or `home.arpa`; a stack's own instances are therefore registered by
//! address. Locally any well-formed name (`localhost`, `host.docker.internal`, a container's name)
//! is left to the check of its addresses. The names of cloud metadata services are refused
//! everywhere. One trailing dot changes nothing.
//!
//! **Ports.** Any but 0: agents choose their own, and the address, not the port, is what protects
//! us. An empty port (`http://host:/`) is refused as a spelling some parsers reject.

mod name;
#[cfg(test)]
mod properties;
mod range;
mod reach;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors_ip;
#[cfg(test)]
mod vectors_url;
mod written;

use std::{fmt, net::IpAddr};

pub use range::Range;
pub use reach::{Reach, all_allowed, allowed};
use url::{Host, Url};
use written::Written;

/// The longest URL accepted, in bytes: what browsers and proxies agree on, and far above any real
/// agent's.
pub const MAX_URL_LEN: usize = 2048;

/// Why a URL or an address was refused. For logs: it names the kind of trouble and repeats nothing
/// of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More than [`MAX_URL_LEN`] bytes.
    #[error("url is longer than {MAX_URL_LEN} bytes")]
    TooLong,
    /// A space, control or non-ASCII character, a backslash or a fragment: parsers disagree about
    /// each of them.
    #[error("url holds a space, control or non-ASCII character, a backslash or a fragment")]
    Characters,
    /// Anything that does not start with `http://` or `https://`.
    #[error("url does not start with http:// or https://")]
    Scheme,
    /// A user name or password, even an empty one.
    #[error("url carries credentials")]
    Credentials,
    /// No host, or neither an address nor a well-formed name.
    #[error("url has no host, or a malformed one")]
    Host,
    /// The host is not written the way it is parsed, such as an octal or percent-encoded address.
    #[error("url's host is not written plainly")]
    Spelling,
    /// Port 0, an empty port or one out of range.
    #[error("url has an unusable port")]
    Port,
    /// A name that cannot be public, or that of a metadata service.
    #[error("url's host is a name that is not public")]
    Name,
    /// A name that resolved to nothing.
    #[error("name has no address")]
    Unresolved,
    /// An address in a refused range.
    #[error("address is refused: {0}")]
    Address(Range),
}

/// An agent's URL that passed the filter: the text as the agent gave it, and what our parser makes
/// of it.
///
/// There is no way to have one without naming a [`Reach`], so a stored URL is judged anew when it
/// is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentUrl {
    text: String,
    url: Url,
}

impl AgentUrl {
    /// Judges the text under `reach`. A host that is a name is *not* yet safe to connect to: see
    /// [`all_allowed`].
    ///
    /// ```
    /// use domain::address::{AgentUrl, Reach};
    ///
    /// assert!(AgentUrl::parse("https://agent.example.com/a2a", &Reach::PUBLIC).is_ok());
    /// assert!(AgentUrl::parse("http://127.0.0.1:8000", &Reach::PUBLIC).is_err());
    /// assert!(AgentUrl::parse("http://127.0.0.1:8000", &Reach::LOCAL).is_ok());
    /// assert!(AgentUrl::parse("http://169.254.169.254/", &Reach::LOCAL).is_err());
    /// ```
    ///
    /// # Errors
    /// Why not; for the log only, the caller is not told which rule it met.
    pub fn parse(text: &str, reach: &Reach) -> Result<Self, Refused> {
        let written = Written::of(text)?;
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::InvalidPort => Refused::Port,
            _ => Refused::Host,
        })?;
        let plain = match url.host().ok_or(Refused::Host)? {
            Host::Domain(domain) => {
                name::allowed(domain, reach)?;
                written.host.eq_ignore_ascii_case(domain)
            }
            Host::Ipv4(ip) => {
                allowed(ip.into(), reach)?;
                written.host == ip.to_string()
            }
            // One address has many spellings here (RFC 4291), but no parser reads one of them as
            // another address.
            Host::Ipv6(ip) => {
                allowed(ip.into(), reach)?;
                true
            }
        };
        if !plain {
            return Err(Refused::Spelling);
        }
        if written.port == Some("") || url.port() == Some(0) {
            return Err(Refused::Port);
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }

    /// The text exactly as the agent gave it: what is stored and shown.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parsed URL: what is called.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address, if the host is a literal one: no resolver will see it.
    pub fn literal(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(ip) => Some(ip.into()),
            Host::Ipv6(ip) => Some(IpAddr::from(ip).to_canonical()),
        }
    }
}

impl fmt::Display for AgentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
