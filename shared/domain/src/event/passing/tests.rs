use super::*;
use crate::event::CATALOGUE;

fn row(activity_type: &str, source: Source, method: &str, reply: Content) -> Activity {
    Activity {
        id: "0190a0b0-0000-7000-8000-000000000002"
            .parse()
            .expect("valid"),
        workspace: WorkspaceId::random(),
        activity_type: activity_type.to_owned(),
        source,
        target_id: None,
        method: Some(method.to_owned()),
        summary: None,
        request_body: Content::Absent,
        response_body: reply,
        tool_trace: Content::Absent,
        duration_ms: Some(12),
        status: "ok".to_owned(),
        error_detail: None,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn rows_tell_what_the_contract_says() {
    let agent = || Source::Workspace(WorkspaceId::random());
    let reply = || Content::from(json!({"result": {}}));
    let mut failed = row("a2a_receive", Source::Person, "message/send", reply());
    failed.status = "error".to_owned();
    let mut called_so = row("a2a_receive", Source::Person, "notify", reply());
    called_so.request_body = Content::Stored(crate::BodyId::from_uuid(Uuid::nil()));
    for (row, expected) in [
        (
            row("a2a_receive", Source::Person, "notify", reply()),
            &["AGENT_MESSAGE"][..],
        ),
        (
            row("a2a_receive", Source::Person, "message/send", reply()),
            &["ACTIVITY_LOGGED", "A2A_RESPONSE"],
        ),
        (failed, &["ACTIVITY_LOGGED"]),
        // A person's call of a method with that name.
        (called_so, &["ACTIVITY_LOGGED", "A2A_RESPONSE"]),
        // No JSON.
        (
            row(
                "a2a_receive",
                Source::Person,
                "message/send",
                Content::from(Value::Null),
            ),
            &["ACTIVITY_LOGGED"],
        ),
        // Fetched by the agent: there is no answer yet.
        (
            row(
                "a2a_receive",
                Source::Person,
                "message/send",
                Content::Absent,
            ),
            &["ACTIVITY_LOGGED"],
        ),
        (
            row("a2a_receive", agent(), "message/send", reply()),
            &["ACTIVITY_LOGGED"],
        ),
        // An agent that reports a row like a notification's tells no message by it.
        (
            row("a2a_receive", agent(), "notify", reply()),
            &["ACTIVITY_LOGGED"],
        ),
        (
            row("agent_log", agent(), "", Content::Absent),
            &["ACTIVITY_LOGGED"],
        ),
        (row("delegation", agent(), "delegate", reply()), &[]),
    ] {
        let told = told_by(&row);
        let names: Vec<_> = told.iter().map(Passing::name).collect();
        assert_eq!(names, expected, "{row:?}");
        let ids: std::collections::BTreeSet<_> =
            told.iter().map(|it| it.id(row.id.as_uuid())).collect();
        assert_eq!(ids.len(), told.len(), "each has an id of its own");
    }
}

#[test]
fn payloads_have_the_catalogues_keys() {
    let workspace = WorkspaceId::random();
    let mut logged = row("agent_log", Source::Person, "m", Content::Absent);
    logged.tool_trace = Content::from(json!([1]));
    let files = json!({"result": "hi", "parts": [{"kind": "file", "file": {"uri": "u"}}]});
    let mut long = row("agent_log", Source::Person, "m", Content::Absent);
    long.tool_trace = Content::Stored(crate::BodyId::from_uuid(Uuid::nil()));
    let long = || Passing::ActivityLogged(Box::new(long.clone()));
    let about = |more: Value| {
        let mut payload = json!({
            "activity_type": "agent_log", "method": "m", "summary": null, "status": "ok",
            "source_id": null, "target_id": null, "duration_ms": 12,
        });
        let more = more.as_object().expect("an object").clone();
        payload.as_object_mut().expect("an object").extend(more);
        payload
    };
    let response = || Passing::Response {
        body: Content::Absent,
        method: None,
        duration_ms: None,
    };
    let message = || Passing::AgentMessage {
        body: Content::Absent,
    };
    for (told, body, expected) in [
        (
            Passing::Heartbeat {
                active_tasks: 1,
                uptime_seconds: 2,
            },
            None,
            json!({"active_tasks": 1, "uptime_seconds": 2}),
        ),
        (
            Passing::ActivityLogged(Box::new(logged)),
            None,
            json!({
                "activity_type": "agent_log", "method": "m", "summary": null, "status": "ok",
                "source_id": null, "target_id": null, "duration_ms": 12, "tool_trace": [1],
            }),
        ),
        (long(), Some(json!([2])), about(json!({"tool_trace": [2]}))),
        (long(), None, about(json!({"truncated": true}))),
        (
            response(),
            Some(Value::Null),
            json!({"method": null, "duration_ms": null, "response_body": null}),
        ),
        (
            response(),
            None,
            json!({"method": null, "duration_ms": null, "truncated": true}),
        ),
        (
            message(),
            Some(files),
            json!({
                "message": "hi", "workspace_id": workspace, "name": "N",
                "attachments": [{"uri": "u"}],
            }),
        ),
        (
            message(),
            None,
            json!({"workspace_id": workspace, "name": "N", "truncated": true}),
        ),
    ] {
        let payload = told.payload(workspace, "N", body);
        assert_eq!(payload, expected);
        let entry = CATALOGUE.iter().find(|entry| entry.name == told.name());
        let entry = entry.expect("in the catalogue");
        assert!(!entry.persisted);
        for key in payload.as_object().expect("an object").keys() {
            assert!(entry.keys.contains(&key.as_str()), "{key}");
        }
    }
}

#[test]
fn a_heartbeats_id_is_its_moments_and_its_workspaces() {
    let at: Timestamp = "2026-11-25T03:12:47.5Z".parse().expect("valid");
    let (a, b) = (WorkspaceId::random(), WorkspaceId::random());
    let id = Passing::beat_id(a, at);
    assert_eq!(id, Passing::beat_id(a, at));
    assert_ne!(id, Passing::beat_id(b, at));
    let later = Passing::beat_id(a, at + jiff::SignedDuration::from_millis(1));
    assert!(later > id);
    assert_eq!(id.as_uuid().get_version_num(), 7);
}
