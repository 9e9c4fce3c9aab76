//! Addresses that no client library lets through, as somebody may type them into a socket.

use std::env;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The whole answer.
async fn typed(target: &str, host: &str) -> String {
    let base = env::var("BASE_URL").expect("set by `make test`");
    let at = base
        .strip_prefix("http://")
        .expect("a stack on this machine");
    let mut stream = TcpStream::connect(at).await.expect("the gateway is there");
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

#[tokio::test]
async fn what_no_uri_can_have_is_read_all_the_same() {
    for (target, host, status, body) in [
        ("/health?q=<b>", "localhost", 200, r#"{"status":"ok"}"#),
        ("/health?q=\"a\"&<>", "localhost", 200, r#"{"status":"ok"}"#),
        ("/health", "1.2.3.999", 200, r#"{"status":"ok"}"#),
        ("/health", "a:b:c", 200, r#"{"status":"ok"}"#),
        ("/no\"<>where", "localhost", 404, "404 page not found"),
    ] {
        let answer = typed(target, host).await;
        let what = format!("{target} of {host}: {answer}");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}");
        assert!(answer.ends_with(body), "{what}");
    }
}
