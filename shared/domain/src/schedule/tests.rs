use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn fire(slot: &str) -> Fire {
    let id = "0a1b2c3d-0000-4000-8000-00000000000f";
    Fire {
        schedule_id: id.parse().expect("an id"),
        slot: at(slot),
    }
}

#[test]
fn a_fire_has_one_message_and_one_request() {
    let (one, other) = (fire("2026-12-01T09:00:00Z"), fire("2026-12-01T09:01:00Z"));
    assert_eq!(one.message_id(), one.message_id());
    assert!(one.message_id().starts_with("cron-0a1b2c3d-"));
    assert_eq!(one.message_id().len(), "cron-0a1b2c3d-01234567".len());
    assert_ne!(one.message_id(), other.message_id());
    assert_eq!(one.request_id(), one.request_id());
    assert_ne!(one.request_id(), other.request_id());
    assert_eq!(one.request_id().as_uuid().get_version_num(), 4);
    let job = serde_json::to_value(one).expect("JSON");
    assert_eq!(serde_json::from_value::<Fire>(job).expect("a fire"), one);
}

#[test]
fn prompts_lose_carriage_returns_and_must_say_something() {
    assert_eq!(prompt("a\r\nb\r").expect("fine"), "a\nb");
    let long = "ü".repeat(10_000);
    assert_eq!(prompt(&long).expect("fine"), long);
    for bad in ["", "\r\n", " \r"] {
        let refused = prompt(bad).expect_err(bad);
        assert_eq!(refused.message(), "cron_expr and prompt are required");
    }
    prompt(&"x".repeat(MAX_PROMPT)).expect("fine");
    let refused = prompt(&"x".repeat(MAX_PROMPT + 1)).expect_err("too long");
    assert_eq!(refused.message(), "prompt must be at most 65536 bytes");
}

#[test]
fn previews_are_200_bytes() {
    let whole = "x".repeat(200);
    assert_eq!(prompt_preview(&whole), whole);
    let cut = prompt_preview(&"x".repeat(201));
    assert_eq!(cut, format!("{}...", "x".repeat(197)));
    let cut = prompt_preview(&"ü".repeat(101));
    assert_eq!(cut, format!("{}...", "ü".repeat(98)));
}

#[test]
fn what_is_no_schedule_is_told_why() {
    let refused = |expr: &str, zone: &str| parse(expr, zone).expect_err(expr);
    let zone = refused("* * * * *", "Mars/Olympus");
    assert_eq!(zone.message(), "invalid timezone: Mars/Olympus");
    for bad in ["", "nonsense", "*/0 * * * *", "60 * * * *", "0 0 30 2 *"] {
        let refused = refused(bad, "UTC");
        assert_eq!(refused.message(), "invalid request body", "{bad}");
        let reason = refused.details()["reason"].as_str();
        assert!(reason.is_some_and(|why| !why.is_empty()), "{bad}");
    }
    let long = refused(&"1,".repeat(200), "UTC");
    assert_eq!(long.message(), "invalid request body");
    refused("* * * * *", &"x".repeat(300));
    parse("* * * * *", "").expect("UTC");
}

#[test]
fn a_slot_becomes_what_its_workspace_allows() {
    let now = at("2026-12-01T09:00:10Z");
    let seen = |status| Seen {
        status,
        native: false,
        running: None,
    };
    for (status, expected) in [
        (Status::Provisioning, Step::Fire),
        (Status::AwaitingAgent, Step::Fire),
        (Status::Online, Step::Fire),
        (Status::Degraded, Step::Fire),
        (Status::Offline, Step::Fire),
        (Status::Hibernating, Step::Fire),
        (Status::Hibernated, Step::Fire),
        (
            Status::Paused,
            Step::Skip("skipped: workspace is paused".to_owned()),
        ),
        (
            Status::Failed,
            Step::Skip("skipped: workspace is failed".to_owned()),
        ),
        (
            Status::Removed,
            Step::Retire("skipped: workspace is removed".to_owned()),
        ),
    ] {
        assert_eq!(step(&seen(status), now), expected);
        let native = Seen {
            native: true,
            ..seen(status)
        };
        let running = Seen {
            running: Some(at("2026-11-30T09:00:00Z")),
            ..seen(status)
        };
        let passes = |seen| match expected {
            Step::Retire(_) => step(seen, now) == expected,
            _ => step(seen, now) == Step::Pass,
        };
        assert!(passes(&native) && passes(&running), "{status}");
        // What ran then has ended, whatever is written.
        let stuck = Seen {
            running: Some(at("2026-11-30T07:00:10Z")),
            ..seen(status)
        };
        assert_eq!(step(&stuck, now), expected);
    }
}

