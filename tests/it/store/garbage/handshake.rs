//! What the gateway tells of a WebSocket: most of it is written by whoever connects.

use domain::Mode;
use e2e::{counted::InProcess, odd};
use events::{connect, handshake::Handshake, sockets::Sockets};
use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::{Value, json};
use tokio::runtime::Builder;

fn statuses(event: Value) -> Result<(), TestCaseError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let answer = runtime.block_on(async {
        let (inside, memory) = InProcess::in_memory(Mode::DevClosed).await;
        let handshake: Handshake = serde_json::from_value(event).expect("a handshake");
        // Nobody has so many connections that the gateway is asked.
        let door = connect::Door::with(inside.app, Sockets::at(inside.app, String::new()));
        let answer = connect::handle(door, handshake).await.expect("an answer");
        (answer, memory.defects())
    });
    let (answer, defects) = answer;
    prop_assert!(defects.is_empty(), "{defects:?}");
    let status = answer["statusCode"].as_u64().unwrap_or_default();
    prop_assert!((200..500).contains(&status), "{answer}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_handshake_is_let_in_or_refused(
        name in "authorization|Sec-WebSocket-Protocol|X-Workspace-ID|Origin|Host",
        text in odd::text(),
        since in odd::text(),
        admin: bool,
    ) {
        let token = if admin { "Bearer break-glass-of-the-tests" } else { "" };
        let mut headers = json!({"Authorization": token});
        headers[name] = text.into();
        statuses(json!({
            "headers": headers,
            "queryStringParameters": {"since": since},
            "requestContext": {"connectionId": "c", "routeKey": "$connect"},
        }))?;
    }
}
