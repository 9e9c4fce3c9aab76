//! What is made of EC2's answers that the fake does not give.

use aws_config::retry::RetryConfig;

use super::{ec2, once};
use crate::{
    machines::{
        Change, Class, MachineId, Machines, State, Whose,
        tests::{
            launch, machine,
            xml::{instance, page, refusal, response},
        },
    },
    wire::Answer,
};

fn id() -> MachineId {
    machine(1, State::Running).id
}

/// Retries as functions have them, without their pauses.
fn patient() -> RetryConfig {
    let pause = std::time::Duration::from_millis(1);
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(pause)
}

#[tokio::test]
async fn errors_are_known_by_code_and_else_by_status() {
    for (answer, class) in [
        (
            refusal(500, "InsufficientInstanceCapacity"),
            Class::Capacity,
        ),
        (refusal(503, "RequestLimitExceeded"), Class::Throttled),
        (refusal(503, "Unavailable"), Class::Unknown),
        (refusal(500, "SomethingNew"), Class::Unknown),
        (refusal(400, "SomethingNew"), Class::Config),
        (refusal(400, "VcpuLimitExceeded"), Class::Quota),
        (refusal(403, "UnauthorizedOperation"), Class::Config),
        (refusal(400, "IdempotentParameterMismatch"), Class::Mismatch),
        (
            Answer::Body(502, "<html>Bad gateway</html>".to_owned()),
            Class::Unknown,
        ),
        (Answer::Body(200, "no XML".to_owned()), Class::Unknown),
        (response("RunInstances", "<instancesSet/>"), Class::Unknown),
        (Answer::Lost, Class::Unknown),
    ] {
        let (ec2, _) = once([answer.clone()]);
        let trouble = ec2.start(&launch(1)).await.expect_err("no machine");
        assert_eq!(trouble.class(), class, "{answer:?}");
        assert!(!format!("{trouble:?}").contains("subnet"), "{trouble:?}");
    }
}

#[tokio::test]
async fn a_launch_is_sent_once_and_a_look_again() {
    let full = || refusal(500, "InsufficientInstanceCapacity");
    let (machines, wire) = ec2([full()], patient());
    machines.start(&launch(1)).await.expect_err("full");
    assert_eq!(wire.sent().len(), 1);

    let busy = || refusal(503, "RequestLimitExceeded");
    let (machines, wire) = ec2([busy(), busy(), page(&[], None)], patient());
    machines.list(Whose::Stack).await.expect("the third time");
    assert_eq!(wire.sent().len(), 3);
}

#[tokio::test]
async fn a_listing_is_whole_or_none() {
    let of = |number| instance(&machine(number, State::Running), "prod");
    let first = || page(&[of(1)], Some("two"));
    for second in [
        refusal(503, "RequestLimitExceeded"),
        refusal(400, "InvalidNextToken"),
        Answer::Lost,
        Answer::Body(200, "<DescribeInst".to_owned()),
        page(&["<instanceId/>".to_owned()], None),
    ] {
        let (ec2, wire) = once([first(), second]);
        ec2.list(Whose::Stack).await.expect_err("half a listing");
        assert_eq!(wire.sent().len(), 2);
    }
    let (ec2, wire) = once((0..100).map(|_| first()));
    let endless = ec2.list(Whose::Stack).await.expect_err("no end");
    assert_eq!(endless.class(), Class::Partial);
    assert_eq!(wire.sent().len(), 100);
}

#[tokio::test]
async fn what_was_not_asked_for_is_left_out() {
    let ours = machine(1, State::Running);
    let all = || {
        let shown = [
            instance(&ours, "prod"),
            instance(&machine(2, State::Running), "test"),
            instance(&machine(3, State::Terminated), "prod"),
            instance(&machine(4, State::Other), "prod"),
        ];
        page(&shown, None)
    };
    let (ec2, _) = once([all(), all(), all(), all()]);
    let seen = ec2
        .describe(std::slice::from_ref(&ours.id))
        .await
        .expect("whole");
    assert_eq!(seen.machines(), std::slice::from_ref(&ours));
    let whose = Whose::Workspace(ours.owner.expect("tags").workspace_id);
    let seen = ec2.list(whose).await.expect("whole");
    assert_eq!(seen.machines(), std::slice::from_ref(&ours));
    // A state we do not know is not "dead".
    assert_eq!(
        ec2.list(Whose::Stack)
            .await
            .expect("whole")
            .machines()
            .len(),
        2
    );
    assert_eq!(ec2.started(&launch(1)).await.expect("a look"), None);
}

#[tokio::test]
async fn what_an_answer_leaves_out_is_as_it_was_asked_for() {
    let bare = "<instancesSet><item><instanceId>i-0123abcd</instanceId></item></instancesSet>";
    let (ec2, _) = once([response("RunInstances", bare)]);
    let made = ec2.start(&launch(1)).await.expect("started");
    assert_eq!(made.owner, Some(launch(1).owner()));
    assert_eq!(made.client_token, launch(1).token());
    assert_eq!((made.state, made.launched_at), (State::Other, None));
}

#[tokio::test]
async fn a_machine_with_garbled_tags_is_shown_and_nobody_s() {
    let mut garbled = machine(1, State::Running);
    garbled.owner = None;
    let shown = || page(&[instance(&garbled, "prod")], None);
    let (ec2, _) = once([shown(), shown()]);
    for whose in [Whose::Stack, Whose::Workspace(launch(1).workspace_id)] {
        let seen = ec2.list(whose).await.expect("whole");
        assert_eq!(seen.machines(), std::slice::from_ref(&garbled));
    }
}

#[tokio::test]
async fn the_console_of_old_types_is_asked_for_otherwise() {
    let output = "<output>aGVs\nbG8=\n</output><timestamp>2026-01-01T00:00:00Z</timestamp>";
    let (ec2, wire) = once([
        refusal(400, "UnsupportedOperation"),
        response("GetConsoleOutput", output),
    ]);
    assert_eq!(ec2.console(&id()).await.expect("text"), "hello");
    let sent = wire.sent();
    assert!(sent[0].contains("Latest=true") && !sent[1].contains("Latest"));

    let (ec2, _) = once([response("GetConsoleOutput", "")]);
    assert_eq!(ec2.console(&id()).await.expect("text"), "");
    let (ec2, _) = once([refusal(500, "InternalError")]);
    ec2.console(&id()).await.expect_err("not empty: unknown");
}

#[tokio::test]
async fn a_state_that_changes_while_one_looks_is_for_the_next_try() {
    let shown = page(&[instance(&machine(1, State::Running), "prod")], None);
    let (ec2, _) = once([refusal(400, "IncorrectInstanceState"), shown]);
    let later = ec2.stop(&id()).await.expect_err("booted meanwhile");
    assert_eq!(later.class(), Class::WrongState);

    let (ec2, _) = once([refusal(400, "IncorrectInstanceState"), Answer::Lost]);
    let unknown = ec2.stop(&id()).await.expect_err("no look");
    assert_eq!(unknown.class(), Class::Unknown);

    let (ec2, _) = once([refusal(400, "InvalidInstanceID.NotFound")]);
    assert_eq!(ec2.stop(&id()).await.expect("known"), Change::Absent);
}
