//! The tree under races: never a cycle, and a path that is not up to date lets nobody in.

use domain::{Mode, job::Job};
use e2e::{
    Workspace,
    counted::{ALWAYS, Fault, InCall, InProcess, gate, jobs},
};
use reqwest::Method;
use serde_json::json;

use super::restarts::work;

fn move_below(inside: &InProcess, moving: &Workspace, parent: &Workspace) -> InCall {
    let call = inside.call(Method::PATCH, &format!("/workspaces/{}", moving.id));
    call.bearer(&inside.admin)
        .json(&json!({"parent_id": parent.id}))
}

/// The workspaces above one, nearest first, by the parents that are stored.
async fn above(inside: &InProcess, of: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = of.id.clone();
    loop {
        let shown = inside
            .get(&format!("/workspaces/{at}"))
            .bearer(&inside.admin);
        match shown.await.expect(200).json["parent_id"].as_str() {
            None => return found,
            Some(parent) => {
                at = parent.to_owned();
                assert!(!found.contains(&at) && at != of.id, "a cycle through {at}");
                found.push(at.clone());
            }
        }
    }
}

async fn may_talk(inside: &InProcess, a: &Workspace, b: &Workspace) -> bool {
    let question = json!({"caller_id": a.id, "target_id": b.id});
    let check = inside.post("/registry/check-access").bearer(&inside.admin);
    check.json(&question).await.expect(200).json["allowed"] == true
}

#[tokio::test]
async fn two_moves_below_each_other_make_no_cycle() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let (left, right) = (
        inside.workspace("Left").await,
        inside.workspace("Right").await,
    );
    let low_left = inside.child("Low left", &left).await;
    let low_right = inside.child("Low right", &right).await;
    inside.wire.fail("TransactWriteItems", 2, Fault::meet(2));
    let (a, b) = tokio::join!(
        move_below(&inside, &left, &low_right),
        move_below(&inside, &right, &low_left),
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "{} {}", a.json, b.json);
    for workspace in [&left, &right, &low_left, &low_right] {
        above(&inside, workspace).await;
    }
}

#[tokio::test]
async fn a_path_that_is_not_up_to_date_hides_no_cycle() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let (left, right) = (
        inside.workspace("Left").await,
        inside.workspace("Right").await,
    );
    let low_left = inside.child("Low left", &left).await;
    // The move is written; the function dies before it has told those below.
    inside.wire.fail("Query", 1, Fault::Unreachable);
    move_below(&inside, &left, &right).await.expect(503);
    assert_eq!(above(&inside, &left).await, std::slice::from_ref(&right.id));
    let cyclic = move_below(&inside, &right, &low_left).await;
    assert!(cyclic.status >= 400, "{}", cyclic.json);
    above(&inside, &low_left).await;
}

#[tokio::test]
async fn a_tree_deeper_than_its_paths_hides_no_cycle() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let top = inside.workspace("Top").await;
    let mut lowest = inside.child("1", &top).await;
    for depth in 2..=domain::access::MAX_STEPS + 2 {
        lowest = inside.child(&depth.to_string(), &lowest).await;
    }
    let cyclic = move_below(&inside, &top, &lowest).await;
    assert_eq!(cyclic.status, 400, "{}", cyclic.json);
    above(&inside, &lowest).await;
}

#[tokio::test]
async fn who_has_moved_is_let_in_once_its_path_is_settled() {
    let inside = InProcess::apart(Mode::DevClosed).await;
    let (left, right) = (
        inside.workspace("Left").await,
        inside.workspace("Right").await,
    );
    let middle = inside.child("Middle", &left).await;
    let low = inside.child("Low", &middle).await;
    assert!(may_talk(&inside, &low, &left).await);
    inside.wire.fail("Query", ALWAYS, Fault::Unreachable);
    let (broken, calls) = move_below(&inside, &middle, &right).counted().await;
    broken.expect(503);
    inside.wire.mend();
    // The one that moved has its place at once; those below are not let in on a guess.
    assert!(may_talk(&inside, &middle, &right).await);
    assert!(!may_talk(&inside, &middle, &left).await);
    assert!(!may_talk(&inside, &low, &right).await);

    // The job of the move goes on where that stopped.
    let workspace_id = middle.id.parse().expect("an id");
    let [job] = jobs(&calls).try_into().expect("one job");
    assert_eq!(job, Job::SettleV1 { workspace_id });
    assert_eq!(work(&inside, &job).await, []);
    assert!(may_talk(&inside, &low, &right).await);
    assert!(!may_talk(&inside, &low, &left).await);

    // So does the same request again.
    inside.wire.fail("Query", ALWAYS, Fault::Unreachable);
    move_below(&inside, &middle, &left).await.expect(503);
    inside.wire.mend();
    move_below(&inside, &middle, &left).await.expect(200);
    assert!(may_talk(&inside, &low, &left).await);
    assert!(!may_talk(&inside, &low, &right).await);
}

#[tokio::test]
async fn a_parent_that_goes_meanwhile_gets_no_child() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for (moves_away, status) in [(false, 400), (true, 201)] {
        let (parent, other) = (
            inside.workspace("Parent").await,
            inside.workspace("Other").await,
        );
        let held = gate();
        inside
            .wire
            .fail("TransactWriteItems", 1, Fault::Hold(held.clone()));
        let body = json!({"name": "Child", "external": true, "parent_id": parent.id});
        let create = inside.post("/workspaces").bearer(&inside.admin).json(&body);
        let create = tokio::spawn(create.into_future());
        held.wait().await;
        if moves_away {
            move_below(&inside, &parent, &other).await.expect(200);
        } else {
            let delete = inside.call(Method::DELETE, &format!("/workspaces/{}", parent.id));
            delete.bearer(&inside.admin).await.expect(200);
        }
        held.wait().await;
        let answer = create.await.expect("an answer").expect(status);
        if moves_away {
            let child = Workspace {
                id: answer.text("id"),
                token: String::new(),
            };
            assert_eq!(above(&inside, &child).await, [parent.id, other.id.clone()]);
            assert!(may_talk(&inside, &child, &other).await);
        }
    }
}