#[test]
fn missed_slots_are_one_and_none_comes_twice() {
    let cron = parse("*/5 * * * *", "UTC").expect("fine");
    let slot = at("2026-12-01T09:00:00Z");
    for (now, expected) in [
        // In time, late, after an outage of a day, and by a clock that went back.
        ("2026-12-01T09:00:20Z", "2026-12-01T09:05:00Z"),
        ("2026-12-01T09:07:00Z", "2026-12-01T09:10:00Z"),
        ("2026-12-02T09:05:00Z", "2026-12-02T09:10:00Z"),
        ("2026-12-01T08:30:00Z", "2026-12-01T09:05:00Z"),
    ] {
        assert_eq!(next(&cron, slot, at(now)), Some(at(expected)), "{now}");
    }
    assert!(!is_late(slot, at("2026-12-01T09:02:00Z")));
    assert!(is_late(slot, at("2026-12-01T09:02:01Z")));
    assert!(!is_late(slot, at("2026-12-01T08:02:01Z")));
}

#[test]
fn what_is_recorded_of_a_run() {
    let answered = |status, empty| Came {
        state: Some(State::Completed),
        status,
        empty,
        error: "",
    };
    let failed = |state| Came {
        state: Some(state),
        status: 503,
        empty: false,
        error: "why",
    };
    let skipped = Came {
        error: "skipped: x",
        ..Came::default()
    };
    let stale = "empty response 3 consecutive times — agent may be phantom-producing";
    for (came, before, status, error, after) in [
        (answered(200, false), 2, "ok", "", 0),
        (answered(202, false), 2, "ok", "", 0),
        (answered(200, true), 0, "ok", "", 1),
        (answered(200, true), 1, "ok", "", 2),
        (answered(200, true), 2, "stale", stale, 3),
        (answered(500, false), 2, "error", "HTTP 500", 2),
        (answered(302, true), 2, "error", "HTTP 302", 2),
        (failed(State::Failed), 2, "error", "why", 2),
        (failed(State::Expired), 2, "error", "why", 2),
        (failed(State::Dropped), 2, "error", "why", 2),
        (
            Came {
                error: GONE,
                ..failed(State::Dropped)
            },
            2,
            "skipped",
            "skipped: workspace is removed",
            2,
        ),
        (skipped, 2, "skipped", "skipped: x", 2),
    ] {
        let run = run(&came, before);
        assert_eq!(
            (run.status, run.error.as_str(), run.empty_runs),
            (status, error, after)
        );
    }
}

#[test]
fn an_answer_that_says_nothing_is_empty() {
    for (answer, expected) in [
        ("", true),
        (r#"{"parts":[{"text":""}]}"#, true),
        (r#"{"parts":[{"text": ""}]}"#, true),
        ("x (no response generated) y", true),
        (r#"{"parts":[{"text":"done"}]}"#, false),
        ("null", false),
    ] {
        assert_eq!(is_empty(answer.as_bytes()), expected, "{answer}");
    }
}

#[test]
fn a_schedule_is_stale_after_two_slots_without_a_run() {
    let now = at("2026-12-01T09:01:00Z");
    let hourly = parse("0 * * * *", "UTC").expect("fine");
    let threshold = stale_after(Some(&hourly), now);
    assert_eq!(threshold, 7200);
    assert_eq!(stale_after(None, now), 0);
    for (last, threshold, expected) in [
        (None, threshold, "never_run"),
        (Some("2026-12-01T09:00:00Z"), threshold, "ok"),
        (Some("2026-12-01T07:01:00Z"), threshold, "ok"),
        (Some("2026-12-01T07:00:59Z"), threshold, "stale"),
        (Some("2020-12-01T07:00:59Z"), 0, "ok"),
    ] {
        assert_eq!(health(last.map(at), threshold, now), expected, "{last:?}");
    }
}
