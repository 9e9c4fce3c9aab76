//! Many delegations at few workers, and a delivery killed in the middle.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use e2e::{Agent, Backstage, Script, Workspace, World, counted::show, until};
use serde_json::{Value, json};
use store::ledger::Entry;

const LEADS: usize = 4;
const EACH: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_delegations_loses_nothing_and_keeps_order() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    let mut workers = Vec::new();
    // All that is for the first worker stands in line before any of it is done: then the order of
    // its line is the order of acceptance. The second worker takes what comes meanwhile.
    let mut held = None;
    for n in 0..2 {
        let (worker, agent) = world.online(&format!("Worker {n}")).await;
        if n == 0 {
            held = Some(world.hold(&worker, &agent, "before all").await);
        }
        for _ in 0..LEADS * EACH {
            agent.next(Script::Slow(Duration::from_millis(20)));
        }
        workers.push((worker, agent));
    }
    let mut leads = Vec::new();
    for n in 0..LEADS {
        leads.push(world.workspace(&format!("Lead {n}")).await);
    }
    let begun = Instant::now();
    let calls: Vec<_> = (0..EACH)
        .flat_map(|task| (0..LEADS).map(move |lead| (lead, task)))
        .map(|(lead, task)| {
            let body = json!({
                "target_id": workers[(lead + task) % 2].0.id,
                "task": format!("{lead}/{task}"),
            });
            let path = format!("/workspaces/{}/delegate", leads[lead].id);
            world.post(&path).bearer(&leads[lead].token).json(&body)
        })
        .collect();
    // One after another: then "first to arrive" is known.
    for call in calls {
        call.await.expect(202);
    }
    let first = &workers[0];
    let line = until(240, "the first worker's line is whole", || async {
        let line = backstage.line(&first.0).await;
        (line.len() == LEADS * EACH / 2).then_some(line)
    })
    .await;
    held.expect("held").release().await;
    for lead in &leads {
        let done = until(240, "all delegations of a lead end", || {
            all_ended(&world, lead)
        })
        .await;
        assert_eq!(done, EACH, "none failed");
    }
    show(&format!(
        "storm: {} delegations in {:?}",
        LEADS * EACH,
        begun.elapsed()
    ));
    let told: usize = workers.iter().map(|(_, agent)| distinct(agent)).sum();
    assert_eq!(told, LEADS * EACH + 1, "every task arrived once");
    for (worker, agent) in &workers {
        assert_eq!(agent.texts().len(), distinct(agent), "and none twice");
        show_pace(&world, worker).await;
    }
    first_come_first_served(&world, first, &line).await;
    let queues = world.get("/admin/a2a-queue").bearer(&world.admin).await;
    for queue in queues.expect(200).json["queues"]
        .as_array()
        .expect("a list")
    {
        assert_eq!(queue["drift"], 0, "{queue}");
    }
}

/// How many of a lead's delegations have completed, once none is open.
async fn all_ended(world: &World, lead: &Workspace) -> Option<usize> {
    let rows = world.activity(&lead.id, "type=delegation&limit=500").await;
    let of = |status: &str| {
        let asked = rows.iter().filter(|row| row["method"] == "delegate");
        asked.filter(|row| row["status"] == status).count()
    };
    (of("completed") + of("failed") == EACH).then(|| of("completed"))
}

/// Those that stood in line were started one after the other, in the order in which they were
/// accepted. (Delegations are accepted by jobs, which have no order among them.)
async fn first_come_first_served(world: &World, worker: &(Workspace, Agent), line: &[Entry]) {
    let (worker, agent) = worker;
    let mut expected = Vec::new();
    let mut before = (jiff::Timestamp::MIN, jiff::Timestamp::MIN);
    for entry in line {
        let id = entry.request_id.to_string();
        let request = world.request(&worker.id, &id).await;
        let at = |key: &str| -> jiff::Timestamp {
            let text = request[key].as_str().expect("a time");
            text.parse().expect("a time")
        };
        let times = (at("accepted_at"), at("started_at"));
        assert!(
            times.0 >= before.0 && times.1 > before.1,
            "{request} after {before:?}"
        );
        before = times;
        expected.push(request["message_id"].clone());
    }
    let received = agent.received().into_iter().skip(1);
    let arrived: Vec<Value> = received
        .map(|it| it.body["params"]["message"]["messageId"].clone())
        .collect();
    assert_eq!(arrived, expected);
}

