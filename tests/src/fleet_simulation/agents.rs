//! What machines do by themselves: boot, prove themselves, register, beat; and what becomes of them.

use domain::token::TokenHash;
use fleet::machines::{Machine, MachineId, State, fake::Op};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    sim::{Effect, Sim},
    yard::{Ask, Route, proof},
};

/// How long a machine that was rebooted by nobody's wish is refused before it goes on with the token
/// it has (docs/architecture.md, Booting).
const GOES_ON: SignedDuration = SignedDuration::from_mins(2);

/// What runs on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Runs {
    /// Nothing.
    Nothing,
    /// The boot script, which has not proven itself yet.
    Boot,
    /// The agent, which has not registered yet.
    Agent(String),
    /// The agent, which has.
    Registered(String),
}

/// A machine's inside.
#[derive(Debug, Clone)]
pub(super) struct Agent {
    pub(super) runs: Runs,
    state: State,
    since: Timestamp,
    /// Which of its boots this is: what an earlier one hears is lost.
    boot: u32,
    /// The token its disk has.
    disk: Option<String>,
    busy: bool,
}

impl Sim {
    /// Notices what became of machines: those that came up boot, of those that went down EC2 tells.
    pub(super) fn look_at_machines(&mut self) {
        let now = self.now();
        let alive = self.ec2.alive();
        let ours = alive.iter().filter(|it| !self.foreign.contains(&it.id));
        let mut went = Vec::new();
        let mut seen = Vec::new();
        for Machine { id, state, .. } in ours {
            seen.push(id.clone());
            let agent = self.agents.entry(id.clone()).or_insert(Agent {
                runs: Runs::Nothing,
                state: State::Pending,
                since: now,
                boot: 0,
                disk: None,
                busy: false,
            });
            if *state == State::Running && agent.runs == Runs::Nothing {
                agent.boots(now);
            }
            if *state != State::Running && agent.runs != Runs::Nothing {
                agent.ends();
            }
            if agent.state != *state && *state == State::Stopped {
                went.push(id.clone());
            }
            agent.state = *state;
        }
        let gone: Vec<_> = self
            .agents
            .keys()
            .filter(|id| !seen.contains(id))
            .cloned()
            .collect();
        for id in gone {
            self.agents.remove(&id);
            went.push(id);
        }
        let strayed = if self.is_calm() {
            0.0
        } else {
            self.plan.chances.strayed
        };
        for id in went {
            if !self.chance(strayed) {
                self.told.push(id);
            }
        }
    }

    /// A reboot cannot be seen from outside: whoever asks for one does it.
    pub(super) fn touched(&mut self, op: Op, id: &MachineId) {
        let now = self.now();
        if op == Op::Reboot
            && let Some(agent) = self
                .agents
                .get_mut(id)
                .filter(|it| it.state == State::Running)
        {
            agent.ends();
            agent.boots(now);
        }
        self.look_at_machines();
    }

    /// The next thing that the agent of a machine does.
    pub(super) async fn agent_acts(&mut self, id: &MachineId) {
        let Some(agent) = self.agents.get_mut(id).filter(|it| !it.busy) else {
            return;
        };
        agent.busy = true;
        let (boot, runs) = (agent.boot, agent.runs.clone());
        let owner = self
            .ec2
            .alive()
            .into_iter()
            .find(|it| it.id == *id)
            .and_then(|it| it.owner);
        let workspace = owner
            .map(|it| it.workspace_id.to_string())
            .unwrap_or_default();
        let (route, bearer, body) = match &runs {
            Runs::Nothing => return self.heard(id, boot, 0, &Value::Null),
            Runs::Boot => (Route::Exchange, "", proof(id.as_str(), self.now())),
            Runs::Agent(token) => {
                let card = json!({"id": workspace, "url": "https://8.8.8.8/", "agent_card": {}});
                (Route::Register, token.as_str(), card)
            }
            Runs::Registered(token) => (
                Route::Beat,
                token.as_str(),
                json!({"workspace_id": workspace}),
            ),
        };
        let ask = Ask {
            route,
            id: String::new(),
            query: "",
            bearer: bearer.to_owned(),
            body,
            now: self.now(),
        };
        let (yard, machine, same) = (self.yard, id.clone(), id.clone());
        let work = async move {
            let (status, body) = yard.ask(ask).await;
            let effect: Effect = Box::new(move |sim| sim.heard(&machine, boot, status, &body));
            effect
        };
        let fails = move |sim: &mut Self| sim.heard(&same, boot, 0, &Value::Null);
        self.start(format!("{route:?} by {id}"), 29, work, fails)
            .await;
    }

    /// What a machine hears; status 0 is nothing.
    fn heard(&mut self, id: &MachineId, boot: u32, status: u16, body: &Value) {
        let (now, given) = (self.now(), body["token"].as_str());
        if status == 200
            && let Some(token) = given
        {
            let workspace = body["workspace_id"].as_str().and_then(|id| id.parse().ok());
            let workspace = workspace.expect("an id");
            let generation = body["generation"]
                .as_u64()
                .and_then(|it| u32::try_from(it).ok());
            let key = (workspace, generation.expect("a generation"));
            let first = self.passed.entry(key).or_insert(id.clone()).clone();
            if first != *id {
                self.violation(format!("{first} and {id} both passed for {key:?}"));
            }
            self.held
                .push((workspace, id.clone(), TokenHash::of(token)));
        }
        self.note(|| format!("{id} hears {status}"));
        let Some(agent) = self.agents.get_mut(id) else {
            return;
        };
        agent.busy = false;
        if agent.boot != boot {
            return;
        }
        match (&agent.runs, status) {
            (Runs::Boot, 200) => {
                let token = given.unwrap_or_default().to_owned();
                agent.disk = Some(token.clone());
                agent.runs = Runs::Agent(token);
            }
            (Runs::Boot, 401) if agent.since + GOES_ON < now => {
                if let Some(token) = agent.disk.clone() {
                    agent.runs = Runs::Agent(token);
                }
            }
            (Runs::Agent(token), 200) => agent.runs = Runs::Registered(token.clone()),
            _ => {}
        }
        self.look_at_tokens();
    }

    /// At no time two machines may hold a live token of one workspace.
    pub(super) fn look_at_tokens(&mut self) {
        let table = self.dynamo.clone();
        self.held.retain(|(_, _, hash)| {
            let key = store::keys::credential(hash);
            table.table().get(&(key.pk, key.sk)).is_some()
        });
        let clash = self
            .held
            .iter()
            .enumerate()
            .find_map(|(n, (id, machine, _))| {
                let others = self.held.iter().skip(n + 1);
                let mut others = others.filter(|other| other.0 == *id && other.1 != *machine);
                Some((*id, machine.clone(), others.next()?.1.clone()))
            });
        if let Some(clash) = clash {
            self.violation(format!("two machines hold a live token: {clash:?}"));
        }
    }
}

impl Agent {
    fn boots(&mut self, now: Timestamp) {
        (self.runs, self.since) = (Runs::Boot, now);
    }

    fn ends(&mut self) {
        self.runs = Runs::Nothing;
        self.boot += 1;
    }
}

impl Agent {
    /// Whether it has still to prove itself, or to register.
    pub(super) fn comes_up(&self) -> bool {
        matches!(self.runs, Runs::Boot | Runs::Agent(_))
    }

    /// Whether EC2 takes it up or down.
    pub(super) fn is_moving(&self) -> bool {
        !matches!(self.state, State::Running | State::Stopped)
    }
}
