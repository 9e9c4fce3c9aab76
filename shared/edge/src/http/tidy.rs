//! What the gateway hands over, made such that a request can be made of it.
//!
//! The library panics where address and query are no URI, and a gateway passes on what a client typed. That
//! both are too long for one cannot be: a gateway takes 10 KB.

use std::fmt::Write as _;

use lambda_http::{
    http::{HeaderMap, Uri},
    request::LambdaRequest,
};
use reqwest::Url;

const HOST: &str = "host";
const SCHEME: &str = "x-forwarded-proto";

/// The same request: its query percent-encoded where a URI must be, and without headers of which no
/// address can be made.
pub fn tidy(mut request: LambdaRequest) -> LambdaRequest {
    if let LambdaRequest::ApiGatewayV2(request) = &mut request {
        if let Some(query) = &mut request.raw_query_string
            && query.chars().any(must_be_encoded)
        {
            *query = encoded(query);
        }
        if !make_an_address(&request.headers) {
            request.headers.remove(HOST);
            request.headers.remove(SCHEME);
        }
    }
    request
}

fn make_an_address(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let (scheme, host) = (text(SCHEME).unwrap_or("https"), text(HOST).unwrap_or("a"));
    let url = Url::parse(&format!("{scheme}://{host}/"));
    matches!(scheme, "http" | "https") && url.is_ok_and(|url| url.as_str().parse::<Uri>().is_ok())
}

fn must_be_encoded(c: char) -> bool {
    !c.is_ascii_graphic() || matches!(c, '"' | '#' | '<' | '>')
}

fn encoded(query: &str) -> String {
    let mut whole = String::with_capacity(query.len() + 16);
    for c in query.chars() {
        if must_be_encoded(c) {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // To a string that never fails.
                let _ = write!(whole, "%{byte:02X}");
            }
        } else {
            whole.push(c);
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use lambda_http::{Request, RequestExt as _};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn asked(path: &str, query: &str, host: &str, proto: &str) -> Request {
        let event = json!({
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"host": host, "x-forwarded-proto": proto},
            "requestContext": {"domainName": "api.example", "http": {"method": "GET", "path": path}},
        });
        let event = serde_json::from_value(event).expect("an event");
        Request::from(tidy(event))
    }

    #[test]
    fn what_a_client_typed_is_read() {
        let request = asked("/a b", "q=<b>&r=é&s=%20+", "a:b:c", "gopher");
        let query = request.query_string_parameters();
        assert_eq!(query.first("q"), Some("<b>"));
        assert_eq!(query.first("r"), Some("é"));
        assert_eq!(query.first("s"), Some("  "));
        assert_eq!(request.uri().host(), Some("api.example"));
        let request = asked("/", "q=m", "own.example:8080", "http");
        assert_eq!(request.uri(), "http://own.example:8080/?q=m");
    }

    proptest! {
        #[test]
        fn any_address_makes_a_request(path in "/.{0,40}", query in ".{0,40}", host in "[ -~]{0,20}", proto in "[ -~]{0,8}") {
            let request = asked(&path, &query, &host, &proto);
            prop_assert_eq!(request.raw_http_path(), path);
        }
    }
}
