//! A process of the example agent, and how to talk to it.

use std::{
    env,
    process::{Child, Command, Stdio},
};

use e2e::{Workspace, World, until};
use serde_json::Value;

/// A process of the example agent, and its workspace. It ends with the test.
pub(crate) struct Example {
    /// Its workspace.
    pub(crate) workspace: Workspace,
    /// The process itself.
    pub(crate) process: Child,
    world: World,
}

impl Example {
    /// Starts one in a workspace of its own.
    pub(crate) async fn start(world: &World, name: &str, parent: Option<&Workspace>) -> Self {
        let workspace = match parent {
            Some(parent) => world.child(name, parent).await,
            None => world.workspace(name).await,
        };
        Self::start_in(world, name, workspace).await
    }

    /// Starts one in this workspace and waits until it has registered.
    pub(crate) async fn start_in(world: &World, name: &str, workspace: Workspace) -> Self {
        let before = world.event_names(&workspace.id).await.len();
        let program = env::var("AGENT_BIN").expect("AGENT_BIN is set by `make test`");
        let process = Command::new(program)
            .env_clear()
            .env("PLATFORM_URL", &world.base)
            .env("WORKSPACE_ID", &workspace.id)
            .env("AUTH_TOKEN", &workspace.token)
            .env("AGENT_NAME", name)
            .env("PORT", "0")
            .stderr(Stdio::null())
            .spawn()
            .expect("the example agent starts");
        let example = Self {
            world: world.clone(),
            workspace,
            process,
        };
        until(20, "the example agent has registered", || async {
            let events = world.event_names(&example.workspace.id).await;
            let registered = events.len() > before && events[0] == "WORKSPACE_ONLINE";
            registered.then_some(())
        })
        .await;
        example
    }

    /// Says something to it and returns what it says.
    pub(crate) async fn say(&self, text: &str) -> String {
        let answer = self.world.message(&self.workspace.id, text).await;
        text_of(&answer.expect(200).json)
    }

    /// Its status, as an operator sees it.
    pub(crate) async fn status(&self) -> Value {
        self.world.show(&self.workspace.id).await["status"].clone()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The text of an answer.
pub(crate) fn text_of(answer: &Value) -> String {
    let text = answer["result"]["parts"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("no text in {answer}"))
        .to_owned()
}
