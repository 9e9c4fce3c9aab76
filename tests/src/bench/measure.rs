//! The measuring: starts in turn, then calls in turn.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    aws::Aws,
    environment::Stack,
    function::{Function, Plan, Start},
    talk::{ADMIN, Talk},
};
use crate::{Agent, template::Template};

/// What everything is compared with.
pub const BARE: &str = "bare";
/// One function of each domain: what a start costs depends on the binary.
const STARTED: [&str; 8] = [
    "registry.heartbeat",
    "messages.dispatch",
    "activity.notify",
    "events.list",
    "workspaces.get",
    "fleet.silent",
    "templates.list",
    "schedules.crud",
];
/// What is called, by the name it has in the table.
const CALLED: [(&str, &str); 4] = [
    (BARE, BARE),
    ("heartbeat", "registry.heartbeat"),
    ("notify", "activity.notify"),
    ("dispatch", "messages.dispatch"),
];
/// Works while `dispatch` is called.
const DELIVER: &str = "messages.deliver";
/// Calls of one function before the next one's turn.
const BLOCK: usize = 20;
/// Calls that are not counted: buffers grow, connections open.
pub const WARM: usize = 100;

/// What is measured, and how often.
#[derive(Debug, Clone)]
pub struct Effort {
    /// The folder with the release binaries.
    pub binaries: PathBuf,
    /// What functions write goes there.
    pub log: PathBuf,
    /// How often each is started.
    pub starts: usize,
    /// How often each is called.
    pub calls: usize,
}

/// The calls of one function.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    /// The CPU of those that count.
    pub cpu: Duration,
    /// How many those are.
    pub count: u32,
    /// How long each took, here; none of who is not called by us.
    pub walls: Vec<Duration>,
    /// Bytes in RAM after the first hundred, and at the end.
    pub resident: (u64, u64),
}

/// What was measured.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Starts, by handler.
    pub starts: BTreeMap<String, Vec<Start>>,
    /// Calls, by name.
    pub calls: BTreeMap<String, Calls>,
}

/// Measures all of it. Nothing else should work on this machine meanwhile; if something does, it
/// slows the bare function as well.
///
/// # Errors
/// A function failed, or asked AWS for something that is not there.
pub async fn measure(effort: &Effort) -> Result<Measured, String> {
    let aws = Aws::start().await;
    let bench = Bench::new(effort, &aws);
    let mut measured = Measured {
        starts: bench.starts().await?,
        ..Measured::default()
    };
    measured.calls = bench.calls(&aws).await?;
    match aws.unknown().as_slice() {
        [] => Ok(measured),
        unknown => Err(format!("the functions asked for {unknown:?}")),
    }
}

struct Bench<'a> {
    effort: &'a Effort,
    stack: Stack,
}

