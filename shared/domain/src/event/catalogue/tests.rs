use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::{
    ApprovalId, ScheduleId, WorkspaceId,
    approval::Decision,
    event::{ApprovalEvent, Event},
};

fn text() -> String {
    "x".to_owned()
}

/// One of each variant, with all it may have.
fn every_event() -> Vec<Event> {
    let id = || Some(text());
    let events = vec![
        Event::Provisioning {
            name: text(),
            tier: 1,
            runtime: text(),
        },
        Event::Imported {
            name: text(),
            tier: 1,
            runtime: text(),
            x: 0.0,
            y: 0.0,
            parent_id: Some(WorkspaceId::random()),
        },
        Event::ExternalOnline { name: text() },
        Event::AwaitingAgent { name: text() },
        Event::Registered {
            url: text(),
            agent_card: Value::Null,
        },
        Event::Booted,
        Event::Recovered,
        Event::Wedged {
            sample_error: text(),
        },
        Event::Failing {
            error_rate: 0.5,
            sample_error: text(),
        },
        Event::Offline,
        Event::Paused { name: text() },
        Event::Hibernated {
            name: text(),
            tier: 1,
        },
        Event::ProvisionFailed {
            payload: json!({"error": "x"}),
        },
        Event::Removed {
            cascade_deleted: Some(1),
        },
        Event::CardUpdated {
            agent_card: Value::Null,
        },
        Event::DelegationSent {
            delegation_id: text(),
            target_id: text(),
            task_preview: text(),
        },
        Event::DelegationStatus {
            delegation_id: text(),
            target_id: text(),
            status: text(),
        },
        Event::DelegationComplete {
            delegation_id: text(),
            target_id: id(),
            response_preview: text(),
            via_queue: true,
        },
        Event::DelegationFailed {
            delegation_id: text(),
            target_id: id(),
            error: text(),
        },
        Event::CronExecuted {
            schedule_id: ScheduleId::from_uuid(uuid::Uuid::nil()),
            schedule_name: text(),
            status: "ok",
        },
        Event::CronSkipped {
            schedule_id: ScheduleId::from_uuid(uuid::Uuid::nil()),
            schedule_name: text(),
            reason: text(),
        },
        Event::TaskUpdated {
            current_task: text(),
            active_tasks: 1,
        },
    ];
    let approvals = approvals().into_iter().map(Event::Approval);
    events.into_iter().chain(approvals).collect()
}

fn approvals() -> Vec<ApprovalEvent> {
    let approval_id = ApprovalId::from_uuid(uuid::Uuid::nil());
    let mut approvals = vec![
        ApprovalEvent::Requested {
            approval_id,
            action: text(),
            reason: text(),
            task_id: text(),
        },
        ApprovalEvent::Escalated {
            approval_id,
            from: WorkspaceId::from_uuid(uuid::Uuid::nil()),
            action: text(),
            reason: text(),
        },
        ApprovalEvent::Expired {
            approval_id,
            action: text(),
        },
    ];
    for decision in [Decision::Approved, Decision::Denied] {
        approvals.push(ApprovalEvent::Said {
            approval_id,
            decision,
            decided_by: text(),
        });
        approvals.push(ApprovalEvent::Decided {
            approval_id,
            decision,
            decided_by: text(),
        });
    }
    approvals
}

#[test]
fn names_are_there_once_and_as_many_as_the_contract_has() {
    let names: BTreeSet<_> = CATALOGUE.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), CATALOGUE.len());
    let told = CATALOGUE.iter().filter(|entry| !entry.persisted).count();
    assert_eq!((CATALOGUE.len() - 2 - told, told), (27, 5));
}

#[test]
fn what_is_emitted_is_in_the_catalogue_with_its_keys() {
    for event in every_event() {
        let name = event.name();
        let entry = CATALOGUE.iter().find(|entry| entry.name == name);
        let entry = entry.unwrap_or_else(|| panic!("{name} is in no catalogue"));
        assert_eq!(event.is_persisted(), entry.persisted, "{name}");
        let payload = event.payload();
        for key in payload.as_object().expect("an object").keys() {
            assert!(entry.keys.contains(&key.as_str()), "{name} has {key}");
        }
    }
}

#[test]
fn the_table_covers_every_variant_of_what_is_emitted() {
    // A variant without a sample fails to name all it should: one name per family at least.
    let names: BTreeSet<_> = every_event().iter().map(Event::name).collect();
    let unused = CATALOGUE.iter().filter(|entry| entry.unused.is_some());
    let unused: Vec<_> = unused.map(|entry| entry.name).collect();
    assert_eq!(unused.len(), 7, "{unused:?}");
    let passing = [
        "WORKSPACE_HEARTBEAT",
        "ACTIVITY_LOGGED",
        "A2A_RESPONSE",
        "AGENT_MESSAGE",
    ];
    let rest: BTreeSet<_> = CATALOGUE.iter().map(|entry| entry.name).collect();
    let missing: BTreeSet<_> = rest.difference(&names).copied().collect();
    assert_eq!(missing, unused.into_iter().chain(passing).collect());
}
