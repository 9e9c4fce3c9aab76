//! Registries that speak the OCI distribution API and let anybody pull.

use domain::image::{Digest, Reference};
use edge::Missing;
use reqwest::{Client, Method, Response, StatusCode, header, redirect::Policy};
use serde::Deserialize;
use url::{Host, Url};

use super::{PATIENCE, Unresolved, because};

/// The most of a token's answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// Manifests of one image and of several platforms, OCI's and Docker's.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// Registries that let anybody pull. The host is the operator's; a registry can send us on only to
/// fetch a token, by https, and is told nothing of ours there.
#[derive(Debug)]
pub(super) struct Public {
    client: Client,
    /// Whether registries on this machine may be asked without TLS.
    local: bool,
}

impl Public {
    /// With a client of their own.
    ///
    /// # Errors
    /// There is no HTTP client.
    pub(super) fn start(local: bool) -> Result<Self, Missing> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(std::time::Duration::from_secs(3))
            .timeout(PATIENCE)
            .build()
            .map_err(|error| Missing::Nonsense("the HTTP client", error.to_string()))?;
        Ok(Self { client, local })
    }

    /// The digest that this tag has now.
    ///
    /// # Errors
    /// The registry did not say.
    pub(super) async fn look(&self, image: &Reference) -> Result<Digest, Unresolved> {
        let url = self.manifest(image)?;
        let answer = self.head(url.clone(), None).await?;
        let answer = match answer.status() {
            StatusCode::UNAUTHORIZED => {
                let token = self.token(&answer, image).await?;
                self.head(url, Some(&token)).await?
            }
            _ => answer,
        };
        if answer.status() != StatusCode::OK {
            return Err(because(format!("the registry answers {}", answer.status())));
        }
        let digest = answer.headers().get("docker-content-digest");
        let digest = digest.and_then(|value| value.to_str().ok());
        digest
            .unwrap_or_default()
            .parse()
            .map_err(|_| because("the registry names no digest"))
    }

    /// Where the manifest is.
    fn manifest(&self, image: &Reference) -> Result<Url, Unresolved> {
        let at = |scheme: &str| {
            let Reference {
                registry,
                repository,
                tag,
                ..
            } = image;
            Url::parse(&format!(
                "{scheme}://{registry}/v2/{repository}/manifests/{tag}"
            ))
        };
        let url = at("https").map_err(because)?;
        if self.local && is_here(&url) {
            return at("http").map_err(because);
        }
        Ok(url)
    }

    async fn head(&self, url: Url, token: Option<&str>) -> Result<Response, Unresolved> {
        let request = self.client.request(Method::HEAD, url);
        let request = request.header(header::ACCEPT, MANIFESTS);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.map_err(because)
    }

    /// An anonymous token to pull, from where the registry says.
    async fn token(&self, refusal: &Response, image: &Reference) -> Result<String, Unresolved> {
        let asked = refusal.headers().get(header::WWW_AUTHENTICATE);
        let asked = asked.and_then(|value| value.to_str().ok());
        let asked = Challenge::read(asked.unwrap_or_default()).ok_or_else(|| {
            because(
                "the registry wants a login: only ECR's is known, elsewhere anonymous pull tokens",
            )
        })?;
        let mut url = Url::parse(&asked.realm).map_err(because)?;
        let fits = url.scheme() == "https" || self.local && is_here(&url);
        if !fits || !url.username().is_empty() || url.password().is_some() {
            return Err(because("the registry's token service is no https address"));
        }
        let scope = format!("repository:{}:pull", image.repository);
        url.query_pairs_mut().append_pair("scope", &scope);
        if let Some(service) = &asked.service {
            url.query_pairs_mut().append_pair("service", service);
        }
        let mut answer = self.client.get(url).send().await.map_err(because)?;
        if answer.status() != StatusCode::OK {
            let status = answer.status();
            return Err(because(format!("the token service answers {status}")));
        }
        let mut text = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(because)? {
            text.extend_from_slice(&part);
            if text.len() > MAX_ANSWER {
                return Err(because("the token service says too much"));
            }
        }
        let given: Given = serde_json::from_slice(&text).map_err(because)?;
        let token = given.token.or(given.access_token);
        token.ok_or_else(|| because("the token service gives no token"))
    }
}

#[derive(Debug, Deserialize)]
struct Given {
    token: Option<String>,
    access_token: Option<String>,
}

/// Whether it is this machine.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// What a registry wants for a pull: `Bearer realm="…",service="…"`.
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    realm: String,
    service: Option<String>,
}

impl Challenge {
    /// None if a token is not what it wants.
    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let value = |name: &str| {
            let before = format!("{name}=\"");
            let found = rest.match_indices(&before).find(|(at, _)| {
                // Not the end of a longer name.
                rest[..*at].is_empty() || rest[..*at].ends_with([',', ' '])
            })?;
            let value = &rest[found.0 + before.len()..];
            Some(value.split_once('"')?.0.to_owned())
        };
        Some(Self {
            realm: value("realm")?,
            service: value("service"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let read = Challenge::read(r#"Bearer realm="https://a/token",service="b",scope="c:d,e""#);
        let read = read.expect("a challenge");
        assert_eq!(
            (read.realm.as_str(), read.service.as_deref()),
            ("https://a/token", Some("b"))
        );
        let other = Challenge::read(r#"bearer xrealm="x", realm="https://a""#).expect("one");
        assert_eq!((other.realm.as_str(), other.service), ("https://a", None));
        for bad in ["", "Bearer", "Basic realm=\"x\"", "Bearer service=\"x\""] {
            assert_eq!(Challenge::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_this_machine_is_asked_without_tls_and_only_locally() {
        for (image, local, expected) in [
            (
                "ghcr.io/a/b",
                true,
                "https://ghcr.io/v2/a/b/manifests/latest",
            ),
            (
                "127.0.0.1:5000/a",
                true,
                "http://127.0.0.1:5000/v2/a/manifests/latest",
            ),
            (
                "127.0.0.1:5000/a",
                false,
                "https://127.0.0.1:5000/v2/a/manifests/latest",
            ),
            (
                "10.0.0.1:5000/a:b",
                true,
                "https://10.0.0.1:5000/v2/a/manifests/b",
            ),
        ] {
            let registries = Public::start(local).expect("a client");
            let url = registries.manifest(&image.parse().expect(image));
            assert_eq!(url.expect(image).as_str(), expected);
        }
    }
}