impl<'a> Bench<'a> {
    fn new(effort: &'a Effort, aws: &Aws) -> Self {
        // Closed, and agents may be on the loopback.
        let parameters = [("AdminToken", ADMIN), ("MoleculeEnv", "development")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let stack = Stack {
            aws: aws.url(),
            parameters: parameters.into(),
        };
        Self { effort, stack }
    }

    /// Whether its binary is there; all that must be there fail by themselves.
    fn is_built(&self, handler: &str) -> bool {
        let domain = handler.split('.').next().unwrap_or(handler);
        self.effort.binaries.join(domain).is_file()
    }

    async fn start(&self, handler: &str) -> Result<Function, String> {
        Function::start(&self.plan(handler)?, &self.effort.log).await
    }

    fn plan(&self, handler: &str) -> Result<Plan, String> {
        let template = Template::ours();
        if handler == BARE {
            return Ok(Plan {
                handler: BARE.to_owned(),
                binary: self.effort.binaries.join(BARE),
                environment: BTreeMap::new(),
                memory: 256,
            });
        }
        let function = template.functions().find(|it| it.handler() == handler);
        let function = function.ok_or_else(|| format!("the template has no {handler}"))?;
        Ok(Plan {
            handler: handler.to_owned(),
            binary: self.effort.binaries.join(function.domain()),
            environment: self.stack.environment(template, &function),
            memory: function.property("MemorySize").as_u64().unwrap_or(256),
        })
    }

    /// Each is started in turn: so a slow minute slows all of them.
    async fn starts(&self) -> Result<BTreeMap<String, Vec<Start>>, String> {
        let mut starts: BTreeMap<String, Vec<Start>> = BTreeMap::new();
        for _ in 0..self.effort.starts {
            for handler in [BARE]
                .into_iter()
                .chain(STARTED)
                .filter(|it| self.is_built(it))
            {
                let started = self.start(handler).await?;
                let all = starts.entry(handler.to_owned()).or_default();
                all.push(started.start);
            }
        }
        Ok(starts)
    }

    async fn calls(&self, aws: &Aws) -> Result<BTreeMap<String, Calls>, String> {
        let agent = Agent::start().await;
        let register = self.start("registry.register").await?;
        let talk = Talk::new(&register, &agent.url).await?;
        let mut deliver = None;
        if self.is_built(DELIVER) {
            let started = Arc::new(self.start(DELIVER).await?);
            aws.invokes(Arc::clone(&started));
            deliver = Some(started);
        }
        let mut running = Vec::new();
        for (what, handler) in CALLED.into_iter().filter(|(_, it)| self.is_built(it)) {
            running.push((what, self.start(handler).await?));
        }
        let mut all: BTreeMap<String, Calls> = BTreeMap::new();
        let mut done = 0;
        while done < self.effort.calls {
            for (what, function) in &running {
                let mut watched: Vec<(&str, &Function)> = vec![(what, function)];
                if let ("dispatch", Some(deliver)) = (*what, &deliver) {
                    watched.push(("deliver", &**deliver));
                }
                let mut before = Vec::new();
                for (_, function) in &watched {
                    before.push(function.cpu()?);
                }
                let mut walls = Vec::new();
                for number in done..done + BLOCK {
                    let request = talk.request(what, number);
                    let began = Instant::now();
                    function.call(&request).await?;
                    walls.push(began.elapsed());
                }
                for ((called, function), before) in watched.into_iter().zip(before) {
                    let used = function.cpu()?.saturating_sub(before);
                    let calls = all.entry(called.to_owned()).or_default();
                    if done >= WARM {
                        calls.cpu += used;
                        calls.count += u32::try_from(BLOCK).unwrap_or_default();
                        // Of who works behind another the caller sees nothing.
                        if called == *what {
                            calls.walls.extend(&walls);
                        }
                    }
                    let resident = function.resident()?;
                    if done + BLOCK <= WARM {
                        calls.resident.0 = resident;
                    }
                    calls.resident.1 = resident;
                }
                aws.tidy();
            }
            done += BLOCK;
        }
        Ok(all)
    }
}

/// The bytes of a binary, and of the zip that is uploaded. Python zips, as the SAM CLI does.
///
/// # Errors
/// There is no such file, or no Python.
pub fn sizes(binary: &Path) -> Result<(u64, u64), String> {
    const ZIP: &str = "import io, sys, zipfile\nout = io.BytesIO()\n\
        with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z: z.write(sys.argv[1], 'bootstrap')\n\
        print(len(out.getvalue()))";
    let shown = binary.display();
    let bytes = std::fs::metadata(binary).map_err(|why| format!("{shown}: {why}"))?;
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let zipped = std::process::Command::new(&python)
        .arg("-c")
        .arg(ZIP)
        .arg(binary)
        .output();
    let zipped = zipped.map_err(|why| format!("{python}: {why}"))?;
    let said = String::from_utf8_lossy(&zipped.stdout);
    let zip = said.trim().parse();
    let zip = zip.map_err(|_| format!("{shown}: {}", String::from_utf8_lossy(&zipped.stderr)))?;
    Ok((bytes.len(), zip))
}
