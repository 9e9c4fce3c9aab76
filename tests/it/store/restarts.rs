//! What follows from a changed secret: the machines that have it start anew, and no others.

use domain::{Mode, job::Job, lifecycle::Host, secret::Scope, workspace::Status};
use e2e::{
    Workspace,
    counted::{InProcess, jobs},
};
use jiff::Timestamp;
use serde_json::json;
use store::{
    Rows,
    lifecycle::{Claim, Found},
};
use workspaces::restarts::{self, Batch};

use super::{
    id,
    lifecycle::{HOSTS, act, hosted, row, set},
};
use crate::calls_messages::permitted;

/// Sets a secret; the job in its transaction.
async fn set_secret(inside: &InProcess, path: &str, key: &str) -> Job {
    let body = json!({"key": key, "value": "v"});
    let call = inside.post(path).bearer(&inside.admin).json(&body);
    let (answer, calls) = call.counted().await;
    answer.expect(200);
    let jobs = jobs(&calls);
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    jobs.into_iter().next().expect("one")
}

/// Has the function do a job; the jobs that follow.
pub(crate) async fn work(inside: &InProcess, job: &Job) -> Vec<Job> {
    let body = serde_json::to_string(job).expect("JSON");
    let batch = json!({"Records": [{"messageId": "1", "body": body}]});
    let batch: Batch = serde_json::from_value(batch).expect("a batch");
    inside.wire.take();
    let worked = restarts::handle(inside.app, batch).await.expect("worked");
    assert!(worked.failures.is_empty(), "{worked:?}");
    let calls = inside.wire.take();
    permitted("workspaces.restarts", &calls);
    jobs(&calls)
}

async fn generation(inside: &InProcess, own: &Workspace) -> u32 {
    let machine = row(inside, id(own)).await.machine;
    machine.map_or(0, |machine| machine.generation)
}

#[tokio::test]
async fn a_workspaces_own_secret_starts_its_machine_anew_unless_it_sleeps() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for host in HOSTS {
        let own = hosted(&inside, host).await;
        let path = format!("/workspaces/{}/secrets", own.id);
        let workspace_id = id(&own);
        let job = set_secret(&inside, &path, "KEY").await;
        assert_eq!(job, Job::RestartV1 { workspace_id });
        let statuses = Status::ALL.into_iter();
        for from in statuses.filter(|it| *it != Status::Removed) {
            set(&inside, &own, from).await;
            let before = generation(&inside, &own).await;
            let followed = work(&inside, &job).await;
            use Status::{Hibernated, Hibernating, Paused};
            let asleep = matches!(from, Paused | Hibernating | Hibernated);
            let restarts = host == Host::Machine && !asleep;
            let is = generation(&inside, &own).await;
            assert_eq!(is, before + u32::from(restarts), "{host:?} from {from}");
            let status = if restarts { Status::Provisioning } else { from };
            assert_eq!(row(&inside, id(&own)).await.status(), status);
            let generation = is;
            let provision = Job::ProvisionV1 {
                workspace_id,
                generation,
            };
            let expected: Vec<Job> = restarts.then_some(provision).into_iter().collect();
            assert_eq!(followed, expected);
        }
        let gone = inside.call(reqwest::Method::DELETE, &format!("{path}/KEY"));
        let (answer, calls) = gone.bearer(&inside.admin).counted().await;
        answer.expect(200);
        assert_eq!(jobs(&calls), [Job::RestartV1 { workspace_id }]);
        let store = &inside.app.store;
        store
            .remove_workspace(workspace_id, None, Timestamp::now())
            .await
            .expect("removed");
        assert_eq!(work(&inside, &job).await, []);
    }
    let nobody = Job::RestartV1 {
        workspace_id: domain::WorkspaceId::random(),
    };
    assert_eq!(work(&inside, &nobody).await, []);
}

