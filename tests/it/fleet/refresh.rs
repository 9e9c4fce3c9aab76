//! An image pushed anew to ECR, and machines that run it.

use aws_sdk_ecr::{Client, types::ImageIdentifier};
use e2e::{World, until};
use serde_json::{Value, json};

use super::machine::Managed;

/// As the local account has it: a runtime whose image is named by a tag.
const RUNTIME: &str = "example-tagged";
const REPOSITORY: &str = "agent-example";
const HOST: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com";

/// Pushes another image under the tag; what it is called by digest.
async fn push(ecr: &Client) -> String {
    let call = ecr
        .put_image()
        .repository_name(REPOSITORY)
        .image_tag("latest");
    let manifest = json!({"made": uuid::Uuid::new_v4()}).to_string();
    let pushed = call.image_manifest(manifest).send().await.expect("pushed");
    let image = pushed
        .image()
        .and_then(|it| it.image_id())
        .expect("an image");
    format!(
        "{HOST}/{REPOSITORY}@{}",
        image.image_digest().expect("a digest")
    )
}

async fn refresh(world: &World) -> Value {
    let path = format!("/admin/workspace-images/refresh?runtime={RUNTIME}");
    world
        .post(&path)
        .bearer(&world.admin)
        .await
        .expect(200)
        .json
}

#[tokio::test]
async fn an_idle_machine_starts_anew_with_the_image_that_was_pushed() {
    let (world, sdk) = (World::new(), edge::sdk_config().load().await);
    let ecr = Client::new(&sdk);
    let first = push(&ecr).await;
    assert_eq!(refresh(&world).await["pulled"], json!([RUNTIME]));
    let ada = Managed::of_runtime(&world, RUNTIME, json!({"name": "Ada by tag"})).await;
    ada.until("online").await;
    assert_eq!((ada.boots(), ada.image()), (1, first));
    let nothing = json!({"pulled": [RUNTIME], "failed": [], "recreated": []});
    assert_eq!(refresh(&world).await, nothing);

    let second = push(&ecr).await;
    let refreshed = refresh(&world).await;
    assert_eq!(refreshed["recreated"], json!([ada.id]), "{refreshed}");
    until(60, "it has booted with the new image", || async {
        (ada.image() == second).then_some(())
    })
    .await;
    ada.until("online").await;
    assert_eq!(ada.boots(), 2);
    assert_eq!(ada.say("echo as before").await, "as before");
    assert_eq!(refresh(&world).await, nothing);

    // The tag is gone: what runs goes on, and what starts gets the image that was known.
    let tag = ImageIdentifier::builder().image_tag("latest").build();
    let call = ecr.batch_delete_image().repository_name(REPOSITORY);
    call.image_ids(tag).send().await.expect("deleted");
    let failed = json!({"pulled": [], "failed": [RUNTIME], "recreated": []});
    assert_eq!(refresh(&world).await, failed);
    ada.post("restart").await;
    until(60, "it has booted again", || async {
        (ada.boots() == 3).then_some(())
    })
    .await;
    ada.until("online").await;
    assert_eq!(ada.image(), second);
}
