//! STS: whose signature a request has.

use std::time::Duration;

use domain::{Error, Result};
use edge::{Missing, settings};
use reqwest::{Client, StatusCode, header, redirect::Policy};
use url::{Host, Url};

use super::signed::{BODY, CONTENT_TYPE, Signed};

/// The most of an answer that is read, in bytes: STS says everything in less than one.
const MAX_ANSWER: usize = 16 * 1024;

/// Tells whose signature a request has.
pub trait Identifies: Send + Sync {
    /// The ARN of the caller; none if the signature is not right.
    ///
    /// # Errors
    /// It could not be found out.
    fn identify(&self, signed: &Signed) -> impl Future<Output = Result<Option<String>>> + Send;
}

/// The STS of one region. Where it is, is no matter of the request's: so nobody can have it asked
/// elsewhere.
#[derive(Debug)]
pub struct Sts {
    client: Client,
    host: String,
    url: Url,
}

impl Sts {
    /// The STS of this region, or the local stack's that plays it.
    ///
    /// # Errors
    /// `AWS_ENDPOINT_URL_STS` is set where `local` is not, or names another machine; or there is no
    /// HTTP client.
    pub fn start(region: &str, local: bool) -> Result<Self, Missing> {
        const LOCAL: &str = "AWS_ENDPOINT_URL_STS";
        let host = host(region);
        let endpoint = settings::var(LOCAL);
        let url = match endpoint.as_str() {
            "" => format!("https://{host}/").parse().ok(),
            text => text.parse().ok().filter(|url| local && is_here(url)),
        };
        let url = url.ok_or(Missing::Nonsense(LOCAL, endpoint))?;
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| Missing::Nonsense("the HTTP client", error.to_string()))?;
        Ok(Self { client, host, url })
    }
}

/// The host that a machine must have signed for.
fn host(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("sts.{region}.amazonaws.com{suffix}")
}

/// Whether it is this machine: nobody else may play STS.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl Identifies for Sts {
    async fn identify(&self, signed: &Signed) -> Result<Option<String>> {
        let request = self
            .client
            .post(self.url.clone())
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
            .header(header::AUTHORIZATION, &signed.authorization)
            .header("x-amz-date", &signed.date)
            .header("x-amz-security-token", &signed.token)
            .header("x-molecule-stack", &signed.stack)
            .body(BODY);
        let mut answer = request.send().await.map_err(Error::unavailable)?;
        let status = answer.status();
        let mut text = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(Error::unavailable)? {
            text.extend_from_slice(&part);
            if text.len() > MAX_ANSWER {
                return Err(Error::unavailable("STS says too much"));
            }
        }
        read(status, &String::from_utf8_lossy(&text))
    }
}

fn read(status: StatusCode, text: &str) -> Result<Option<String>> {
    match status {
        StatusCode::OK => match between(text, "<Arn>", "</Arn>") {
            Some(arn) => Ok(Some(arn.to_owned())),
            None => Err(Error::unavailable("STS names nobody")),
        },
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN if !text.contains("<Code>Throttling") => {
            Ok(None)
        }
        other => Err(Error::unavailable(format!("STS answers {other}"))),
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let yes = "<GetCallerIdentityResult><Arn>arn:aws:sts::1:assumed-role/r/i-1</Arn>";
        let arn = read(StatusCode::OK, yes).expect("an answer");
        assert_eq!(arn.as_deref(), Some("arn:aws:sts::1:assumed-role/r/i-1"));
        let no = "<Error><Code>SignatureDoesNotMatch</Code></Error>";
        assert_eq!(read(StatusCode::FORBIDDEN, no).expect("an answer"), None);
        let busy = "<Error><Code>Throttling</Code></Error>";
        assert!(read(StatusCode::BAD_REQUEST, busy).is_err());
        assert!(read(StatusCode::OK, "<html>").is_err());
        for status in [302, 404, 500, 503] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert!(read(status, no).is_err(), "{status}");
        }
    }

    #[test]
    fn only_this_machine_may_play_sts() {
        for (url, expected) in [
            ("http://127.0.0.1:4566", true),
            ("http://localhost:4566/", true),
            ("http://[::1]:4566", true),
            ("http://10.0.0.1:4566", false),
            ("https://sts.evil.example", false),
            ("http://localhost.evil.example", false),
        ] {
            assert_eq!(is_here(&url.parse().expect(url)), expected, "{url}");
        }
        assert_eq!(host("eu-central-1"), "sts.eu-central-1.amazonaws.com");
        assert_eq!(host("cn-north-1"), "sts.cn-north-1.amazonaws.com.cn");
    }
}
