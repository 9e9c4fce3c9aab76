use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("valid")
}

/// A request as just accepted.
fn request() -> Request {
    let target = WorkspaceId::random();
    Request {
        id: "00000000-0000-4000-8000-000000000001"
            .parse()
            .expect("valid"),
        caller: Source::Person,
        target,
        method: "message/send".to_owned(),
        message_id: "m".to_owned(),
        body: "00000000-0000-7000-8000-000000000001"
            .parse()
            .expect("valid"),
        chain: vec![target],
        slot: true,
        state: State::Running,
        fence: 1,
        attempts: 1,
        accepted_at: at(100),
        lease_until: None,
        started_at: None,
        ended_at: None,
        delivery_confirmed: false,
        result: None,
        result_status: None,
        error: None,
        told: None,
        priority: Priority::Task,
        valid_until: at(1000),
        hold: Hold::None,
        redelivered: false,
        idempotency: None,
        delegation: None,
        fire: None,
        native: false,
        trace: None,
        timeline: Vec::new(),
    }
}

#[test]
fn refused_messages_are_tried_five_times() {
    let refused = |seconds| Trouble::Refused {
        retry_after: seconds,
        why: "busy".to_owned(),
    };
    let mut request = request();
    let next = after(
        refused(Some(SignedDuration::from_secs(7))),
        &request,
        at(200),
    );
    assert!(
        matches!(next, Next::Wait { hold: Hold::Until { at: until, .. }, .. } if until == at(207))
    );
    let next = after(refused(None), &request, at(200));
    assert!(
        matches!(next, Next::Wait { hold: Hold::Until { at: until, .. }, .. } if until == at(230))
    );
    request.attempts = 5;
    assert!(matches!(
        after(refused(None), &request, at(200)),
        Next::Fail { .. }
    ));
}

#[test]
fn an_unknown_outcome_is_redelivered_once_and_only_to_a_free_agent() {
    let unknown = || Trouble::Unknown {
        why: "connection reset".to_owned(),
    };
    let mut request = request();
    let Next::Wait { hold, .. } = after(unknown(), &request, at(200)) else {
        panic!("waits");
    };
    for (beat, capacity, expected) in [
        (None, true, false),
        (Some(at(199)), true, false),
        (Some(at(200)), true, false),
        (Some(at(201)), false, false),
        (Some(at(201)), true, true),
    ] {
        assert_eq!(hold.is_over(at(300), beat, capacity), expected);
    }
    request.redelivered = true;
    let Next::Fail { why } = after(unknown(), &request, at(200)) else {
        panic!("fails");
    };
    assert_eq!(why, "outcome_unknown: connection reset");
}

#[test]
fn the_line_is_ordered_by_urgency_then_arrival() {
    let key = |priority, second| {
        let mut request = request();
        request.priority = priority;
        request.accepted_at = at(second);
        request.line_key()
    };
    let mut line = vec![
        key(Priority::Info, 1),
        key(Priority::Task, 3),
        key(Priority::Critical, 9),
        key(Priority::Task, 2),
    ];
    line.sort();
    assert_eq!(
        line,
        [
            key(Priority::Critical, 9),
            key(Priority::Task, 2),
            key(Priority::Task, 3),
            key(Priority::Info, 1),
        ]
    );
}