fn distinct(agent: &Agent) -> usize {
    let texts = agent.texts();
    texts.iter().collect::<BTreeSet<_>>().len()
}

/// Shows how soon after one message ended the next one had: reported, not asserted.
async fn show_pace(world: &World, worker: &Workspace) {
    let rows = world
        .activity(&worker.id, "type=a2a_receive&limit=500")
        .await;
    let ends: Vec<jiff::Timestamp> = rows
        .iter()
        .rev()
        .map(|row| row["created_at"].as_str().expect("a time"))
        .map(|at| at.parse().expect("a time"))
        .collect();
    let gap = |pair: &[jiff::Timestamp]| pair[1].duration_since(pair[0]).as_millis();
    let mut gaps: Vec<_> = ends.windows(2).map(gap).collect();
    gaps.sort_unstable();
    let p95 = gaps[gaps.len() * 95 / 100];
    show(&format!(
        "storm: {} served by one worker, {p95} ms from one end to the next (p95)",
        ends.len()
    ));
}

#[tokio::test]
async fn a_killed_delivery_is_settled_and_its_message_comes_once_more_at_most() {
    let world = World::new();
    let (workspace, agent) = world.online("Survivor").await;
    agent.next(Script::Slow(Duration::from_secs(20)));
    let message = tokio::spawn(world.message(&workspace.id, "important").into_future());
    until(10, "it arrives", || async {
        (agent.texts() == ["important"]).then_some(())
    })
    .await;
    let port: u16 = agent
        .url
        .rsplit(':')
        .next()
        .expect("a port")
        .parse()
        .expect("a port");
    let killed = kill_connected_to(port);
    assert_eq!(killed, 1, "one process talks to this agent");

    // Whoever asked knows that it is kept.
    let answer = message.await.expect("joined").expect(202);
    let id = answer.text("queue_id");
    let ended = until(200, "the request is settled", || async {
        // The agent lives on, and says that it has time.
        world
            .beat(&workspace, json!({"active_tasks": 0}))
            .await
            .expect(200);
        let path = format!("/workspaces/{}/a2a/requests/{id}", workspace.id);
        let found = world.get(&path).bearer(&world.admin).await.expect(200).json;
        let open = found["state"] == "queued" || found["state"] == "dispatched";
        (!open).then_some(found)
    })
    .await;
    assert_eq!(ended["state"], "completed", "{ended}");
    assert_eq!(agent.texts(), ["important", "important"]);
    let notes: Vec<&Value> = ended["timeline"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|step| &step["note"])
        .collect();
    assert!(
        notes.iter().any(|note| **note == "the delivery broke off"),
        "{notes:?}"
    );
}

/// Kills (as a crash would) every process with a connection to this local port, but for ourselves.
fn kill_connected_to(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").expect("Linux");
    let remote = format!("0100007F:{port:04X}");
    let sockets: Vec<String> = table
        .lines()
        .filter(|line| line.split_whitespace().nth(2) == Some(remote.as_str()))
        .filter_map(|line| line.split_whitespace().nth(9))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let mut killed = 0;
    for process in fs::read_dir("/proc").expect("Linux").flatten() {
        let name = process.file_name().to_string_lossy().into_owned();
        let Ok(pid) = name.parse::<u32>() else {
            continue;
        };
        if pid == std::process::id() {
            continue;
        }
        let Ok(files) = fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let talks = files.flatten().any(|file| {
            let link = fs::read_link(file.path()).unwrap_or_default();
            sockets
                .iter()
                .any(|socket| link.as_os_str() == socket.as_str())
        });
        if talks {
            let done = std::process::Command::new("kill")
                .args(["-9", &name])
                .status();
            killed += usize::from(done.is_ok_and(|status| status.success()));
        }
    }
    killed
}
