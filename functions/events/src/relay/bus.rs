//! The EventBridge bus: what is in the log, for whoever hangs rules on it.

use std::time::Duration;

use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use domain::event::envelope;
use edge::App;
use tokio::time::{Instant, timeout_at};

use crate::news::{News, What};

/// The source that rules name.
const SOURCE: &str = "molecule.platform";
/// The most entries that one call takes, and how many bytes of the 256 KB are used.
const AT_ONCE: usize = 10;
const BYTES_AT_ONCE: usize = 200_000;
/// How often what the bus did not take is sent again within a batch.
const TRIES: u32 = 4;

/// Which of the news it is, and what the bus is told of it.
type Entry = (usize, String);

/// The bus.
#[derive(Debug)]
pub(super) struct Bus {
    client: Client,
    name: String,
}

impl Bus {
    pub(super) fn new(app: &App, name: String) -> Self {
        Self {
            client: Client::new(&app.sdk),
            name,
        }
    }

    /// Sends what is kept, in order, until `deadline`. Answers the first that was not taken, if any.
    pub(super) async fn send(&self, news: &[News], deadline: Instant) -> Option<usize> {
        for part in parts(details(news)) {
            if let Some(failed) = self.put(news, part, deadline).await {
                return Some(failed);
            }
        }
        None
    }

    /// One part. A bus that hangs has taken nothing of it: the function would else be stopped with the batch
    /// half told, and nobody would say so.
    async fn put(
        &self,
        news: &[News],
        mut waiting: Vec<Entry>,
        deadline: Instant,
    ) -> Option<usize> {
        if timeout_at(deadline, self.try_all(news, &mut waiting))
            .await
            .is_err()
        {
            tracing::warn!("the bus does not answer in time");
        }
        waiting.first().map(|(n, _)| *n)
    }

    /// One call, and again what it did not take.
    async fn try_all(&self, news: &[News], waiting: &mut Vec<Entry>) {
        for tried in 0..TRIES {
            if waiting.is_empty() {
                return;
            }
            if tried > 0 {
                tokio::time::sleep(Duration::from_millis(50 << tried)).await;
            }
            let entries = waiting.iter().map(|(n, detail)| {
                PutEventsRequestEntry::builder()
                    .event_bus_name(&self.name)
                    .source(SOURCE)
                    .detail_type(&news[*n].name)
                    .detail(detail)
                    .build()
            });
            let put = self
                .client
                .put_events()
                .set_entries(Some(entries.collect()));
            match put.send().await {
                Ok(answer) => {
                    let taken: Vec<bool> = answer
                        .entries()
                        .iter()
                        .map(|entry| entry.error_code().is_none())
                        .collect();
                    let mut n = 0;
                    waiting.retain(|_| {
                        n += 1;
                        !taken.get(n - 1).copied().unwrap_or(false)
                    });
                }
                Err(error) => {
                    let error = error.into_service_error();
                    tracing::warn!(%error, "the bus does not answer");
                }
            }
        }
    }
}

/// What goes to the bus.
fn details(news: &[News]) -> Vec<Entry> {
    let kept = news.iter().enumerate().filter(|(_, it)| it.kept);
    kept.filter_map(|(n, it)| match &it.what {
        What::Payload(payload) => {
            let workspace = Some(it.workspace);
            Some((n, envelope(it.id, &it.name, workspace, it.at, payload)))
        }
        What::Passing(_) => None,
    })
    .collect()
}

/// The same in parts of what one call takes.
fn parts(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let (mut parts, mut bytes) = (Vec::<Vec<Entry>>::new(), 0);
    for entry in entries {
        bytes += entry.1.len();
        match parts.last_mut() {
            Some(part) if part.len() < AT_ONCE && bytes <= BYTES_AT_ONCE => part.push(entry),
            _ => {
                bytes = entry.1.len();
                parts.push(vec![entry]);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_one_call_takes_and_keep_the_order() {
        let most = BYTES_AT_ONCE;
        for (lengths, expected) in [
            (vec![], vec![]),
            (vec![1; 10], vec![10]),
            (vec![1; 11], vec![10, 1]),
            (vec![1; 25], vec![10, 10, 5]),
            (vec![most / 2, most / 2], vec![2]),
            (vec![most / 2, most / 2 + 1], vec![1, 1]),
            // What is too long for itself is tried all the same, alone.
            (vec![most + 1, 1, most, 1], vec![1, 1, 1, 1]),
            (vec![1, most + 1, 1], vec![1, 1, 1]),
            (vec![most / 4; 9], vec![4, 4, 1]),
        ] {
            let entries = lengths.iter().map(|it| "x".repeat(*it)).enumerate();
            let entries: Vec<Entry> = entries.collect();
            let parts = parts(entries.clone());
            let counts: Vec<_> = parts.iter().map(Vec::len).collect();
            assert_eq!(counts, expected, "{lengths:?}");
            assert_eq!(parts.concat(), entries);
        }
    }
}
