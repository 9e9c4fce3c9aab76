//! `POST /templates/import`: a new template from files (contract: lifecycle-and-sweepers 7.1).

use std::collections::BTreeMap;

use domain::{
    Error, Kind, Result,
    template::{MAX_DIR, Template, folder, relative},
};
use edge::{
    App, Caller, Input, Reply,
    http::Fields,
    openapi::{Api, Who},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::keys::TEMPLATE_FILES;

use crate::config;

/// The largest body, in bytes: Lambda takes 6 MB, and the event has it as a string.
const MAX_BYTES: usize = 5 * 1024 * 1024;
/// The most files of one template (contract 7.1).
const MAX_FILES: usize = 200;
/// The longest name, in bytes.
const MAX_NAME: usize = 255;
/// How many files are written at the same time.
const AT_ONCE: usize = 16;

/// A template as it is sent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "ImportTemplateRequest")]
#[schemars(example = serde_json::json!({"name": "Writer", "files": {"config.yaml": "name: Writer\ntier: 2\n"}}))]
struct ImportRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    name: String,
    /// By their paths.
    #[schemars(required)]
    files: Option<BTreeMap<String, String>>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportTemplateReply")]
struct Imported {
    status: &'static str,
    /// Its folder.
    id: String,
    name: String,
}

/// A template that may be written.
#[derive(Debug)]
struct Checked {
    name: String,
    dir: String,
    /// Without `config.yaml`.
    files: BTreeMap<String, String>,
    config: String,
    head: Template,
}

impl ImportRequest {
    /// Everything that can be wrong, before anything is written.
    fn check(self) -> Result<Checked> {
        let body = || Error::invalid("invalid request body");
        let given = self.files.ok_or_else(body)?;
        if self.name.is_empty() || self.name.len() > MAX_NAME {
            return Err(body());
        }
        if given.len() > MAX_FILES {
            let sentence = format!("too many files ({}), max {MAX_FILES}", given.len());
            return Err(Error::invalid(sentence));
        }
        let mut files = BTreeMap::new();
        for (path, text) in given {
            let clean = relative(&path).filter(|clean| clean.len() <= MAX_DIR);
            let is_new = clean.map(|clean| files.insert(clean, text).is_none());
            if is_new != Some(true) {
                return Err(Error::invalid("invalid file path").with("path", path));
            }
        }
        let config = files.remove(config::FILE);
        let config = config
            .unwrap_or_else(|| config::generated(&self.name, files.keys().map(String::as_str)));
        let head = config::read(&config)
            .map_err(|why| Error::invalid("invalid config.yaml").with("detail", why))?;
        Ok(Checked {
            dir: folder(&self.name),
            name: self.name,
            files,
            config,
            head,
        })
    }
}

/// Writes the files of a new template, `config.yaml` last: without it a folder is no template.
///
/// # Errors
/// 400, 401, 409 `template already exists`, 413; 500 `failed to write config.yaml`; 503.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    app.admin(&caller).await?;
    let request: ImportRequest = input.json(MAX_BYTES, "invalid request body")?;
    let new = request.check()?;
    let (store, taken) = (&app.store, || {
        Error::conflict("template already exists").with("id", new.dir.clone())
    });
    let claim = store.claim_template(&new.dir, input.now).await?;
    let claim = claim.ok_or_else(taken)?;
    // Somebody may have copied it here by hand, and nobody has refreshed since.
    let written = match store.files(&at(&new.dir, "")).await {
        Ok(found) if found.iter().any(|file| file.path == config::FILE) => Err(taken()),
        Ok(_) => write(app, &new).await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        // Best effort: a claim that stays is void in a minute.
        let _ = store.release_template(&claim).await;
        return Err(error);
    }
    store.finish_template(&claim, &new.head).await?;
    let Checked { dir, name, .. } = new;
    Ok(Reply::created(&Imported {
        status: "imported",
        id: dir,
        name,
    }))
}

fn at(dir: &str, path: &str) -> String {
    format!("{TEMPLATE_FILES}{dir}/{path}")
}

async fn write(app: &App, new: &Checked) -> Result<()> {
    let put = |(path, text): (String, String)| {
        let key = at(&new.dir, &path);
        async move { app.store.put_file(&key, text.into_bytes()).await }
    };
    stream::iter(new.files.clone())
        .map(put)
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    put((config::FILE.to_owned(), new.config.clone()))
        .await
        .map_err(|error| Error::new(Kind::Internal, "failed to write config.yaml").caused_by(error))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "A new template, from its files";
    api.route(
        "import_template",
        "POST /templates/import",
        Who::Operator,
        summary,
    )
    .about("409 with its `id` where one has that name.")
    .body::<ImportRequest>(MAX_BYTES)
    .created::<Imported>("It can be used.")
    .fails(&[Kind::Conflict]);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::yaml;

    fn check(body: &Value) -> Result<Checked> {
        let request: ImportRequest = serde_json::from_value(body.clone())
            .map_err(|_| Error::invalid("invalid request body"))?;
        request.check()
    }

    #[test]
    fn refusals() {
        let many: BTreeMap<_, _> = (0..201).map(|n| (n.to_string(), "")).collect();
        let config = |text: &str| json!({"name": "a", "files": {"config.yaml": text}});
        let deep = "[".repeat(yaml::MAX_DEPTH + 1);
        for (body, expected) in [
            (json!({}), "invalid request body"),
            (json!({"name": "a"}), "invalid request body"),
            (json!({"name": "a", "files": null}), "invalid request body"),
            (json!({"name": "", "files": {}}), "invalid request body"),
            (
                json!({"name": "x".repeat(256), "files": {}}),
                "invalid request body",
            ),
            (
                json!({"name": "a", "files": {"x": 1}}),
                "invalid request body",
            ),
            (
                json!({"name": "a", "files": many}),
                "too many files (201), max 200",
            ),
            (
                json!({"name": "a", "files": {"../x": ""}}),
                "invalid file path",
            ),
            (
                json!({"name": "a", "files": {"/x": ""}}),
                "invalid file path",
            ),
            (json!({"name": "a", "files": {"": ""}}), "invalid file path"),
            (
                json!({"name": "a", "files": {"a/..": ""}}),
                "invalid file path",
            ),
            // Two ways to write one path.
            (
                json!({"name": "a", "files": {"a/b": "", "a//b": ""}}),
                "invalid file path",
            ),
            (config("a: ["), "invalid config.yaml"),
            (config("- a"), "invalid config.yaml"),
            (config(&deep), "invalid config.yaml"),
        ] {
            assert_eq!(
                check(&body).expect_err("refused").message(),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn a_config_is_taken_or_made() {
        let given = check(&json!({"name": "A b", "files": {"./config.yaml": "runtime: hermes"}}));
        let given = given.expect("fine");
        assert_eq!(
            (given.dir.as_str(), given.head.runtime.as_str()),
            ("a-b", "hermes")
        );
        assert!(given.files.is_empty());
        let made = check(&json!({"name": "A", "files": {"x.md": "x"}})).expect("fine");
        assert_eq!(made.head.name, "A");
        assert_eq!(made.files.len(), 1);
    }
}
