//! The deployed functions over a table that throttles: they try again, at moments of their own; what
//! they give up they say, as one 503; and nothing is left half done.

use std::time::Duration;

use e2e::{Weather, World, counted::show};
use futures_util::future::join_all;
use serde_json::json;

use super::{Run, Size, crowd::Crowd, drive::Driver, drive::Heard, few, judge, report, size};

/// One call in so many is refused: one that is tried four times then fails once in about a hundred.
const CHANCE: f64 = 0.3;

/// Of one workspace nothing can be read or written for a while. The others, and other tests, do not
/// notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_written_is_refused_in_one_form_and_carried_once_when_sent_again() {
    let size = Size {
        workspaces: 2,
        rate: 8.0,
        time: Duration::from_secs(1),
        report: None,
        ..Size::of_env()
    };
    let (world, messages) = (World::new(), size::plan(&size));
    let crowd = Crowd::gather(&world, size.workspaces).await;
    let driver = Driver::new(world.clone(), crowd.clone());
    let target = &crowd.workspaces[0].id;
    let all_of_it = json!({"share": 1, "naming": [target], "as_a_whole": true});
    let sky = Weather::start(&all_of_it).await;
    let messages: Vec<_> = messages
        .into_iter()
        .map(|message| size::Message {
            to: 0,
            from: message.from.map(|_| 1),
            busy: false,
            twice: false,
            ..message
        })
        .collect();
    let refused = messages.iter().map(|message| driver.send_once(message, 1));
    let (refused, beat) = tokio::join!(join_all(refused), driver.beat_once(0));
    let told = sky.end().await;
    for sent in refused.iter().chain([&beat]) {
        assert_eq!(sent.heard, Heard::Away, "{sent:?}");
    }
    let rows = world.activity(target, "type=a2a_receive").await;
    assert!(rows.is_empty(), "half of a message: {rows:?}");
    assert!(crowd.had().is_empty(), "an agent was called");
    let waits = told["waits_ms"]["2"].as_array().expect("tried again");
    let mut waits: Vec<f64> = waits.iter().filter_map(serde_json::Value::as_f64).collect();
    waits.sort_by(f64::total_cmp);
    let spread = waits
        .last()
        .zip(waits.first())
        .map(|(most, least)| most - least);
    assert!(waits.len() >= messages.len(), "{told}");
    assert!(
        spread > Some(50.0),
        "all come again at one moment: {waits:?}"
    );
    show(&report::weather(&told, messages.len()));

    let letters = driver.send_all(messages).await;
    let left = judge::drained(&world, &crowd, Duration::from_secs(30)).await;
    assert!(left.is_empty(), "{left:?}");
    let wrong = judge::complaints(&world, &crowd, &letters, 1).await;
    assert!(wrong.is_empty(), "{:#?}", few(&wrong));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it throttles the whole stack: `make load`, where no other test runs"]
async fn what_was_accepted_under_throttling_has_one_result() {
    let weather = json!({"share": CHANCE, "seed": 8});
    let run = Run::of(Size::of_env(), weather).await;
    run.tell("throttled").await;
    // A reply that could not be kept is asked for once more.
    run.judge(2).await;
    assert!(run.away() > 0, "nothing was refused");
    let away = run.away();
    assert!(
        away * 4 < run.all().count(),
        "{away} gave up: nothing was tried again"
    );
}