#[tokio::test]
async fn a_global_secret_reaches_every_machine_that_has_it_step_by_step() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let mut expected = Vec::new();
    let mut others = Vec::new();
    for n in 0..58 {
        let own = hosted(&inside, HOSTS[usize::from(n % 10 == 9) * (1 + n % 2)]).await;
        match n {
            // One that has its own, one that sleeps, one that is gone.
            7 => {
                let path = format!("/workspaces/{}/secrets", own.id);
                set_secret(&inside, &path, "ALL").await;
                others.push(own);
            }
            8 => {
                act(&inside, &own, &domain::lifecycle::Act::Pause).await;
                others.push(own);
            }
            27 => {
                let store = &inside.app.store;
                store
                    .remove_workspace(id(&own), None, Timestamp::now())
                    .await
                    .expect("removed");
            }
            _ if n % 10 == 9 => others.push(own),
            _ => expected.push(id(&own)),
        }
    }
    let mut next = Some(set_secret(&inside, "/settings/secrets", "ALL").await);
    let first = Job::RestartAllV1 {
        key: "ALL".to_owned(),
        after: None,
    };
    assert_eq!(next, Some(first));
    let (mut steps, mut told) = (0, Vec::new());
    while let Some(job) = next.take() {
        steps += 1;
        for followed in work(&inside, &job).await {
            match followed {
                Job::RestartV1 { workspace_id } => told.push(workspace_id),
                all @ Job::RestartAllV1 { .. } => next = Some(all),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(steps, 3);
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_job_that_makes_no_sense_is_a_failure_of_its_own() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let batch = json!({"Records": [
        {"messageId": "odd", "body": "{}"},
        {"messageId": "bad", "body": r#"{"job":"RestartAllV1","key":"not a name"}"#},
    ]});
    let batch: Batch = serde_json::from_value(batch).expect("a batch");
    let worked = restarts::handle(inside.app, batch).await.expect("worked");
    let said = serde_json::to_value(&worked).expect("JSON");
    let failures = json!([{"itemIdentifier": "odd"}, {"itemIdentifier": "bad"}]);
    assert_eq!(said["batchItemFailures"], failures);
}

/// The wish of the machine of this workspace is asked of the cloud.
async fn launched(inside: &InProcess, own: &Workspace) -> u32 {
    let generation = generation(inside, own).await;
    let launched = Found::Launched {
        instance_id: format!("i-{generation}"),
        at: Timestamp::now(),
    };
    let found = inside.app.store.found(id(own), generation, &launched);
    assert!(found.await.expect("recorded"));
    generation
}

/// The machine asks for its token, with the keyrings that were read.
async fn exchanged(inside: &InProcess, own: &Workspace, rings: &Rows) -> domain::Result<bool> {
    let generation = generation(inside, own).await;
    let instance_id = format!("i-{generation}");
    let claim = Claim {
        image: Some("example:1"),
        workspace_id: id(own),
        generation,
        instance_id: &instance_id,
        private_ip: None,
    };
    let token = store::tokens::fresh().expect("random");
    let store = &inside.app.store;
    store
        .exchange(&claim, &token, rings, Timestamp::now())
        .await
}

async fn rings(inside: &InProcess, own: &Workspace) -> Rows {
    let scopes = [Scope::Global, Scope::Workspace(id(own))];
    let rows = inside.app.store.rows(scopes.map(store::keys::keyring));
    rows.await.expect("read")
}

#[tokio::test]
async fn secrets_in_a_row_restart_once_and_the_last_one_is_never_lost() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let own = hosted(&inside, Host::Machine).await;
    let path = format!("/workspaces/{}/secrets", own.id);
    let mut row_of_jobs = Vec::new();
    for key in ["A", "B", "C", "D"] {
        row_of_jobs.push(set_secret(&inside, &path, key).await);
    }
    // What its template requires may have been looked at already: it is, once more.
    assert_eq!(work(&inside, &row_of_jobs[0]).await.len(), 1);
    assert_eq!(work(&inside, &row_of_jobs[1]).await.len(), 1);
    let generation = launched(&inside, &own).await;
    for job in &row_of_jobs[2..] {
        assert_eq!(work(&inside, job).await, [], "it is yet to read them");
    }
    // One more while the machine is being given its environment: it is given none of before.
    let read = rings(&inside, &own).await;
    let late = set_secret(&inside, &path, "E").await;
    let refused = exchanged(&inside, &own, &read).await;
    let refused = refused.expect_err("read before the change");
    assert_eq!(refused.kind(), domain::Kind::PlatformUnavailable);
    assert_eq!(work(&inside, &late).await, []);
    // The same for one that it shares with all.
    let read = rings(&inside, &own).await;
    set_secret(&inside, "/settings/secrets", "ALL").await;
    assert!(exchanged(&inside, &own, &read).await.is_err());
    let read = rings(&inside, &own).await;
    assert_eq!(
        read.keyring(Scope::Workspace(id(&own)))
            .expect("read")
            .map_or(0, |it| it.secrets().len()),
        5
    );
    assert!(exchanged(&inside, &own, &read).await.expect("given"));
    assert_eq!(self::generation(&inside, &own).await, generation);
    // It has them now, so whatever comes later starts it anew.
    let after = set_secret(&inside, &path, "A").await;
    assert_eq!(work(&inside, &after).await.len(), 1);
    assert_eq!(self::generation(&inside, &own).await, generation + 1);
}

#[tokio::test]
async fn a_model_restarts_as_any_secret_does() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = hosted(&inside, Host::Machine).await;
    let path = format!("/workspaces/{}/model", own.id);
    let workspace_id = id(&own);
    for (model, expected) in [("m", 1), ("m", 1), ("", 1), ("", 0)] {
        let call = inside.call(reqwest::Method::PUT, &path).bearer(&own.token);
        let (answer, calls) = call.json(&json!({"model": model})).counted().await;
        answer.expect(200);
        permitted("workspaces.secrets", &calls);
        let followed = vec![Job::RestartV1 { workspace_id }; expected];
        assert_eq!(jobs(&calls), followed, "{model:?}");
    }
}
