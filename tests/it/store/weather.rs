//! A table that is busy now and then: calls are tried again, some give up and say so, and none of them
//! leaves half of what it was to do.

use domain::Mode;
use e2e::{
    Answer, Workspace,
    counted::{InCall, InProcess, show},
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

/// How many workspaces, and what each does.
const WORKSPACES: usize = 4;
const ROUNDS: usize = 4;
/// One call in so many is throttled: a call that is tried four times then gives up once in about a hundred.
const CHANCE: f64 = 0.3;
/// How many calls are under way at once.
const AT_ONCE: usize = 8;

fn gave_up(answer: &Answer) -> bool {
    answer.status == 503 && answer.json["code"] == "platform_unavailable"
}

/// A round of what workspaces do.
fn round(inside: &InProcess, own: &Workspace, number: usize) -> [InCall; 3] {
    let post = |rest: &str, bearer: &str, body: Value| {
        let call = inside.post(&format!("/workspaces/{}{rest}", own.id));
        call.bearer(bearer).json(&body)
    };
    let message = json!({"message": format!("round {number}")});
    [
        inside.beat(own, json!({})),
        post("/notify", &own.token, message),
        post("/tokens", &inside.admin, json!({})),
    ]
}

async fn tokens(inside: &InProcess, own: &Workspace) -> usize {
    let call = inside.get(&format!("/workspaces/{}/tokens", own.id));
    let answer = call.bearer(&own.token).await.expect(200);
    answer.json["tokens"].as_array().expect("a list").len()
}

async fn rows(inside: &InProcess, own: &Workspace) -> usize {
    let call = inside.get(&format!("/workspaces/{}/activity?limit=100", own.id));
    let answer = call.bearer(&own.token).await.expect(200);
    answer.json.as_array().expect("a list").len()
}

#[tokio::test]
async fn what_is_throttled_is_done_whole_or_not_at_all() {
    let inside = InProcess::apart(Mode::DevClosed).await;
    let mut owns = Vec::new();
    for number in 0..WORKSPACES {
        let own = inside.online(&format!("Workspace {number}")).await;
        let before = (tokens(&inside, &own).await, rows(&inside, &own).await);
        owns.push((own, before));
    }
    inside.wire.throttle(CHANCE, 7);
    let calls = owns.iter().enumerate().flat_map(|(at, (own, _))| {
        let rounds = (0..ROUNDS).flat_map(|number| round(&inside, own, number));
        rounds.map(move |call| (at, call)).collect::<Vec<_>>()
    });
    let calls: Vec<_> = calls.collect();
    let sent = calls.len();
    let answers: Vec<_> = stream::iter(calls)
        .map(|(at, call)| async move { (at, call.to_string(), call.await) })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let throttled = inside.wire.mend();
    let lost = answers
        .iter()
        .filter(|(.., answer)| gave_up(answer))
        .count();
    for (_, what, answer) in &answers {
        assert!(answer.status < 300 || gave_up(answer), "{what}: {answer:?}");
    }
    for (at, (own, before)) in owns.iter().enumerate() {
        let done = |path: &str| {
            let mine = answers.iter().filter(|(of, what, answer)| {
                *of == at && what.contains(path) && answer.status < 300
            });
            mine.count()
        };
        assert_eq!(tokens(&inside, own).await, before.0 + done("/tokens"));
        assert_eq!(rows(&inside, own).await, before.1 + done("/notify"));
    }
    assert!(
        throttled > sent / 4,
        "{throttled} of {sent}: nothing was throttled"
    );
    assert!(
        lost < sent / 4,
        "{lost} of {sent} gave up: nothing was tried again"
    );
    show(&format!(
        "weather: {sent} calls, {throttled} throttled, {lost} gave up"
    ));
}
