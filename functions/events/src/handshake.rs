//! What the gateway tells of a WebSocket: its handshake, its frames and its end. Everything in it but the
//! context is written by whoever connects.

use std::collections::HashMap;

use domain::{Error, EventId, Result, event::is_ahead, token};
use jiff::Timestamp;
use serde::Deserialize;

/// The protocol that says: what follows is a token.
const BEARER: &str = "bearer";

/// A handshake as the gateway tells of it.
#[derive(Debug, Deserialize)]
pub struct Handshake {
    #[serde(default)]
    headers: Option<HashMap<String, String>>,
    #[serde(rename = "queryStringParameters", default)]
    query: Option<HashMap<String, String>>,
    #[serde(rename = "requestContext")]
    pub(crate) context: Context,
}

/// Which connection it is about.
#[derive(Debug, Deserialize)]
pub struct Context {
    /// The gateway's name for it.
    #[serde(rename = "connectionId")]
    pub connection_id: String,
    /// What happens to it.
    #[serde(rename = "routeKey", default)]
    pub route: String,
    #[serde(default)]
    identity: Option<Origin>,
}

/// Where it comes from.
#[derive(Debug, Deserialize)]
struct Origin {
    #[serde(rename = "sourceIp", default)]
    source_ip: Option<String>,
}

impl Context {
    /// The address of whoever connects, as the gateway sees it.
    pub(crate) fn source_ip(&self) -> Option<&str> {
        self.identity.as_ref()?.source_ip.as_deref()
    }
}

impl Handshake {
    /// A header, if it is there and says something.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter().flatten();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found
            .map(|(_, text)| text.trim())
            .filter(|it| !it.is_empty())
    }

    /// The token among the protocols, and the protocol to answer with: browsers hang up without one.
    pub(crate) fn offer(&self) -> Option<(String, &str)> {
        let protocols = self.header("sec-websocket-protocol")?.split(',');
        let protocols: Vec<_> = protocols
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .collect();
        if let [first, second, ..] = protocols[..]
            && first.eq_ignore_ascii_case(BEARER)
        {
            return Some((token::of_protocol(second), BEARER));
        }
        let is_token = |it: &&str| it.starts_with(token::BASE64URL_PROTOCOL);
        let carrier = protocols.iter().copied().find(is_token)?;
        let other = protocols.iter().copied().find(|it| !is_token(it));
        Some((token::of_protocol(carrier), other.unwrap_or(carrier)))
    }

    /// The event after which the listener wants to be told.
    ///
    /// # Errors
    /// 400 when it is no id, or one of a time to come.
    pub(crate) fn since(&self, now: Timestamp) -> Result<Option<EventId>> {
        let text = self.query.as_ref().and_then(|query| query.get("since"));
        let text = text.map(|text| text.trim()).filter(|text| !text.is_empty());
        let bad = || Error::invalid("since must be the id of an event");
        let since: Option<EventId> = text.map(str::parse).transpose().map_err(|_| bad())?;
        match since {
            Some(id) if is_ahead(id, now) => Err(bad()),
            since => Ok(since),
        }
    }
}

/// A frame, or the end. The frame itself is not even parsed.
#[derive(Debug, Deserialize)]
pub struct Told {
    #[serde(rename = "requestContext")]
    pub(crate) context: Context,
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn handshake(headers: Value, query: Value) -> Handshake {
        let whole = json!({
            "headers": headers,
            "queryStringParameters": query,
            "requestContext": {"connectionId": "c1", "routeKey": "$connect"},
        });
        serde_json::from_value(whole).expect("a handshake")
    }

    #[test]
    fn tokens_come_as_protocols() {
        let encoded = "base64url.bearer.YS9iPT0";
        let beside = format!("bearer, {encoded}");
        let among = format!("chat, {encoded}, superchat");
        for (protocols, expected) in [
            ("bearer, abc", Some(("abc", "bearer"))),
            ("Bearer,abc", Some(("abc", "bearer"))),
            ("bearer", None),
            ("bearer,", None),
            ("graphql-ws, abc", None),
            ("", None),
            (&beside, Some(("a/b==", "bearer"))),
            (&among, Some(("a/b==", "chat"))),
            (encoded, Some(("a/b==", encoded))),
        ] {
            let it = handshake(json!({"sec-websocket-protocol": protocols}), Value::Null);
            let offer = it.offer();
            let offer = offer.as_ref().map(|(token, answer)| (&**token, *answer));
            assert_eq!(offer, expected, "{protocols:?}");
        }
        assert_eq!(handshake(Value::Null, Value::Null).offer(), None);
    }

    #[test]
    fn since_is_an_event() {
        let since =
            |text: &str| handshake(Value::Null, json!({"since": text})).since(Timestamp::now());
        assert_eq!(since("").expect("nothing"), None);
        let id = "0190a0b0-0000-7000-8000-000000000001";
        assert_eq!(since(id).expect("an id"), Some(id.parse().expect("valid")));
        let error = since("yesterday").expect_err("no id");
        assert_eq!(error.message(), "since must be the id of an event");
    }

    proptest! {
        #[test]
        fn any_headers_are_looked_at(name in "(?i:sec-websocket-protocol|origin|host|.{0,8})", text in ".{0,40}", since in ".{0,40}") {
            let it = handshake(json!({name: text}), json!({"since": since}));
            let _ = it.offer();
            let _ = it.since(Timestamp::MAX);
        }

        #[test]
        fn a_token_comes_through(token in "[A-Za-z0-9_-]{1,64}", id: u128) {
            // Of the next two thousand years.
            let id = uuid::Uuid::from_u128(id >> 2).to_string();
            let it = handshake(json!({"Sec-WebSocket-Protocol": format!("bearer, {token}")}), json!({"since": id}));
            prop_assert_eq!(it.offer(), Some((token, BEARER)));
            let since = it.since(Timestamp::MAX).expect("an id").map(|it| it.to_string());
            prop_assert_eq!(since, Some(id));
        }

        #[test]
        fn any_frame_is_told_of(body in ".{0,200}", route in ".{0,12}") {
            let frame = json!({"requestContext": {"connectionId": "c", "routeKey": route}, "body": body});
            let told: Told = serde_json::from_value(frame).expect("a frame");
            prop_assert_eq!(told.context.route, route);
        }
    }
}
