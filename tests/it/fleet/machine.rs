//! A workspace on a machine of ours, and what of the machine can be seen.

use std::{env, fs, net::TcpStream, path::PathBuf};

use e2e::{Answer, Workspace, World, until};
use reqwest::Method;
use serde_json::{Value, json};

/// A workspace that a machine runs. There is no token: that is the machine's own.
pub(super) struct Managed {
    pub(super) id: String,
    world: World,
}

impl Managed {
    /// A new one from this body, which needs no runtime.
    pub(super) async fn create(world: &World, body: Value) -> Self {
        Self::of_runtime(world, "example", body).await
    }

    /// The same of another runtime that the local fleet runs.
    pub(super) async fn of_runtime(world: &World, runtime: &str, mut body: Value) -> Self {
        body["runtime"] = json!(runtime);
        let call = world.post("/workspaces").bearer(&world.admin);
        let made = call.json(&body).await.expect(201);
        assert_eq!(made.json["status"], "provisioning", "{made:?}");
        Self {
            id: made.text("id"),
            world: world.clone(),
        }
    }

    /// One that is there already.
    pub(super) fn known(world: &World, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            world: world.clone(),
        }
    }

    /// Changes it, as an operator.
    pub(super) async fn patch(&self, change: Value) -> Answer {
        let path = format!("/workspaces/{}", self.id);
        let call = self
            .world
            .call(Method::PATCH, &path)
            .bearer(&self.world.admin);
        call.json(&change).await
    }

    /// A call of one of its routes, by the admin.
    pub(super) async fn post(&self, route: &str) -> Value {
        let path = format!("/workspaces/{}/{route}", self.id);
        let call = self.world.post(&path).bearer(&self.world.admin);
        call.json(&json!({})).await.expect(200).json
    }

    /// As an operator sees it.
    pub(super) async fn show(&self) -> Value {
        self.world.show(&self.id).await
    }

    /// As the list of all shows it.
    pub(super) async fn listed(&self) -> Value {
        let all = self.world.get("/workspaces").bearer(&self.world.admin);
        let all = all.await.expect(200).json;
        let mut all = all.as_array().expect("a list").iter();
        let found = all.find(|one| one["id"] == self.id.as_str());
        found.expect("in the list").clone()
    }

    /// Until it has this status.
    pub(super) async fn until(&self, status: &str) -> Value {
        until(60, &format!("{} is {status}", self.id), || async {
            let shown = self.show().await;
            (shown["status"] == status).then_some(shown)
        })
        .await
    }

    /// Says something to it and returns what it says.
    pub(super) async fn say(&self, text: &str) -> String {
        let answer = self.world.message(&self.id, text).await.expect(200);
        let said = answer.json["result"]["parts"][0]["text"].as_str();
        said.unwrap_or_else(|| panic!("no text in {answer:?}"))
            .to_owned()
    }

    /// The disks of its machines: those that were not terminated.
    pub(super) fn disks(&self) -> Vec<PathBuf> {
        let folder = folder().join("disks").join(&self.id);
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        entries.map(|entry| entry.expect("read").path()).collect()
    }

    /// How often its one machine has booted.
    pub(super) fn boots(&self) -> u32 {
        self.noted("boots").parse().expect("a number")
    }

    /// The image that its one machine was told to run when it last booted.
    pub(super) fn image(&self) -> String {
        self.noted("image")
    }

    /// What its one machine has noted on its disk.
    fn noted(&self, name: &str) -> String {
        let disks = self.disks();
        let [disk] = disks.as_slice() else {
            panic!("{disks:?}");
        };
        fs::read_to_string(disk.join(name)).expect("a machine that has booted")
    }

    /// Until no process of it listens at this address any more.
    pub(super) async fn until_silent(&self, url: &str) {
        let address = url
            .strip_prefix("http://")
            .expect(url)
            .trim_end_matches('/');
        until(30, "its process has ended", || async {
            TcpStream::connect(address).is_err().then_some(())
        })
        .await;
    }

    /// As other helpers want it; without a token it can only be named.
    pub(super) fn named(&self) -> Workspace {
        Workspace {
            id: self.id.clone(),
            token: String::new(),
        }
    }
}

fn folder() -> PathBuf {
    env::var("FLEET_FOLDER")
        .expect("FLEET_FOLDER is set by `make test`")
        .into()
}
