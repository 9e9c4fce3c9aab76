//! Those who send messages: by the front door or, as delegations come, by a job.

use domain::{
    BodyId, Error, RequestId, Result,
    activity::Source,
    request::{Hold, Idempotency, Request, State},
};
use jiff::SignedDuration;
use messages::flow::{
    deliver::Call,
    front::{self, Answer, Arrival},
};
use store::ledger::{Accepted, Gate, Ledger as _};
use uuid::Uuid;

use super::{
    plan::Letter,
    run::{Sim, Told},
};

/// How long the front door is held open.
const HOLD: SignedDuration = SignedDuration::from_secs(25);

impl Sim {
    /// Sends a message, and again when it heard nothing or feels like it.
    pub(super) async fn client(self, letter: Letter) {
        let shared = self.shared().clone();
        shared.sleep(letter.at).await;
        let mut spare = letter.repeats;
        for _ in 0..6 {
            let sent = async {
                if letter.by_queue {
                    self.by_job(&letter).await
                } else {
                    self.by_door(&letter).await
                }
            };
            let name = if letter.by_queue {
                "delegate"
            } else {
                "dispatch"
            };
            let told = match shared.process(name, sent).await {
                Some(Ok(told)) => told,
                Some(Err(_)) | None => Told::Nothing,
            };
            shared.note(|| format!("client of message {} hears {told:?}", letter.number));
            let heard = !matches!(told, Told::Nothing);
            self.told().entry(letter.number).or_default().push(told);
            if !letter.named || (heard && spare == 0) {
                break;
            }
            spare = spare.saturating_sub(usize::from(heard));
            shared.pause(500..9000).await;
        }
        *self.clients() -= 1;
    }

    /// The request that a letter becomes when it is sent now.
    pub(super) fn request(&self, letter: &Letter) -> Result<Request> {
        let missing = || Error::missing("no such worker");
        let worker = self.plan().workers.get(letter.worker).ok_or_else(missing)?;
        let id = self.shared().roll(|rng| rng.u128(..));
        let now = self.shared().now();
        let wait = SignedDuration::try_from(letter.expires_in).map_err(Error::internal)?;
        Ok(Request {
            id: RequestId::from_uuid(Uuid::from_u128(id)),
            caller: Source::Person,
            target: worker.id,
            method: "message/send".to_owned(),
            message_id: String::new(),
            body: BodyId::from_uuid(Uuid::from_u128(id)),
            chain: vec![worker.id],
            slot: !worker.native,
            state: State::Offered,
            fence: 1,
            attempts: 0,
            accepted_at: now,
            lease_until: None,
            started_at: None,
            ended_at: None,
            delivery_confirmed: false,
            result: None,
            result_status: None,
            error: None,
            told: None,
            priority: letter.priority,
            valid_until: now + wait,
            hold: Hold::None,
            redelivered: false,
            idempotency: letter.named.then(|| Idempotency {
                key: letter.number.to_string(),
                digest: String::new(),
            }),
            delegation: None,
            fire: None,
            native: worker.native,
            trace: None,
            timeline: Vec::new(),
        })
    }

    async fn by_door(&self, letter: &Letter) -> Result<Told> {
        let request = self.request(letter)?;
        let body = format!("{} {}", letter.number, request.id).into_bytes();
        let gate = {
            let state = self.world().state();
            state
                .places
                .get(&request.target)
                .map(|place| place.load.gate)
        };
        let call = (gate == Some(Gate::Open)).then(|| Call {
            url: request.target.to_string(),
            recorded: None,
            body: String::from_utf8_lossy(&body).into_owned(),
            target_name: String::new(),
            idle_timeout_seconds: None,
            deadline: None,
        });
        let arrival = Arrival {
            request: &request,
            body: &body,
            call,
            until: self.shared().now() + HOLD,
            refuses_others: true,
        };
        let answer = front::take(&self.flow(), self, arrival).await?;
        Ok(Told::Answer(answer))
    }

    async fn by_job(&self, letter: &Letter) -> Result<Told> {
        use messages::flow::Shelf as _;
        let request = self.request(letter)?;
        let body = format!("{} {}", letter.number, request.id).into_bytes();
        let world = self.world();
        world.put(request.body, &body, request.accepted_at).await?;
        Ok(match world.accept(&request, true).await? {
            Accepted::Offered | Accepted::Waiting => Told::Accepted(request.id),
            Accepted::Repeat { of, .. } => Told::Accepted(of),
            Accepted::QueueFull(depth) => Told::Answer(Answer::QueueFull(depth)),
            Accepted::ShareTaken(depth) => Told::Answer(Answer::ShareTaken(depth)),
            Accepted::Paused => Told::Answer(Answer::Paused),
            Accepted::Closed => Told::Answer(Answer::Closed),
        })
    }
}
