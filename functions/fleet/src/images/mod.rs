//! `POST /admin/workspace-images/refresh`: runtimes get the images that their tags name now
//! (contract: lifecycle-and-sweepers 8), and `image_watch` does the same every five minutes (11.8).
//!
//! The digest is written together with the job that starts machines anew, so neither is ever there
//! without the other; what was not resolved is as it was, and the next look tries again.

pub mod plan;
pub mod registry;
pub mod watch;

use std::{collections::BTreeMap, time::Duration};

use domain::{Error, Kind, Result, WorkspaceId, image::Reference};
use edge::{
    App, Caller, Input, Missing, Reply,
    openapi::{Api, Who},
};
use futures_util::future::join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use store::images::Images;
use tokio::time::Instant;

use self::{
    plan::{Plan, Seen},
    registry::{Registries, Resolves},
};

/// How often a record that changed meanwhile is planned anew.
const TRIES: usize = 4;
/// How long workspaces are listed for an answer: the API waits 30 s, and registries may take 10.
const LISTING: Duration = Duration::from_secs(12);

/// The context of both functions.
#[derive(Debug)]
pub struct Refresher<R = Registries> {
    /// The common part.
    pub app: &'static App,
    /// The registries.
    pub registries: R,
}

impl<R> AsRef<App> for Refresher<R> {
    fn as_ref(&self) -> &App {
        self.app
    }
}

impl Refresher {
    /// With registries as the mode allows them.
    ///
    /// # Errors
    /// There is no HTTP client.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        let registries = Registries::start(&app.sdk, &app.names, app.settings.mode)?;
        Ok(Box::leak(Box::new(Self { app, registries })))
    }
}

/// What became of a refresh.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RefreshImagesReply")]
pub struct Refreshed {
    /// Runtimes whose image was resolved to a digest.
    pub pulled: Vec<String>,
    /// Runtimes whose image was not: they keep the one they had.
    pub failed: Vec<String>,
    /// Workspaces whose machines start anew, each once it is idle.
    pub recreated: Vec<WorkspaceId>,
}

/// Resolves the images of all runtimes, or of `?runtime`, and has machines with other ones start
/// anew, unless `?recreate` says something else than `true`.
///
/// # Errors
/// 400 for a runtime without an image; 401; 503 without a backend, or when the datastore did not
/// answer.
pub async fn handle<R: Resolves>(
    on: &'static Refresher<R>,
    caller: Caller,
    input: Input,
) -> Result<Reply> {
    on.app.admin(&caller).await?;
    let images = &on.app.settings.fleet.images;
    if images.is_empty() {
        return Err(Error::new(Kind::Busy, "provisioner not available"));
    }
    let asked = input.query("runtime").filter(|runtime| !runtime.is_empty());
    if let Some(runtime) = asked.filter(|runtime| !images.contains_key(*runtime)) {
        let known: Vec<&String> = images.keys().collect();
        let sentence = format!("unknown runtime: {runtime}");
        return Err(Error::invalid(sentence).with("known_runtimes", json!(known)));
    }
    let recreate = input
        .query("recreate")
        .is_none_or(|it| it.is_empty() || it == "true");
    let seen = on.look(asked).await;
    let refreshed = on.refresh(&seen, recreate, input.now).await?;
    tracing::info!(
        pulled = ?refreshed.pulled,
        failed = ?refreshed.failed,
        recreated = refreshed.recreated.len(),
        "images were refreshed"
    );
    Ok(Reply::ok(&refreshed))
}

impl<R: Resolves> Refresher<R> {
    /// What registries say of all images, or of one runtime's; all at once, each for itself.
    pub async fn look(&self, only: Option<&str>) -> Vec<Seen> {
        let images = self.app.settings.fleet.images.iter();
        let images = images.filter(|(runtime, _)| only.is_none_or(|only| only == *runtime));
        join_all(images.map(|(runtime, configured)| async move {
            Seen {
                runtime: runtime.clone(),
                configured: configured.clone(),
                pinned: self.resolve(runtime, configured).await,
            }
        }))
        .await
    }

