//! `GET /org/templates`

use e2e::World;
use serde_json::json;

#[tokio::test]
async fn the_local_stack_has_an_organisation_of_three() {
    let world = World::new();
    let list = world.get("/org/templates").bearer(&world.admin);
    let list = list.await.expect(200).json;
    let mut rows = list.as_array().expect("a list").iter();
    let trio = rows.find(|row| row["dir"] == "trio").expect("listed");
    assert_eq!(
        *trio,
        json!({"dir": "trio", "name": "Trio", "workspaces": 3, "required_env": [],
            "description": "A lead with two writers, on hosts of your own.",
            "recommended_env": ["ANTHROPIC_API_KEY"]})
    );
}
