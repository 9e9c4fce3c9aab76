//! `POST /registry/register`: an agent says where it answers (contract: registry-and-auth 8.1).

use std::net::IpAddr;

use domain::{
    Error, Kind, Mode, Result, WorkspaceId, address::Reach, lifecycle::Wanted, token::Token,
    workspace::Status,
};
use edge::{
    App, Bearer, Caller, Input, Reply,
    http::Fields,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{
    beats::Beat,
    ledger::Gate,
    tokens::{self, Credential},
    workspaces::{DeliveryMode, Meta, Parts, Registered, Registration, Workspace},
};

/// The most a registration may be, and its card within it, in bytes.
const MAX_BYTES: usize = 256 * 1024;
const MAX_CARD_BYTES: usize = 64 * 1024;
/// How often a registration that met another change is decided anew.
const TRIES: usize = 4;

/// A registration as agents send it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(example = serde_json::json!({
    "id": "3f0c2a4e-7b1d-4c58-9a6f-1d2e3c4b5a69",
    "delivery_mode": "poll",
    "agent_card": {"name": "Carol"},
}))]
pub struct RegisterRequest {
    id: String,
    /// Not needed where messages are fetched.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    url: String,
    /// At most 64 KB of JSON; an A2A card, as a rule.
    #[serde(default, deserialize_with = "Fields::any")]
    #[schemars(required)]
    agent_card: Option<Value>,
    /// `poll`: the agent has no URL and fetches its messages from its activity.
    #[serde(default)]
    delivery_mode: Option<DeliveryMode>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RegisterReply {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_mode: Option<DeliveryMode>,
    /// Only when this call minted one; it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<String>,
}

struct Parsed {
    id: WorkspaceId,
    url: String,
    mode: DeliveryMode,
    card: Value,
}

impl RegisterRequest {
    fn parse(self) -> Result<Parsed> {
        let refused = || Error::invalid("invalid request body");
        let mode = self.delivery_mode.unwrap_or_default();
        if self.id.is_empty() || (mode == DeliveryMode::Push && self.url.is_empty()) {
            return Err(refused());
        }
        let card = self.agent_card.ok_or_else(refused)?;
        if card.to_string().len() > MAX_CARD_BYTES {
            return Err(Error::too_large(MAX_CARD_BYTES));
        }
        Ok(Parsed {
            id: self.id.parse()?,
            url: self.url,
            mode,
            card,
        })
    }
}

/// Registers an agent: who it is first, then where it answers, then one transaction.
///
/// # Errors
/// 400 (also for an address that may not be called: the reason is logged, not told), 401, 404 for
/// a removed workspace, 409 for one a person or the idle sweep stopped.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let request: RegisterRequest = input.json(MAX_BYTES, "invalid request body")?;
    let parsed = request.parse()?;
    let mut checked = false;
    for _ in 0..TRIES {
        let (rows, credential) = app
            .rows(&caller, Parts::WithMachine.keys(parsed.id))
            .await?;
        let known = rows.workspace(parsed.id)?;
        let rights = Rights::of(app.settings.mode, &caller, credential.as_ref(), parsed.id);
        let recorded = known.as_ref().and_then(Workspace::recorded);
        let target = decide(app.settings.mode, &caller, rights, known)?;
        if target.has_failed() && rights != Rights::Operator && is_stopping(app, parsed.id).await? {
            return Err(stopped(Status::Failed));
        }
        if !checked {
            check_url(app, &parsed, recorded).await?;
            checked = true;
        }
        if let Some(reply) = write(app, &parsed, target, &input).await? {
            return Ok(reply);
        }
    }
    Err(Error::unavailable(
        "registration kept meeting other changes",
    ))
}

/// What a caller may do on this route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    /// Nothing was proven.
    None,
    /// It holds a live token of the workspace.
    Own,
    /// It is an operator.
    Operator,
}

impl Rights {
    fn of(mode: Mode, caller: &Caller, credential: Option<&Credential>, id: WorkspaceId) -> Self {
        match edge::auth::own(mode, caller, id, credential) {
            Ok(edge::Identity::Workspace(_)) => Self::Own,
            Ok(identity) if caller.bearer != Bearer::None && identity.is_operator() => {
                Self::Operator
            }
            Ok(_) | Err(_) => Self::None,
        }
    }
}

/// What to write to.
enum Target {
    /// A workspace as it is, and whether to mint its token.
    Known {
        before: Box<Beat>,
        gate: Gate,
        mint: bool,
    },
    /// A workspace nobody created: a new root.
    Stranger,
}

impl Target {
    fn has_failed(&self) -> bool {
        matches!(self, Self::Known { before, .. } if before.status == Status::Failed)
    }
}

/// Whether its machine is on its way down, because it took too long: who registers from it now is
/// gone in a moment, and nothing would start it anew. An operator may run it elsewhere. Read after
/// the status: whatever changes one changes both.
async fn is_stopping(app: &App, id: WorkspaceId) -> Result<bool> {
    let machine = app.store.machine(id).await?;
    Ok(machine.is_some_and(|it| it.ours && it.wanted != Wanted::Running))
}

