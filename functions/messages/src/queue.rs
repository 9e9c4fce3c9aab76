//! `GET /admin/a2a-queue`, `POST /admin/a2a-queue/redrive`, `POST /admin/a2a-queue/drop-stale`: what
//! waits, and what to do about it (decision 44; contract: a2a-notify-events 3.6).

use aws_sdk_sqs::{Client, types::QueueAttributeName};
use domain::{Error, Kind, Result, WorkspaceId, request::State, time::wire};
use edge::{
    App, Caller, Input, Missing, Reply,
    openapi::{Api, Who},
    required,
};
use jiff::SignedDuration;
use lambda_http::http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use store::{
    ledger::{Entry, Ledger as _, Load},
    workspaces::Parts,
};

use crate::{Messages, flow::line::drop_waiting};

/// How old a waiting message is "stale" unless the operator says otherwise, in minutes.
const STALE_MINUTES: i64 = 60;
/// The most messages one redrive moves: what is left moves with the next.
const MOST_REDRIVEN: usize = 1000;

/// What these routes need.
#[derive(Debug)]
pub struct Queues {
    messages: &'static Messages,
    sqs: Client,
    live: String,
    dead: String,
}

impl AsRef<App> for Queues {
    fn as_ref(&self) -> &App {
        self.messages.app
    }
}

