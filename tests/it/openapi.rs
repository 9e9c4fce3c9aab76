//! `GET /openapi.json`

use e2e::World;
use reqwest::Method;

#[tokio::test]
async fn the_description_is_for_everybody_and_sent_once_per_version() {
    let world = World::new();
    let first = world.get("/openapi.json").await.expect(200);
    assert_eq!(first.header("content-type"), "application/json");
    assert_eq!(first.header("cache-control"), "no-cache");
    assert_eq!(first.json, e2e::openapi::document());

    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    let again = world.get("/openapi.json").header("If-None-Match", &tag);
    let again = again.await.expect(304);
    assert!(again.bytes.is_empty(), "{:?}", again.bytes);
    assert_eq!(again.header("etag"), tag);
    let other = world.get("/openapi.json").header("If-None-Match", "\"0\"");
    assert_eq!(other.await.expect(200).bytes, first.bytes);

    // No more than that: what else is asked of it is no route.
    let post = world.call(Method::POST, "/openapi.json").await;
    assert_eq!(post.expect(404).bytes, b"404 page not found");
}