/// Who may register what (decisions 3 to 6 and 38).
fn decide(mode: Mode, caller: &Caller, rights: Rights, known: Option<Workspace>) -> Result<Target> {
    let unproven = || {
        Error::unauthenticated(match caller.bearer {
            Bearer::None => "missing workspace auth token",
            Bearer::Admin | Bearer::Token(_) => "invalid workspace auth token",
        })
    };
    let open = mode.doors_open();
    let Some(workspace) = known else {
        return match rights {
            Rights::Operator => Ok(Target::Stranger),
            Rights::None if open => Ok(Target::Stranger),
            Rights::Own | Rights::None => Err(unproven()),
        };
    };
    let Some(before) = workspace.beat else {
        // Its tokens died with it, so nobody but an operator can be told more than "no".
        return match rights {
            Rights::None if !open => Err(unproven()),
            Rights::None | Rights::Own | Rights::Operator => {
                Err(Error::missing("workspace not found"))
            }
        };
    };
    match rights {
        Rights::Own | Rights::Operator => {}
        Rights::None if open && !before.has_tokens => {}
        Rights::None => return Err(unproven()),
    }
    if !before.status.may_register() {
        return Err(stopped(before.status));
    }
    let mint = !before.has_tokens;
    let gate = workspace.load.map_or(Gate::Open, |load| load.gate);
    Ok(Target::Known {
        before: Box::new(before),
        gate,
        mint,
    })
}

fn stopped(status: Status) -> Error {
    Error::conflict(format!("workspace is {status}")).with("status", status.as_str())
}

/// Its address may be called from here, or is that of its own machine.
async fn check_url(app: &App, parsed: &Parsed, recorded: Option<IpAddr>) -> Result<()> {
    if parsed.url.is_empty() {
        return Ok(());
    }
    let reach = Reach::from(app.settings.mode).with_recorded(recorded);
    if let Err(reason) = app.names.reachable(&parsed.url, &reach).await {
        tracing::info!(workspace_id = %parsed.id, %reason, "an agent's address was refused");
        return Err(Error::invalid("invalid request body"));
    }
    Ok(())
}

/// Writes, and answers unless something changed in between.
async fn write(app: &App, parsed: &Parsed, target: Target, input: &Input) -> Result<Option<Reply>> {
    let mint = !matches!(target, Target::Known { mint: false, .. });
    let token: Option<Token> = mint.then(tokens::fresh).transpose()?;
    let registration = Registration {
        id: parsed.id,
        url: &parsed.url,
        delivery_mode: parsed.mode,
        agent_card: &parsed.card,
        token: token.as_ref(),
    };
    let outcome = match target {
        Target::Known { before, gate, .. } => {
            app.store
                .register(&registration, &before, gate, input.now)
                .await?
        }
        Target::Stranger => {
            let meta = stranger(parsed, input);
            app.store
                .register_stranger(&registration, &meta, input.now)
                .await?
        }
    };
    Ok(match outcome {
        Registered::Raced => None,
        Registered::Yes => Some(Reply::ok(&RegisterReply {
            status: "registered",
            delivery_mode: (parsed.mode == DeliveryMode::Poll).then_some(DeliveryMode::Poll),
            auth_token: token.map(|token| token.reveal().to_owned()),
        })),
    })
}

/// A workspace as the reference makes one for an unknown id: a root named by its id.
fn stranger(parsed: &Parsed, input: &Input) -> Meta {
    Meta {
        url: parsed.url.clone(),
        delivery_mode: parsed.mode,
        ..Meta::new(parsed.id, &parsed.id.to_string(), "langgraph", input.now)
    }
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "Says where an agent answers";
    api.route("register", "POST /registry/register", Who::Own, summary)
        .about(
            "400 also for an address that may not be called. 409 with its `status` for a workspace that \
             a person or the idle sweep stopped.",
        )
        .body::<RegisterRequest>(MAX_BYTES)
        .ok::<RegisterReply>("It is online.")
        .fails(&[Kind::Missing, Kind::Conflict]);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0a1b2c3d-0000-4000-8000-00000000000f";

    fn parse(body: &str) -> Result<Parsed> {
        serde_json::from_str::<RegisterRequest>(body)
            .map_err(|_| Error::invalid("invalid request body"))?
            .parse()
    }

    #[test]
    fn the_card_may_be_anything_but_absent() {
        for card in ["null", "{}", "[1]", "\"x\"", "7"] {
            let body = format!(r#"{{"id":"{ID}","url":"http://a.example","agent_card":{card}}}"#);
            let parsed = parse(&body).expect(card);
            assert_eq!(
                parsed.card,
                serde_json::from_str::<Value>(card).expect(card)
            );
        }
        assert!(parse(&format!(r#"{{"id":"{ID}","url":"http://a.example"}}"#)).is_err());
    }

    #[test]
    fn only_poll_mode_goes_without_url() {
        assert!(parse(&format!(r#"{{"id":"{ID}","agent_card":{{}}}}"#)).is_err());
        assert!(parse(&format!(r#"{{"id":"{ID}","url":"","agent_card":{{}}}}"#)).is_err());
        let poll = format!(r#"{{"id":"{ID}","delivery_mode":"poll","agent_card":{{}}}}"#);
        assert_eq!(parse(&poll).expect("fine").mode, DeliveryMode::Poll);
        let odd = format!(r#"{{"id":"{ID}","delivery_mode":"pigeon","agent_card":{{}}}}"#);
        assert!(parse(&odd).is_err());
    }

    #[test]
    fn a_card_over_64_kb_is_too_large() {
        let card = "x".repeat(MAX_CARD_BYTES);
        let body = format!(r#"{{"id":"{ID}","url":"http://a.example","agent_card":"{card}"}}"#);
        let refused = parse(&body).err().expect("too large");
        assert_eq!(refused.kind(), Kind::TooLarge);
    }
}
