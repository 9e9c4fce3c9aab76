//! Load on the deployed stack: workspaces that beat, and messages that are sent by the clock. A short
//! form beside the other tests; `make load` has the long one, alone with the stack, calm and with a
//! table that throttles.
//!
//! Promised is: what was accepted has one result; an agent may get a message again (the same
//! `messageId`) when the outcome of the first time is not known, once. Latencies are told, never
//! asserted: they are those of an emulator.

mod crowd;
mod drive;
mod judge;
mod report;
mod size;
mod throttled;

use std::time::Duration;

use e2e::{Weather, World, counted::show};
use serde_json::{Value, json};

use crowd::Crowd;
use drive::{Driver, Heard, Letter, Sent};
use report::{Machine, Report};
use size::Size;

/// What a load was answered.
#[derive(Debug)]
struct Run {
    size: Size,
    world: World,
    crowd: Crowd,
    letters: Vec<Letter>,
    beats: Vec<Sent>,
    /// What still waited or ran after the time for it.
    left: Vec<Value>,
    report: Report,
}

impl Run {
    /// Sends it all and waits until it has ended. The weather ends when the last message was due.
    async fn of(size: Size, mut weather: Value) -> Self {
        let world = World::new();
        let crowd = Crowd::gather(&world, size.workspaces).await;
        let driver = Driver::new(world.clone(), crowd.clone());
        let messages = size::plan(&size);
        let machine = Machine::look();
        if !size.is_alone() {
            let own = crowd.workspaces.iter().map(|own| &own.id);
            weather["naming"] = own.cloned().collect();
        }
        let sky = Weather::start(&weather).await;
        let hearts = driver.beat(&size);
        let sending = tokio::spawn({
            let driver = driver.clone();
            async move { driver.send_all(messages).await }
        });
        tokio::time::sleep(size.time).await;
        let machine = machine.since();
        let told = sky.end().await;
        let letters = sending.await.expect("joined");
        let took = machine.begun.elapsed();
        let left = judge::drained(&world, &crowd, size.drain).await;
        let drained = machine.begun.elapsed();
        driver.stop();
        let beats: Vec<Sent> = hearts.join_all().await.into_iter().flatten().collect();
        let report = Report {
            machine,
            weather: told,
            took,
            drained,
        };
        Self {
            size,
            world,
            crowd,
            letters,
            beats,
            left,
            report,
        }
    }

    /// Says how it went, here and in the file.
    async fn tell(&self, name: &str) {
        let text = self.report.text(name, self).await;
        show(&text);
        if let Some(path) = &self.size.report {
            report::append(path, &text);
        }
    }

    fn all(&self) -> impl Iterator<Item = &Sent> {
        self.letters
            .iter()
            .flat_map(Letter::sent)
            .chain(&self.beats)
    }

    /// Whether calls of functions came again though nobody refused them: the machine is too slow for its
    /// load, and functions may say that the table does not answer.
    fn was_slow(&self) -> bool {
        self.report.weather["not_in_time"].as_u64() > Some(0)
    }

    /// Calls that were told to come again.
    fn away(&self) -> usize {
        self.all().filter(|sent| sent.heard == Heard::Away).count()
    }

    /// What must hold in any weather. `most`: see [`judge::complaints`].
    async fn judge(&self, most: usize) {
        let odd = |sent: &&Sent| matches!(sent.heard, Heard::Odd(..));
        let odd: Vec<&Sent> = self.all().filter(odd).collect();
        assert!(odd.is_empty(), "{} odd answers: {:?}", odd.len(), few(&odd));
        assert!(self.left.is_empty(), "still there: {:?}", few(&self.left));
        let wrong = judge::complaints(&self.world, &self.crowd, &self.letters, most).await;
        assert!(
            wrong.is_empty(),
            "{} are wrong: {:#?}",
            wrong.len(),
            few(&wrong)
        );
        for twice in self.letters.iter().filter(|it| it.message.twice) {
            let heard: Vec<_> = twice.last().collect();
            if let [Heard::Kept(one), Heard::Kept(other)] = heard.as_slice() {
                assert_eq!(one, other, "one message is two requests: {twice:?}");
            }
        }
        if self.size.is_alone() {
            for (queue, (there, _)) in judge::queues(&self.world).await {
                assert_eq!(there, 0, "messages in {queue}");
            }
        }
    }
}

fn few<T>(all: &[T]) -> &[T] {
    &all[..all.len().min(5)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calm_every_message_is_carried_once_and_every_beat_is_heard() {
    let run = Run::of(Size::of_env(), json!({})).await;
    run.tell("calm").await;
    let slow = run.was_slow();
    run.judge(if slow { 2 } else { 1 }).await;
    assert!(slow || run.away() == 0, "{} without a reason", run.away());
    let beats = run.beats.len();
    assert!(beats >= run.size.workspaces, "{beats} beats");
    // That there was something to judge.
    let had = run.crowd.had();
    let busy = had.values().filter(|had| had.refused > 0).count();
    let due = run.size.rate * run.size.time.as_secs_f64();
    assert!(
        run.letters.len() as f64 >= due * 0.75,
        "{}",
        run.letters.len()
    );
    assert!(busy > 0, "nobody was busy");
}

/// A duration in milliseconds.
fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
