//! References to container images, and the digests they were resolved to.

use std::{fmt, str::FromStr};

/// Where a reference without a host points, as docker reads it.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// The digest of an image: `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = NoImage;

    fn from_str(text: &str) -> Result<Self, NoImage> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        let digits = hex
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digits && hex.len() == 64 {
            return Ok(Self(text.to_owned()));
        }
        Err(NoImage("not a sha256 digest"))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text names no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoImage(&'static str);

/// A reference to an image, taken apart as docker does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Everything before tag and digest, as it was written.
    name: String,
    /// Host and perhaps port of the registry.
    pub registry: String,
    /// The repository there.
    pub repository: String,
    /// The tag; `latest` if none was written.
    pub tag: String,
    /// The digest, if the reference has one: then the tag says nothing.
    pub digest: Option<Digest>,
}

impl Reference {
    /// The same image, named by this digest.
    pub fn at(&self, digest: &Digest) -> String {
        format!("{}@{digest}", self.name)
    }
}

/// A private registry of ECR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EcrRegistry<'a> {
    /// Whose it is: twelve digits.
    pub account: &'a str,
    /// Where it is.
    pub region: &'a str,
}

impl Reference {
    /// The private registry of ECR that the image is in, if it is in one:
    /// `<account>.dkr.ecr.<region>.amazonaws.com`, or its dual-stack name `….dkr-ecr.<region>.on.aws`.
    pub fn ecr(&self) -> Option<EcrRegistry<'_>> {
        let (account, rest) = self.registry.split_once('.')?;
        let named = |before: &str, after: &str| rest.strip_prefix(before)?.strip_suffix(after);
        let region = ["dkr.ecr.", "dkr.ecr-fips."]
            .into_iter()
            .find_map(|it| named(it, ".amazonaws.com").or_else(|| named(it, ".amazonaws.com.cn")))
            .or_else(|| named("dkr-ecr.", ".on.aws"))
            .or_else(|| named("dkr-ecr-fips.", ".on.aws"))?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let is_region = !region.is_empty() && region.bytes().all(plain);
        (is_account && is_region).then_some(EcrRegistry { account, region })
    }
}

impl FromStr for Reference {
    type Err = NoImage;

    fn from_str(text: &str) -> Result<Self, NoImage> {
        let (text, digest) = match text.split_once('@') {
            Some((text, digest)) => (text, Some(digest.parse()?)),
            None => (text, None),
        };
        // A colon before the last slash is that of a port.
        let last = text.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match text[last..].find(':') {
            Some(colon) => (&text[..last + colon], &text[last + colon + 1..]),
            None => (text, "latest"),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
                (host, path.to_owned())
            }
            Some(_) => (DOCKER_HUB, name.to_owned()),
            None => (DOCKER_HUB, format!("library/{name}")),
        };
        let registry = match registry {
            "docker.io" | "index.docker.io" => DOCKER_HUB,
            other => other,
        };
        if !is_host(registry) {
            return Err(NoImage("not a registry's host"));
        }
        if !repository.split('/').all(is_segment) {
            return Err(NoImage("not a repository's name"));
        }
        if !is_tag(tag) {
            return Err(NoImage("not a tag"));
        }
        Ok(Self {
            name: name.to_owned(),
            registry: registry.to_owned(),
            repository,
            tag: tag.to_owned(),
            digest,
        })
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "443"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    !host.is_empty() && host.bytes().all(plain) && port.parse::<u16>().is_ok()
}

fn is_segment(text: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(plain)
}

fn is_tag(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=128).contains(&text.len()) && !text.starts_with(['.', '-']) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn references_are_read_as_docker_reads_them() {
        for (text, registry, repository, tag) in [
            ("agent", DOCKER_HUB, "library/agent", "latest"),
            ("org/agent:1.2", DOCKER_HUB, "org/agent", "1.2"),
            ("docker.io/org/agent", DOCKER_HUB, "org/agent", "latest"),
            ("ghcr.io/o/a/b:x", "ghcr.io", "o/a/b", "x"),
            ("localhost/a", "localhost", "a", "latest"),
            ("127.0.0.1:5000/a:b", "127.0.0.1:5000", "a", "b"),
        ] {
            let read: Reference = text.parse().expect(text);
            assert_eq!(
                (read.registry.as_str(), read.repository.as_str()),
                (registry, repository)
            );
            assert_eq!((read.tag.as_str(), read.digest), (tag, None), "{text}");
        }
    }

    #[test]
    fn registries_of_ecr_are_known_by_their_host() {
        for (host, expected) in [
            (
                "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
                Some("eu-central-1"),
            ),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                Some("us-gov-west-1"),
            ),
            (
                "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
                Some("cn-north-1"),
            ),
            ("123456789012.dkr-ecr.us-east-1.on.aws", Some("us-east-1")),
            ("123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.io", None),
            ("123456789012.dkr.ecr.a.b.amazonaws.com", None),
            ("12345678901.dkr.ecr.us-east-1.amazonaws.com", None),
            ("public.ecr.aws", None),
            ("ghcr.io", None),
        ] {
            let read: Reference = format!("{host}/agents/a:1").parse().expect(host);
            let found = read.ecr().map(|it| (it.account, it.region));
            assert_eq!(
                found,
                expected.map(|region| ("123456789012", region)),
                "{host}"
            );
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_reference() {
        for bad in [
            "",
            "ghcr.io/",
            "ghcr.io/../a",
            "ghcr.io/a?b",
            "ghcr.io/a#b",
            "ghcr.io/A",
            "user@ghcr.io/a",
            "ghcr.io:x/a",
            "ghcr.io//a",
            "https://ghcr.io/a",
            "a:",
            "a:b/c:d",
            "a@sha256:00",
            "a@sha512:00",
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_pinned_reference_is_itself(
            host in "(|[a-z]{1,8}\\.io/|localhost:[1-9][0-9]{3}/)",
            path in "[a-z][a-z0-9]{0,6}(/[a-z0-9]{1,6}){0,2}",
            tag in "(|:[A-Za-z0-9][A-Za-z0-9._-]{0,9})",
            hex in "[0-9a-f]{64}",
        ) {
            let read: Reference = format!("{host}{path}{tag}").parse().expect("a reference");
            let digest: Digest = format!("sha256:{hex}").parse().expect("a digest");
            let pinned = read.at(&digest);
            prop_assert_eq!(&pinned, &format!("{host}{path}@sha256:{hex}"));
            let again: Reference = pinned.parse().expect("a reference");
            prop_assert_eq!(again.digest.as_ref(), Some(&digest));
            prop_assert_eq!(again.at(&digest), pinned);
            prop_assert_eq!(again.registry, read.registry);
        }
    }
}
