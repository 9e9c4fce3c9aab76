//! The EventBridge bus: what is in the log, for whoever hangs rules on it.

use std::time::Duration;

use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use domain::event::envelope;
use edge::App;

use crate::news::{News, What};

/// The source that rules name.
const SOURCE: &str = "molecule.platform";
/// The most entries that one call takes, and how many bytes of the 256 KB are used.
const AT_ONCE: usize = 10;
const BYTES_AT_ONCE: usize = 200_000;
/// How often what the bus did not take is sent again within a batch.
const TRIES: u32 = 4;

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

    /// Sends what is kept, in order. Answers the first that was not taken, if any.
    pub(super) async fn send(&self, news: &[News]) -> Option<usize> {
        let mut waiting: Vec<(usize, String)> = Vec::new();
        let mut bytes = 0;
        for (n, it) in news.iter().enumerate() {
            let What::Payload(payload) = &it.what else {
                continue;
            };
            if !it.kept {
                continue;
            }
            let detail = envelope(it.id, &it.name, Some(it.workspace), it.at, payload);
            if waiting.len() == AT_ONCE || bytes + detail.len() > BYTES_AT_ONCE {
                if let Some(failed) = self.put(news, std::mem::take(&mut waiting)).await {
                    return Some(failed);
                }
                bytes = 0;
            }
            bytes += detail.len();
            waiting.push((n, detail));
        }
        self.put(news, waiting).await
    }

    /// One call, and again what it did not take.
    async fn put(&self, news: &[News], mut waiting: Vec<(usize, String)>) -> Option<usize> {
        for tried in 0..TRIES {
            if waiting.is_empty() {
                return None;
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
        waiting.first().map(|(n, _)| *n)
    }
}
