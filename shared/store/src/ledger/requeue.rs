//! Putting a request back in line, and looking at it later.

use domain::{
    Result,
    request::{Hold, LOOK_AGAIN, Request, State, Step},
};
use jiff::Timestamp;

use super::{Entry, Gate};
use crate::{
    Store, TransactError,
    expr::{Change, Write},
    keys,
    ops::UpdateError,
};

impl Store {
    pub(super) async fn put_back(
        &self,
        request: &Request,
        hold: Hold,
        why: &str,
        redelivered: bool,
        now: Timestamp,
    ) -> Result<bool> {
        if !matches!(request.state, State::Offered | State::Running) {
            return Ok(false);
        }
        let mut waiting = request.clone();
        waiting.state = State::Waiting;
        waiting.hold = hold;
        let step = Step {
            at: now,
            state: State::Waiting,
            note: Some(why.to_owned()),
        };
        let row = Change::at(keys::request(request.id))
            .naming("state")
            .naming("fence")
            .when("#state = :was AND #fence = :fence")
            .with("was", request.state)
            .with("fence", request.fence)
            .set("state", State::Waiting)
            .set("hold", hold)
            .set("redelivered", redelivered)
            .set("error", why)
            .set(
                keys::DUE.sk,
                keys::due_at(request.valid_until, &request.id.to_string()),
            )
            .remove("lease_until")
            .append("timeline", step);
        let look = hold
            .ends_at()
            .unwrap_or(now + LOOK_AGAIN)
            .min(now + LOOK_AGAIN);
        let load = Change::at(keys::load(request.target))
            .naming("gate")
            .when("attribute_exists(pk) AND #gate <> :closed")
            .with("closed", Gate::Closed)
            .count("running", -1)
            .count("waiting", 1)
            .set(keys::DUE.pk, keys::due("LINE", keys::shard(request.target)))
            // Never later than the others in line are looked at; by the minute, a hold that ends
            // earlier is not worth a second write.
            .set_if_absent(
                keys::DUE.sk,
                keys::due_at(look, &request.target.to_string()),
            );
        let load = if request.slot {
            load.remove_entry("slots", &request.id.to_string())
        } else {
            load
        };
        let place = keys::in_line(request.target, &request.line_key());
        let writes = [
            row.into(),
            load.into(),
            Write::put(place, &Entry::of(&waiting)),
        ];
        match self.transact(writes).await {
            Ok(()) => {}
            Err(TransactError::Cancelled(_)) => return Ok(false),
            Err(TransactError::Failed(error)) => return Err(error),
        }
        self.hint(request.target, true).await?;
        Ok(true)
    }

    pub(super) async fn postpone_due(&self, request: &Request, at: Timestamp) -> Result<()> {
        let change = Change::at(keys::request(request.id))
            .naming("state")
            .naming("fence")
            .when("#state = :was AND #fence = :fence")
            .with("was", request.state)
            .with("fence", request.fence)
            .set(keys::DUE.sk, keys::due_at(at, &request.id.to_string()));
        match self.update(change).await {
            Ok(_) | Err(UpdateError::Refused(_)) => Ok(()),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }
}
