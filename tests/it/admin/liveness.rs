//! `GET /admin/liveness`

use e2e::{World, until};

const LIVENESS: &str = "/admin/liveness";

#[tokio::test]
async fn every_sweep_of_the_stack_says_when_it_last_ran() {
    let world = World::new();
    until(150, "all have run of late", || async {
        let answer = world.get(LIVENESS).bearer(&world.admin).await;
        let subsystems = answer.expect(200).json["subsystems"].clone();
        let names = [
            "messages",
            "silent",
            "overdue",
            "hibernation-monitor",
            "scheduler",
        ];
        let recent = names.iter().all(|name| {
            let tick = &subsystems[name];
            let parsed = tick["last_tick_at"].as_str().map(str::parse);
            let parsed: Option<Result<jiff::Timestamp, _>> = parsed;
            matches!(parsed, Some(Ok(_)))
                && tick["seconds_ago"].as_i64().is_some_and(|ago| ago < 120)
        });
        recent.then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_operators_may_ask() {
    let world = World::new();
    let own = world.workspace("Own").await;
    for path in [LIVENESS, "/metrics"] {
        let refused = world.get(path).bearer(&own.token).await;
        assert_eq!(refused.error(), (401, "invalid admin auth token"), "{path}");
        let refused = world.get(path).await;
        assert_eq!(refused.error(), (401, "admin auth required"), "{path}");
    }
}
