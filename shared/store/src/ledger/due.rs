//! What is due, and the ledger's operations by name.

use domain::{
    RequestId, Result, WorkspaceId,
    lifecycle::Act,
    request::{Hold, LEASE, Request, State, Step},
};
use jiff::{SignedDuration, Timestamp};

use super::{Accepted, Backlog, Due, Ended, Ending, Entry, Ledger, Line, PendingJob, rows::Row};
use crate::{
    Store,
    expr::Change,
    keys::{self, DUE, Key, SHARDS},
    lifecycle::Ask,
    ops::{UpdateError, read},
};

impl Store {
    async fn backlog(&self, now: Timestamp, limit: i32) -> Result<Backlog> {
        let mut backlog = Backlog::default();
        let jobs = self.due_of("JOB", now, limit, &mut backlog).await?;
        let mut rows = self.rows(jobs.iter().cloned()).await?;
        for key in &jobs {
            let job = rows.take::<PendingJob>(key)?;
            backlog.due.extend(job.map(Due::Job));
        }
        for key in self.due_of("REQUEST", now, limit, &mut backlog).await? {
            let id = key.pk.strip_prefix("REQUEST#");
            let id = id.and_then(|id| id.parse().ok());
            backlog.due.extend(id.map(Due::Request));
        }
        for key in self.due_of("LINE", now, limit, &mut backlog).await? {
            let id = key.pk.strip_prefix("WS#");
            let id = id.and_then(|id| id.parse().ok());
            backlog.due.extend(id.map(Due::Line));
        }
        Ok(backlog)
    }

    async fn due_of(
        &self,
        kind: &str,
        now: Timestamp,
        limit: i32,
        backlog: &mut Backlog,
    ) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        for shard in 0..SHARDS {
            let partition = keys::due(kind, shard);
            let until = keys::due_at(now, "~");
            let found = self.due_keys(DUE, partition, until, limit).await?;
            backlog.more |= i32::try_from(found.len()).is_ok_and(|found| found >= limit);
            for (key, due_at) in found {
                let since = keys::due_time(&due_at);
                backlog.oldest = backlog.oldest.into_iter().chain(since).min();
                keys.push(key);
            }
        }
        Ok(keys)
    }

    async fn claim_request(
        &self,
        id: RequestId,
        fence: u32,
        now: Timestamp,
    ) -> Result<Option<Request>> {
        let step = Step {
            at: now,
            state: State::Running,
            note: None,
        };
        let lease = now + LEASE;
        let change = Change::at(keys::request(id))
            .naming("state")
            .naming("fence")
            .when("#state = :offered AND #fence = :fence")
            .with("offered", State::Offered)
            .with("fence", fence)
            .set("state", State::Running)
            .set("started_at", now.as_microsecond())
            .set("lease_until", lease.as_microsecond())
            .set(DUE.sk, keys::due_at(lease, &id.to_string()))
            .count("attempts", 1)
            .append("timeline", &step);
        match self.update(change).await {
            Ok(Some(before)) => {
                let mut request = Request::from(read::<Row>(before)?);
                request.state = State::Running;
                request.started_at = Some(now);
                request.lease_until = Some(lease);
                request.attempts += 1;
                request.timeline.push(step);
                Ok(Some(request))
            }
            Ok(None) | Err(UpdateError::Refused(_)) => Ok(None),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }

    async fn renew_lease(&self, id: RequestId, fence: u32, now: Timestamp) -> Result<bool> {
        // The due entry stays where it is: the sweep that meets it moves it, which costs one write
        // a minute instead of four.
        let change = Change::at(keys::request(id))
            .naming("state")
            .naming("fence")
            .when("#state = :running AND #fence = :fence")
            .with("running", State::Running)
            .with("fence", fence)
            .set("lease_until", (now + LEASE).as_microsecond());
        match self.update(change).await {
            Ok(_) => Ok(true),
            Err(UpdateError::Refused(_)) => Ok(false),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }
}

impl Ledger for Store {
    async fn accept(&self, request: &Request, by_queue: bool) -> Result<Accepted> {
        self.accept_request(request, by_queue).await
    }

    async fn request(&self, id: RequestId) -> Result<Option<Request>> {
        let key = keys::request(id);
        let row: Option<Row> = self.rows([key.clone()]).await?.take(&key)?;
        Ok(row.map(Request::from))
    }

    async fn claim(&self, id: RequestId, fence: u32, now: Timestamp) -> Result<Option<Request>> {
        self.claim_request(id, fence, now).await
    }

    async fn renew(&self, id: RequestId, fence: u32, now: Timestamp) -> Result<bool> {
        self.renew_lease(id, fence, now).await
    }

    async fn finish(&self, request: &Request, ending: &Ending, now: Timestamp) -> Result<Ended> {
        self.end_request(request, ending, now).await
    }

    async fn requeue(
        &self,
        request: &Request,
        hold: Hold,
        why: &str,
        redelivered: bool,
        now: Timestamp,
    ) -> Result<bool> {
        self.put_back(request, hold, why, redelivered, now).await
    }

    async fn line(&self, target: WorkspaceId) -> Result<Option<Line>> {
        self.line_of(target).await
    }

    async fn place(&self, request: &Request) -> Result<(usize, usize)> {
        self.place_in_line(request).await
    }

    async fn offer(&self, target: WorkspaceId, entry: &Entry, now: Timestamp) -> Result<bool> {
        self.offer_entry(target, entry, now).await
    }

    async fn look_again(&self, target: WorkspaceId, at: Option<Timestamp>) -> Result<()> {
        self.rest(target, at).await
    }

    async fn wake(
        &self,
        target: WorkspaceId,
        boot_within: Option<SignedDuration>,
        now: Timestamp,
    ) -> Result<()> {
        let ask = Ask::new(&Act::Wake, boot_within, now);
        self.act(target, &ask).await.map(drop)
    }

    async fn due(&self, now: Timestamp, limit: i32) -> Result<Backlog> {
        self.backlog(now, limit).await
    }

    async fn postpone(&self, request: &Request, at: Timestamp) -> Result<()> {
        self.postpone_due(request, at).await
    }

    async fn sent(&self, job: &PendingJob) -> Result<()> {
        self.forget_job(job.id).await
    }
}
