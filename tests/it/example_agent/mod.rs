//! The example agent as real processes, talked to through the platform as people do.

mod process;

use std::time::Duration;

use e2e::{World, envelope, until, without};
pub(crate) use process::Example;
use process::text_of;
use serde_json::json;
use tokio::time::Instant;

#[tokio::test]
async fn it_talks_and_reads_files() {
    let world = World::new();
    let ada = Example::start(&world, "Ada", None).await;

    let hello = ada.say("What do you do?").await;
    assert!(hello.starts_with("Hello, I am Ada"), "{hello}");
    assert_eq!(ada.say("echo grüße").await, "grüße");
    let mut message = envelope("summarise");
    message["params"]["message"]["parts"]
        .as_array_mut()
        .expect("parts")
        .push(json!({"kind": "file", "file":
            {"name": "poem.txt", "mimeType": "text/plain", "bytes": "b25lIHR3bwp0aHJlZQo="}}));
    let call = world.send(&ada.workspace.id).bearer(&world.admin);
    let answer = call.json(&message).await.expect(200);
    assert_eq!(
        text_of(&answer.json),
        "poem.txt: 3 words, 2 lines.\none two\nthree"
    );
    assert_eq!(ada.say("count").await, r#"{"total":3,"distinct":3}"#);
    let card = &world.show(&ada.workspace.id).await["agent_card"];
    assert_eq!(card["name"], "Ada");
}

#[tokio::test]
async fn two_ask_each_other_through_the_platform() {
    let world = World::new();
    let family = world.workspace("Family").await;
    let alpha = Example::start(&world, "Alpha", Some(&family)).await;
    let beta = Example::start(&world, "Beta Two", Some(&family)).await;

    assert_eq!(
        alpha.say("ask beta two: echo hi").await,
        "Beta Two says: hi"
    );
    let by_id = format!("ask {} echo hi", beta.workspace.id);
    assert_eq!(alpha.say(&by_id).await, "Beta Two says: hi");
    let rows = world.activity(&beta.workspace.id, "source=agent").await;
    let sources: Vec<_> = rows.iter().map(|row| &row["source_id"]).collect();
    assert_eq!(sources, [&alpha.workspace.id, &alpha.workspace.id]);
    for (example, asked) in [(&alpha, true), (&beta, false)] {
        let seen = world.show(&example.workspace.id).await;
        assert_eq!(seen["last_outbound_at"].is_string(), asked);
    }

    // Alpha waits for Beta, who asks Alpha back: that call must not wait for itself.
    assert_eq!(
        alpha.say("ask Beta Two ask Alpha echo hi").await,
        "Beta Two says: Alpha says: hi"
    );
    let unknown = alpha.say("ask Gamma echo hi").await;
    assert!(unknown.starts_with("I cannot tell which peer"), "{unknown}");
    let failing = alpha.say("ask Beta Two fail 404").await;
    assert_eq!(failing, "Beta Two did not answer: asked to fail (HTTP 404)");
}

#[tokio::test]
async fn its_notes_and_tools_are_found_in_activity() {
    let world = World::new();
    let ada = Example::start(&world, "Ada", None).await;
    let id = &ada.workspace.id;

    let said = ada
        .say("notify The report is ready attach report.txt")
        .await;
    assert_eq!(said, "I sent your note with report.txt.");
    let rows = world
        .activity(id, "type=a2a_receive&source=canvas&limit=50")
        .await;
    let note = rows
        .iter()
        .find(|row| row["method"] == "notify")
        .expect("a note");
    assert_eq!(note["summary"], "Agent message: The report is ready");
    assert_eq!(note["response_body"]["result"], "The report is ready");
    let file = &note["response_body"]["parts"][0];
    assert_eq!(file["kind"], "file");
    assert_eq!(
        without(&file["file"], &["uri", "size"]),
        json!({"name": "report.txt", "mimeType": "text/plain"})
    );

    let said = ada.say("tools").await;
    assert_eq!(said, "I used two tools: read_file and web_search.");
    let rows = world.activity(id, "type=agent_log").await;
    let uses: Vec<_> = rows
        .iter()
        .map(|row| (&row["method"], &row["duration_ms"]))
        .collect();
    let method = json!("tool_use");
    assert_eq!(uses, [(&method, &json!(340)), (&method, &json!(12))]);
    assert!(rows.iter().all(|row| row["source_id"] == *id));
}

#[tokio::test]
async fn its_health_shows() {
    let world = World::new();
    let ada = Example::start(&world, "Ada", None).await;
    assert_eq!(ada.status().await, "online");

    for (says, status) in [
        ("wedge", "degraded"),
        ("errors 0.6", "degraded"),
        ("errors 0", "degraded"),
        ("recover", "online"),
        ("errors 0.5", "degraded"),
        ("errors 0.3", "degraded"),
        ("errors 0", "online"),
    ] {
        ada.say(says).await;
        assert_eq!(ada.status().await, status, "{says}");
    }
    let events = world.events(&ada.workspace.id).await;
    assert_eq!(
        events[3],
        (
            "WORKSPACE_DEGRADED".to_owned(),
            json!({"runtime_state": "wedged", "sample_error": "asked to be wedged"})
        )
    );
}

#[tokio::test]
async fn the_door_is_held_while_it_works() {
    let world = World::new();
    let ada = Example::start(&world, "Ada", None).await;
    let asked = Instant::now();
    let answer = tokio::spawn(
        world
            .message(&ada.workspace.id, "slow 2 done")
            .into_future(),
    );
    until(10, "it shows that it works", || async {
        let seen = world.show(&ada.workspace.id).await;
        (seen["active_tasks"] == 1).then_some(())
    })
    .await;

    let answer = answer.await.expect("an answer").expect(200);
    assert_eq!(text_of(&answer.json), "done");
    assert!(asked.elapsed() >= Duration::from_secs(2));
    let row = &world.activity(&ada.workspace.id, "limit=1").await[0];
    assert!(row["duration_ms"].as_i64() >= Some(2000), "{row}");
    until(10, "it shows that it rests", || async {
        let seen = world.show(&ada.workspace.id).await;
        (seen["active_tasks"] == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_fails_ends_and_comes_back() {
    let world = World::new();
    let mut ada = Example::start(&world, "Ada", None).await;
    let (id, workspace) = (ada.workspace.id.clone(), ada.workspace.clone());
    let failed = world.message(&id, "fail 418").await;
    assert_eq!(failed.error(), (418, "asked to fail"));

    assert_eq!(ada.say("exit 3").await, "Goodbye, I end with code 3.");
    let ended = until(10, "it ends", || {
        let state = ada.process.try_wait().expect("its state");
        async move { state }
    })
    .await;
    assert_eq!(ended.code(), Some(3));
    let gone = world.message(&id, "hello").await;
    assert_eq!(gone.error(), (502, "failed to reach workspace agent"));

    let back = Example::start_in(&world, "Ada", workspace).await;
    assert_eq!(back.say("echo hi").await, "hi");
}
