//! Which host names may be asked for at all. What they resolve to is judged later, by
//! [`super::all_allowed`].

use super::{Reach, Refused};

/// The longest name DNS can carry, in text form (RFC 1035 section 3.1).
const MAX_NAME_LEN: usize = 253;

/// The longest label of a name (RFC 1035 section 2.3.4).
const MAX_LABEL_LEN: usize = 63;

/// Names of instance metadata services. They resolve to link-local addresses where they exist,
/// which the connect check refuses too; by name they are refused before anything is stored.
const METADATA: &[&str] = &[
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.com",
    "metadata.azure.internal",
    "instance-data",
    "instance-data.ec2.internal",
];

/// Domains that no public resolver serves: RFC 6761, RFC 6762, ICANN's private-use domain, RFC
/// 8375.
const NOT_PUBLIC: &[&str] = &["localhost", "local", "internal", "home.arpa"];

/// Judges a name as the URL parser gives it, in lower case.
pub(super) fn allowed(name: &str, reach: &Reach) -> Result<(), Refused> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > MAX_NAME_LEN || !name.split('.').all(is_label) {
        return Err(Refused::Host);
    }
    if METADATA.contains(&name) {
        return Err(Refused::Name);
    }
    // A single label is completed by the resolver's search list, or is a bare top-level domain:
    // neither is an agent.
    let public = name.contains('.') && !NOT_PUBLIC.iter().any(|domain| is_within(name, domain));
    if public || reach.is_local() {
        Ok(())
    } else {
        Err(Refused::Name)
    }
}

/// Letters, digits, hyphens, and the underscore that container names have.
fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL_LEN).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain)
        .is_some_and(|front| front.is_empty() || front.ends_with('.'))
}
