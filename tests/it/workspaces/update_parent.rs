//! `PATCH /workspaces/{id}` with `parent_id`: the tree

use e2e::{Workspace, World, at_once};
use serde_json::{Value, json};

use super::update::patch;

async fn move_below(world: &World, moving: &Workspace, parent: Value) -> (u16, String) {
    let answer = patch(
        world,
        &world.admin,
        &moving.id,
        &json!({"parent_id": parent}),
    )
    .await;
    let (status, sentence) = answer.error();
    (status, sentence.to_owned())
}

/// Which of `targets` the first may talk to.
async fn reach<const N: usize>(
    world: &World,
    from: &Workspace,
    targets: [&Workspace; N],
) -> [bool; N] {
    let mut reached = [false; N];
    for (reached, target) in reached.iter_mut().zip(targets) {
        let question = json!({"caller_id": from.id, "target_id": target.id});
        let call = world.post("/registry/check-access").json(&question);
        let reply = call.bearer(&world.admin).await.expect(200);
        *reached = reply.json["allowed"] == true;
    }
    reached
}

#[tokio::test]
async fn a_subtree_moves_with_its_reach() {
    let world = World::new();
    let (left, right) = (
        world.workspace("Left").await,
        world.workspace("Right").await,
    );
    let stays = world.child("Stays", &left).await;
    let moves = world.child("Moves", &left).await;
    let below = world.child("Below", &moves).await;
    let deep = world.child("Deep", &below).await;
    let moved = (200, String::new());
    let from_left = async || reach(&world, &left, [&moves, &below, &deep]).await;
    let from_right = async || reach(&world, &right, [&moves, &below, &deep]).await;
    assert_eq!(
        (from_left().await, from_right().await),
        ([true; 3], [false; 3])
    );
    assert!(reach(&world, &stays, [&moves]).await[0]);

    assert_eq!(move_below(&world, &moves, json!(right.id)).await, moved);
    assert_eq!(
        (from_left().await, from_right().await),
        ([false; 3], [true; 3])
    );
    assert!(!reach(&world, &stays, [&moves]).await[0]);
    assert_eq!(world.show(&moves.id).await["parent_id"], json!(right.id));
    assert_eq!(world.show(&deep.id).await["parent_id"], json!(below.id));

    // To where it is, then to the top: null and empty are the same.
    assert_eq!(move_below(&world, &moves, json!(right.id)).await, moved);
    assert_eq!(move_below(&world, &moves, json!(null)).await, moved);
    assert_eq!(world.show(&moves.id).await["parent_id"], json!(null));
    assert_eq!(from_right().await, [true, false, false]);
    assert_eq!(move_below(&world, &moves, json!(left.id)).await, moved);
    assert_eq!(move_below(&world, &moves, json!("")).await, moved);
    assert_eq!(world.show(&moves.id).await["parent_id"], json!(null));
}

#[tokio::test]
async fn nobody_moves_below_itself() {
    let world = World::new();
    let mut chain = vec![world.workspace("0").await];
    // Deeper than the path that is kept with each workspace.
    for depth in 1..=34 {
        let parent = chain.last().expect("one");
        chain.push(world.child(&depth.to_string(), parent).await);
    }
    let before = world.snapshot(&chain[0].id).await;
    for target in [0, 1, 2, 32, 33, 34] {
        let parent = json!(chain[target].id);
        let refused = (400, "a workspace cannot be moved below itself".to_owned());
        assert_eq!(
            move_below(&world, &chain[0], parent).await,
            refused,
            "{target}"
        );
    }
    assert_eq!(world.snapshot(&chain[0].id).await, before);
}

#[tokio::test]
async fn parallel_moves_make_no_cycle() {
    let world = World::new();
    for _ in 0..8 {
        let (a, b) = (world.workspace("A").await, world.workspace("B").await);
        let below_a = world.child("Below A", &a).await;
        let (to_b, to_a) = (json!({"parent_id": b.id}), json!({"parent_id": below_a.id}));
        let moves = [
            patch(&world, &world.admin, &a.id, &to_b),
            patch(&world, &world.admin, &b.id, &to_a),
        ];
        let mut answers: Vec<_> = at_once(moves).await;
        answers.sort_by_key(|answer| answer.status);
        answers[0].clone().expect(200);
        let refused = (400, "a workspace cannot be moved below itself");
        assert_eq!(answers[1].error(), refused);
        let roots = [world.show(&a.id).await, world.show(&b.id).await];
        let roots = roots.iter().filter(|shown| shown["parent_id"].is_null());
        assert_eq!(roots.count(), 1);
    }
}
