//! Registries that speak the OCI distribution API and let anybody pull.

use std::time::Duration;

use domain::{
    Mode,
    address::{AgentUrl, Reach},
    image::{Digest, Reference},
};
use edge::{Missing, addresses::Names};
use reqwest::{Client, Method, Response, StatusCode, header};
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
/// fetch a token, by https, and is told nothing of ours there. Neither leads to where agents may not
/// be.
#[derive(Debug)]
pub(super) struct Public {
    client: Client,
    reach: Reach,
}

impl Public {
    /// With a client of their own.
    ///
    /// # Errors
    /// There is no HTTP client.
    pub(super) fn start(names: &Names, mode: Mode) -> Result<Self, Missing> {
        let reach = Reach::from(mode);
        let client = names
            .client(&reach)
            .connect_timeout(Duration::from_secs(3))
            .timeout(PATIENCE)
            .build()
            .map_err(|error| Missing::Nonsense("the HTTP client", error.to_string()))?;
        Ok(Self { client, reach })
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
        if self.is_local(&url) {
            return at("http").map_err(because);
        }
        Ok(self.judged(url.as_str())?.url().clone())
    }

    /// Whether it is on this machine, and may be: then it needs no TLS.
    fn is_local(&self, url: &Url) -> bool {
        self.reach.is_local() && is_here(url)
    }

    fn judged(&self, url: &str) -> Result<AgentUrl, Unresolved> {
        AgentUrl::parse(url, &self.reach).map_err(because)
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
        let mut url = self.judged(&asked.realm)?.url().clone();
        if url.scheme() != "https" && !self.is_local(&url) {
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

    fn registries(mode: Mode) -> Public {
        Public::start(&Names::system(), mode).expect("a client")
    }

    #[test]
    fn only_this_machine_is_asked_without_tls_and_only_locally() {
        let asked = |mode: Mode, image: &str| {
            let url = registries(mode).manifest(&image.parse().expect(image));
            url.map(|url| url.to_string()).map_err(|why| why.0)
        };
        for (image, expected) in [
            ("ghcr.io/a/b", "https://ghcr.io/v2/a/b/manifests/latest"),
            (
                "127.0.0.1:5000/a",
                "http://127.0.0.1:5000/v2/a/manifests/latest",
            ),
            (
                "10.0.0.1:5000/a:b",
                "https://10.0.0.1:5000/v2/a/manifests/b",
            ),
        ] {
            assert_eq!(asked(Mode::Dev, image).as_deref(), Ok(expected));
        }
        let public = "https://ghcr.io/v2/a/b/manifests/latest";
        assert_eq!(asked(Mode::Strict, "ghcr.io/a/b").as_deref(), Ok(public));
        for image in ["127.0.0.1:5000/a", "10.0.0.1:5000/a:b"] {
            assert!(asked(Mode::Strict, image).is_err(), "{image}");
        }
        assert!(asked(Mode::Dev, "169.254.169.254/a").is_err());
    }

    /// A name server that gives one address for everything.
    #[derive(Debug)]
    struct Always(std::net::IpAddr);

    impl edge::addresses::Lookup for Always {
        fn look_up<'a>(&'a self, _: &'a str) -> edge::addresses::Looking<'a> {
            Box::pin(async { Ok(vec![self.0]) })
        }
    }

    #[tokio::test]
    async fn a_registry_sends_nobody_to_where_agents_may_not_be() {
        let bait = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let bait = bait.expect("a port");
        let port = bait.local_addr().expect("bound").port();
        let names = Names::by(Always(std::net::Ipv4Addr::LOCALHOST.into()));
        let strict = Public::start(&names, Mode::Strict).expect("a client");
        for realm in [
            format!("https://127.0.0.1:{port}/token"),
            format!("https://0x7f.1:{port}/token"),
            format!("https://[::ffff:127.0.0.1]:{port}/token"),
            format!("https://0.0.0.0:{port}/token"),
            format!("https://localhost:{port}/token"),
            format!("https://auth.example.com:{port}/token"),
            format!("https://a@127.0.0.1:{port}/token"),
            "https://169.254.169.254/latest/meta-data/".to_owned(),
            "https://[fd00:ec2::254]/latest/meta-data/".to_owned(),
            "https://10.0.0.1/token".to_owned(),
        ] {
            let refusal = lambda_http::http::Response::builder()
                .status(StatusCode::UNAUTHORIZED)
                .header("www-authenticate", format!("Bearer realm=\"{realm}\""))
                .body("")
                .expect("a response");
            let image = "ghcr.io/a/b".parse().expect("an image");
            let asked = strict.token(&refusal.into(), &image).await;
            assert!(asked.is_err(), "{realm}");
            let patience = Duration::from_millis(20);
            let called = tokio::time::timeout(patience, bait.accept()).await;
            assert!(called.is_err(), "{realm}: connected to");
        }
    }
}
