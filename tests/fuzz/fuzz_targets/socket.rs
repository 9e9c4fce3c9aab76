//! WebSockets: what the gateway tells of a handshake, a frame and an end, and which of them it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

// The function's own source: its crate would bring the SDKs along.
#[path = "../../../functions/events/src/handshake.rs"]
mod handshake;

use handshake::{Handshake, Told};

fn look(told: &Handshake) {
    let answered = told.offer().map(|(_, protocol)| protocol);
    assert!(answered.is_none_or(|it| !it.is_empty() && !it.contains(',')));
    let _ = told.since(jiff::Timestamp::MAX);
    for name in ["authorization", "x-workspace-id", "origin", "host"] {
        assert!(
            told.header(name)
                .is_none_or(|it| !it.is_empty() && it == it.trim())
        );
    }
    assert_eq!(
        told.context.connection_id,
        told.context.connection_id.to_owned()
    );
}

fuzz_target!(|input: (&str, &str, &[u8])| {
    let (protocols, since, bytes) = input;
    // A frame's body is bytes of anybody's; what is around it is the gateway's.
    let frame = json!({
        "requestContext": {"connectionId": "c", "routeKey": "$default"},
        "body": String::from_utf8_lossy(bytes),
    });
    let told: Told = serde_json::from_value(frame).expect("a frame");
    assert_eq!(told.context.route, "$default");
    let context = json!({"connectionId": "c", "routeKey": "$connect"});
    let whole = json!({
        "headers": {"Sec-WebSocket-Protocol": protocols, "Origin": since, "Host": protocols},
        "queryStringParameters": {"since": since},
        "requestContext": context,
    });
    look(&serde_json::from_value(whole).expect("a handshake"));
    if let Ok(headers) = serde_json::from_slice::<Value>(bytes) {
        let any = json!({"headers": headers, "requestContext": context});
        if let Ok(told) = serde_json::from_value(any) {
            look(&told);
        }
    }
    if let Ok(told) = serde_json::from_slice(bytes) {
        look(&told);
    }
});
