//! Waiting at the front door for a request that somebody else carries.

use std::time::Duration;

use domain::{
    Result,
    request::{Request, State},
};
use edge::App;
use jiff::Timestamp;
use store::ledger::Ledger as _;
use tokio::time::{Instant, sleep};

use crate::outcome::{Body, Outcome};

/// How often the ledger is asked: often at first, when the answer is near.
const FIRST: Duration = Duration::from_millis(500);
const LAST: Duration = Duration::from_secs(2);

/// What is left of the hold window, counted from when the gateway took the request.
pub(crate) fn window(received_at: Timestamp, hold: Duration) -> Duration {
    let passed = Timestamp::now().duration_since(received_at);
    hold.saturating_sub(Duration::try_from(passed).unwrap_or_default())
}

/// The request once it has ended; none when the window closes before.
pub(crate) async fn ended(
    app: &App,
    request: &Request,
    window: Duration,
) -> Result<Option<Request>> {
    let end = Instant::now() + window;
    let mut pause = FIRST;
    loop {
        let Some(found) = app.store.request(request.id).await? else {
            return Ok(None);
        };
        if found.state.is_final() {
            return Ok(Some(found));
        }
        if Instant::now() + pause > end {
            return Ok(None);
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(LAST);
    }
}

/// What the caller of a request that has ended is told.
pub(crate) async fn outcome(app: &App, request: &Request) -> Result<Outcome> {
    if request.state != State::Completed {
        let told = request.told.as_deref();
        let told = told.and_then(|told| serde_json::from_str(told).ok());
        return Ok(told.unwrap_or(Outcome::Busy { native: false }));
    }
    let status = request.result_status.unwrap_or(200);
    let Some(id) = request.result else {
        return Ok(Outcome::Answered {
            status,
            body: Body::Text("null".to_owned()),
        });
    };
    let bytes = app
        .store
        .body(id, Timestamp::now())
        .await?
        .unwrap_or_default();
    let body = Body::of(&bytes);
    Ok(if body.fits() {
        Outcome::Answered { status, body }
    } else {
        Outcome::TooLong {
            status,
            result_url: app.store.body_url(id).await?,
        }
    })
}