    async fn resolve(&self, runtime: &str, configured: &str) -> Option<String> {
        let found = match configured.parse::<Reference>() {
            Ok(image) => {
                let found = self.registries.digest(&image).await;
                found.map(|digest| image.at(&digest))
            }
            Err(why) => Err(registry::Unresolved(why.to_string())),
        };
        found
            .inspect_err(
                |reason| tracing::warn!(runtime, image = configured, %reason, "not resolved"),
            )
            .ok()
    }

    async fn refresh(&self, seen: &[Seen], recreate: bool, now: Timestamp) -> Result<Refreshed> {
        let by = |resolved: bool| {
            let those = seen.iter().filter(|one| one.pinned.is_some() == resolved);
            those.map(|one| one.runtime.clone()).collect::<Vec<_>>()
        };
        let mut refreshed = Refreshed {
            pulled: by(true),
            failed: by(false),
            recreated: Vec::new(),
        };
        let mut restarts: Vec<&str> = Vec::new();
        if recreate {
            let end = Instant::now() + LISTING;
            for one in seen {
                let Some(pinned) = &one.pinned else { continue };
                let found = self.outdated(&one.runtime, pinned, end).await?;
                // A list that was not read to its end may have some.
                if found.is_none() || found.as_ref().is_some_and(|some| !some.is_empty()) {
                    restarts.push(&one.runtime);
                }
                refreshed.recreated.extend(found.unwrap_or_default());
            }
        }
        self.record(seen, now, |plan| {
            let mut all = restarts.clone();
            if recreate {
                // Whoever started since the list was read may have the old one.
                let changed = plan.changed.iter().chain(&plan.seeded).map(String::as_str);
                all.extend(
                    changed
                        .filter(|runtime| !restarts.contains(runtime))
                        .collect::<Vec<_>>(),
                );
            }
            all.into_iter().map(str::to_owned).collect()
        })
        .await?;
        Ok(refreshed)
    }

    /// Records what was seen, and has machines of the chosen runtimes start anew.
    async fn record(
        &self,
        seen: &[Seen],
        now: Timestamp,
        restarts: impl Fn(&Plan) -> Vec<String>,
    ) -> Result<Plan> {
        let store = &self.app.store;
        for _ in 0..TRIES {
            let before: Images = store.images().await?;
            let plan = Plan::of(&before, seen);
            let restarts = restarts(&plan);
            if plan.is_empty() && restarts.is_empty() {
                return Ok(plan);
            }
            let resolved: BTreeMap<_, _> = plan.resolved.clone();
            let runtimes: Vec<&str> = restarts.iter().map(String::as_str).collect();
            if store.save_images(&before, resolved, &runtimes, now).await? {
                return Ok(plan);
            }
        }
        Err(Error::unavailable("the record of images kept changing"))
    }

    /// Whose machines run another image than this; none if there was no time for all of the list.
    async fn outdated(
        &self,
        runtime: &str,
        image: &str,
        end: Instant,
    ) -> Result<Option<Vec<WorkspaceId>>> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            if Instant::now() > end {
                return Ok(None);
            }
            let page = self.app.store.outdated(runtime, image, after.as_deref());
            let page = page.await?;
            ids.extend(page.ids);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(Some(ids)),
            }
        }
    }
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "POST /admin/workspace-images/refresh";
    api.route(
        "refresh_images",
        path,
        Who::Operator,
        "Runtimes get the images their tags name now",
    )
    .about("400 with `known_runtimes` for a runtime without an image; 503 without a backend.")
    .query::<String>("runtime", "Only this one.")
    .query::<bool>("recreate", "`false`: machines keep the image they have.")
    .ok::<Refreshed>("What became of it.")
    .fails(&[Kind::Invalid]);
}
