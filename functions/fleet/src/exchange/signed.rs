//! A signed request to STS as a machine hands it in: read, and judged as far as that needs no call.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use schemars::JsonSchema;
use serde::Deserialize;

/// What must be signed, and nothing else: another header could change what STS is asked.
const SIGNED: &str = "content-type;host;x-amz-date;x-amz-security-token;x-molecule-stack";
/// How far its date may be from our clock. STS takes 15 minutes, which is a long time to replay it.
pub const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// What STS is asked, always.
pub const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
/// Its form.
pub const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The body of an exchange.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "BootstrapRequest")]
pub struct Handed {
    headers: BTreeMap<String, String>,
}

/// The headers of a request that is of the right form, for this stack, and fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// `authorization`
    pub authorization: String,
    /// `x-amz-date`
    pub date: String,
    /// `x-amz-security-token`
    pub token: String,
    /// `x-molecule-stack`
    pub stack: String,
}

/// Where and when a request must have been signed for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Our region.
    pub region: &'a str,
    /// Our stack.
    pub stack: &'a str,
    /// Now.
    pub now: Timestamp,
}

impl Handed {
    /// The request, or why it proves nothing; the reason is for the log.
    ///
    /// # Errors
    /// It is not of the form, for another region or stack, or not of now.
    pub fn judge(self, expected: Expected<'_>) -> Result<Signed, &'static str> {
        let mut headers = BTreeMap::new();
        for (name, value) in self.headers {
            // What travels on must be one line.
            if value.is_empty() || !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                return Err("a header is empty or no plain text");
            }
            if headers.insert(name.to_ascii_lowercase(), value).is_some() {
                return Err("a header is there twice");
            }
        }
        let mut take = |name: &str| headers.remove(name).ok_or("a header is missing");
        let signed = Signed {
            authorization: take("authorization")?,
            date: take("x-amz-date")?,
            token: take("x-amz-security-token")?,
            stack: take("x-molecule-stack")?,
        };
        if !headers.is_empty() {
            return Err("a header too many");
        }
        if signed.stack != expected.stack {
            return Err("for another stack");
        }
        let age = expected.now.duration_since(moment(&signed.date)?).abs();
        if age > FRESH {
            return Err("not of now");
        }
        scoped(&signed.authorization, &signed.date, expected.region)?;
        Ok(signed)
    }
}

/// `20270115T080000Z`
fn moment(date: &str) -> Result<Timestamp, &'static str> {
    let unreadable = "a date that is none";
    if date.len() != 16 {
        return Err(unreadable);
    }
    let at = DateTime::strptime("%Y%m%dT%H%M%SZ", date).map_err(|_| unreadable)?;
    let at = at.to_zoned(TimeZone::UTC).map_err(|_| unreadable)?;
    Ok(at.timestamp())
}

/// Whether it is signed for the STS of this region, and signs what it must. That the signature is
/// right, only STS can say.
fn scoped(authorization: &str, date: &str, region: &str) -> Result<(), &'static str> {
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ");
    let fields = fields.ok_or("not a signature of version 4")?;
    let fields: Vec<&str> = fields.split(',').map(str::trim).collect();
    let [credential, headers, signature] = fields.as_slice() else {
        return Err("not a signature of version 4");
    };
    let credential = credential.strip_prefix("Credential=");
    let (key, scope) = credential
        .and_then(|it| it.split_once('/'))
        .ok_or("no scope")?;
    if scope != format!("{}/{region}/sts/aws4_request", &date[..8]) {
        return Err("signed for another service, region or day");
    }
    // Keys of sessions; those of users begin otherwise, and no machine has one.
    if !key.starts_with("ASIA") || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("not the key of a session");
    }
    if headers.strip_prefix("SignedHeaders=") != Some(SIGNED) {
        return Err("signs too little or too much");
    }
    let hex = signature.strip_prefix("Signature=").unwrap_or_default();
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("no signature");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn headers() -> BTreeMap<String, String> {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20270115/eu-central-1/sts/aws4_request, \
             SignedHeaders={SIGNED}, Signature={}",
            "0a".repeat(32)
        );
        [
            ("Authorization", authorization.as_str()),
            ("X-Amz-Date", "20270115T080000Z"),
            ("X-Amz-Security-Token", "token+/="),
            ("x-molecule-stack", "prod"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    fn judge(headers: BTreeMap<String, String>) -> Result<Signed, &'static str> {
        let expected = Expected {
            region: "eu-central-1",
            stack: "prod",
            now: NOW,
        };
        Handed { headers }.judge(expected)
    }

    #[test]
    fn the_form_of_the_docs_passes() {
        assert_eq!(judge(headers()).expect("fine").stack, "prod");
    }

    #[test]
    fn every_lie_that_needs_no_call_is_refused() {
        let auth = headers()["Authorization"].clone();
        let signs = |other: &str| auth.replace(SIGNED, other);
        for (name, value) in [
            ("x-molecule-stack", "other".to_owned()),
            ("X-Amz-Date", "20270115T075459Z".to_owned()),
            ("X-Amz-Date", "20270115T080501Z".to_owned()),
            ("X-Amz-Date", "20270114T080000Z".to_owned()),
            ("X-Amz-Date", "yesterday".to_owned()),
            ("X-Amz-Security-Token", String::new()),
            ("X-Amz-Security-Token", "a\r\nhost: evil".to_owned()),
            ("Host", "sts.evil.example".to_owned()),
            ("x-amz-date", "20270115T080000Z".to_owned()),
            ("Authorization", auth.replace("eu-central-1", "us-east-1")),
            ("Authorization", auth.replace("/sts/", "/s3/")),
            ("Authorization", auth.replace("20270115", "20270114")),
            ("Authorization", auth.replace("ASIA", "AKIA")),
            ("Authorization", auth.replace("AWS4-HMAC-SHA256", "Bearer")),
            ("Authorization", auth.replace("0a0a", "zz")),
            ("Authorization", signs("host;x-amz-date")),
            (
                "Authorization",
                signs(&SIGNED.replace(";x-molecule-stack", "")),
            ),
            ("Authorization", signs(&format!("{SIGNED};x-other"))),
            ("Authorization", format!("{auth}, Signature=0a")),
        ] {
            let mut lie = headers();
            lie.insert(name.to_owned(), value.clone());
            assert!(judge(lie).is_err(), "{name}: {value}");
        }
        for name in headers().keys() {
            let mut lie = headers();
            lie.remove(name);
            assert!(judge(lie).is_err(), "without {name}");
        }
    }
}