impl Queues {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        let (live, dead) = (
            required("DELIVERIES_QUEUE_URL")?,
            required("DELIVERIES_DLQ_URL")?,
        );
        Ok(Self::over(Messages::delivering(app)?, live, dead))
    }

    /// Over these parts.
    pub fn over(messages: &'static Messages, live: String, dead: String) -> &'static Self {
        Box::leak(Box::new(Self {
            messages,
            sqs: Client::new(&messages.app.sdk),
            live,
            dead,
        }))
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WaitingQueue")]
struct Waiting {
    workspace_id: WorkspaceId,
    waiting: i64,
    running: i64,
    oldest_at: Option<String>,
    /// By how much its counters contradict each other; zero is right.
    drift: i64,
}

/// What waits.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Queues")]
struct Shown {
    queues: Vec<Waiting>,
    dlq: DeadLetters,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DeadLetters {
    depth: i64,
    /// SQS does not tell the age of a message without receiving it: an alarm watches that.
    oldest_at: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Redriven {
    redriven: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DroppedStale {
    dropped: usize,
}

/// The family of one resource.
///
/// # Errors
/// 400, 401.
pub async fn handle(queues: &'static Queues, caller: Caller, input: Input) -> Result<Reply> {
    queues.messages.app.admin(&caller).await?;
    match input.path.rsplit('/').next() {
        Some("redrive") if input.method == Method::POST => redrive(queues).await,
        Some("drop-stale") if input.method == Method::POST => drop_stale(queues, &input).await,
        _ => show(queues).await,
    }
}

async fn show(queues: &Queues) -> Result<Reply> {
    let store = &queues.messages.app.store;
    let mut waiting = Vec::new();
    for (id, load) in loads(queues, None).await? {
        if load.counts.waiting == 0 && load.counts.running == 0 && load.counts.drift() == 0 {
            continue;
        }
        let oldest = store.whole_line(id).await?;
        let oldest = oldest.iter().map(|entry| entry.accepted_at).min();
        waiting.push(Waiting {
            workspace_id: id,
            waiting: load.counts.waiting,
            running: load.counts.running,
            oldest_at: oldest.map(wire),
            drift: load.counts.drift(),
        });
    }
    let depth = dead_depth(queues).await?;
    Ok(Reply::ok(&Shown {
        queues: waiting,
        dlq: DeadLetters {
            depth,
            oldest_at: None,
        },
    }))
}

async fn loads(queues: &Queues, only: Option<WorkspaceId>) -> Result<Vec<(WorkspaceId, Load)>> {
    let store = &queues.messages.app.store;
    let found = match only {
        Some(id) => store.load_workspaces(&[id], Parts::WithLoad).await?,
        None => store.workspaces(Parts::WithLoad).await?,
    };
    let loads = found.into_iter();
    Ok(loads
        .filter_map(|found| Some((found.meta.id, found.load?)))
        .collect())
}

async fn dead_depth(queues: &Queues) -> Result<i64> {
    let answer = queues
        .sqs
        .get_queue_attributes()
        .queue_url(&queues.dead)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
        .send()
        .await
        .map_err(Error::unavailable)?;
    let attributes = answer.attributes.unwrap_or_default();
    let depth = attributes.get(&QueueAttributeName::ApproximateNumberOfMessages);
    Ok(depth.and_then(|depth| depth.parse().ok()).unwrap_or(0))
}

/// Moves what is in the dead-letter queue back, one by one: sent first, deleted then, so that a
/// crash in between doubles a job, which changes nothing.
async fn redrive(queues: &Queues) -> Result<Reply> {
    let mut redriven = 0;
    while redriven < MOST_REDRIVEN {
        let batch = queues
            .sqs
            .receive_message()
            .queue_url(&queues.dead)
            .max_number_of_messages(10)
            .visibility_timeout(60)
            .send()
            .await
            .map_err(Error::unavailable)?;
        let messages = batch.messages.unwrap_or_default();
        if messages.is_empty() {
            break;
        }
        for message in messages {
            let body = message.body.unwrap_or_default();
            let sent = queues.sqs.send_message().queue_url(&queues.live);
            sent.message_body(body)
                .send()
                .await
                .map_err(Error::unavailable)?;
            let gone = queues.sqs.delete_message().queue_url(&queues.dead);
            gone.set_receipt_handle(message.receipt_handle)
                .send()
                .await
                .map_err(Error::unavailable)?;
            redriven += 1;
        }
    }
    Ok(Reply::ok(&Redriven { redriven }))
}

async fn drop_stale(queues: &Queues, input: &Input) -> Result<Reply> {
    let wrong = || Error::invalid("max_age_minutes must be a positive integer");
    let minutes = match input.query("max_age_minutes") {
        None => STALE_MINUTES,
        Some(text) => text.parse().ok().filter(|age| *age > 0).ok_or_else(wrong)?,
    };
    let only = input.query("workspace_id").filter(|id| !id.is_empty());
    let only = only.map(str::parse).transpose()?;
    let age = SignedDuration::try_from_mins(minutes).ok_or_else(wrong)?;
    let before = input.now.checked_sub(age).map_err(|_| wrong())?;

    let store = &queues.messages.app.store;
    let (flow, mut dropped) = (queues.messages.flow(), 0);
    let why = format!(
        "[DropStaleQueueItems] auto-dropped: queue item age exceeded the post-incident TTL. \
         Dropped at {}",
        wire(input.now)
    );
    for (id, load) in loads(queues, only).await? {
        if load.counts.waiting == 0 {
            continue;
        }
        let stale = |entry: &Entry| entry.accepted_at < before;
        for entry in store.whole_line(id).await?.into_iter().filter(stale) {
            if let Some(request) = store.request(entry.request_id).await? {
                drop_waiting(&flow, &request, State::Dropped, &why).await?;
                dropped += 1;
            }
        }
    }
    Ok(Reply::ok(&DroppedStale { dropped }))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    api.route(
        "show_queues",
        "GET /admin/a2a-queue",
        Who::Operator,
        "What waits",
    )
    .ok::<Shown>("Workspaces with messages, and the dead-letter queue.")
    .fails(&[]);
    let summary = "Moves what is in the dead-letter queue back";
    api.route(
        "redrive_queue",
        "POST /admin/a2a-queue/redrive",
        Who::Operator,
        summary,
    )
    .ok::<Redriven>("How many were moved.")
    .fails(&[]);
    let summary = "Drops messages that have waited too long";
    api.route(
        "drop_stale",
        "POST /admin/a2a-queue/drop-stale",
        Who::Operator,
        summary,
    )
    .query::<u32>(
        "max_age_minutes",
        "How long that is; 60 unless said otherwise.",
    )
    .query::<WorkspaceId>("workspace_id", "Only those of this workspace.")
    .ok::<DroppedStale>("How many were dropped.")
    .fails(&[Kind::Invalid]);
}
