//! `POST /templates/refresh`: brings the heads in the table to what the files in the bucket say.
//!
//! It is how templates that were copied into the bucket by hand become known: a route costs nothing
//! while nobody copies, and needs no notification from the bucket to be deployed before the bucket.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Result,
    template::{MAX_DIR, OrgTemplate, Template, relative},
};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use serde::Serialize;
use store::{
    files::File,
    keys::{ORG_TEMPLATE_FILES, TEMPLATE_FILES},
    templates::Entry,
};

use crate::{
    config,
    org::{
        model::Org,
        read::{Folder, ROOT},
    },
    yaml,
};

/// How many templates are read at the same time.
const AT_ONCE: usize = 8;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RefreshTemplatesReply")]
struct Answer {
    templates: usize,
    org_templates: usize,
    /// Heads whose files are gone.
    removed: usize,
    skipped: Vec<Skipped>,
}

/// A folder that is no template.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SkippedTemplate")]
struct Skipped {
    dir: String,
    reason: String,
}

/// What a folder turned out to be.
type Read<T> = (String, std::result::Result<T, String>);

/// Reads every template and writes its head. Heads are read before the files are looked for: one
/// whose files are not found then is outdated, unless it was written again meanwhile.
///
/// # Errors
/// 401; 503.
pub async fn handle(app: &'static App, caller: Caller, _input: Input) -> Result<Reply> {
    app.admin(&caller).await?;
    let store = &app.store;
    let (known, known_orgs) = (store.templates().await?, store.org_templates().await?);
    let (files, org_files) = (
        store.files(TEMPLATE_FILES).await?,
        store.files(ORG_TEMPLATE_FILES).await?,
    );
    let mut answer = Answer {
        templates: 0,
        org_templates: 0,
        removed: 0,
        skipped: Vec::new(),
    };

    let mut found = BTreeSet::new();
    let templates = stream::iter(templates(&files)).map(|file| template(app, file));
    let mut templates = templates.buffer_unordered(AT_ONCE);
    while let Some((dir, read)) = templates.try_next().await? {
        if let Some(head) = answer.take(&dir, "template", read) {
            store.save_template(&dir, &head).await?;
            answer.templates += 1;
            found.insert(dir);
        }
    }
    for entry in known.iter().filter(|it| is_outdated(it, &found)) {
        answer.removed += usize::from(store.forget_template(entry).await?);
    }

    let mut found = BTreeSet::new();
    let orgs = stream::iter(orgs(&org_files)).map(|(dir, files)| org(app, dir, files));
    let mut orgs = orgs.buffer_unordered(AT_ONCE);
    while let Some((dir, read)) = orgs.try_next().await? {
        if let Some(head) = answer.take(&dir, "org template", read) {
            store.save_org_template(&dir, &head).await?;
            answer.org_templates += 1;
            found.insert(dir);
        }
    }
    for entry in known_orgs.iter().filter(|it| is_outdated(it, &found)) {
        answer.removed += usize::from(store.forget_org_template(entry).await?);
    }
    answer.skipped.sort_by(|a, b| a.dir.cmp(&b.dir));
    Ok(Reply::ok(&answer))
}

impl Answer {
    /// What can be used; what cannot is noted, and logged for who copied it.
    fn take<T>(&mut self, dir: &str, what: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|reason| {
            tracing::warn!(dir, reason, "this {what} cannot be read");
            self.skipped.push(Skipped {
                dir: dir.to_owned(),
                reason,
            });
        })
        .ok()
    }
}

/// Whether a head has no files any more. A claim has none yet.
fn is_outdated<T>(entry: &Entry<T>, found: &BTreeSet<String>) -> bool {
    entry.head.is_some() && !found.contains(&entry.dir)
}

/// The files that make folders templates.
fn templates(files: &[File]) -> Vec<File> {
    let ending = format!("/{}", config::FILE);
    let configs = files.iter().filter(|file| file.path.ends_with(&ending));
    configs.cloned().collect()
}

async fn template(app: &App, file: File) -> Result<Read<Template>> {
    let dir = file.path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let usable = relative(dir).is_some_and(|clean| clean == dir && clean.len() <= MAX_DIR);
    let dir = dir.to_owned();
    if !usable {
        return Ok((dir, Err("no template may be called so".to_owned())));
    }
    if file.bytes > yaml::MAX_BYTES {
        return Ok((dir, Err(format!("{} is too large", config::FILE))));
    }
    let key = format!("{TEMPLATE_FILES}{}", file.path);
    let bytes = app.store.file(&key).await?.unwrap_or_default();
    let text = String::from_utf8(bytes).map_err(|error| error.to_string());
    Ok((dir, text.and_then(|text| config::read(&text))))
}

/// The folders of organisations' templates, each with its files.
fn orgs(files: &[File]) -> BTreeMap<String, BTreeMap<String, usize>> {
    let mut folders: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for file in files {
        if let Some((dir, path)) = file.path.split_once('/') {
            let folder = folders.entry(dir.to_owned()).or_default();
            folder.insert(path.to_owned(), file.bytes);
        }
    }
    folders.retain(|_, files| root(files).is_some());
    folders
}

fn root(files: &BTreeMap<String, usize>) -> Option<&'static str> {
    [ROOT, "org.yml"]
        .into_iter()
        .find(|root| files.contains_key(*root))
}

async fn org(app: &App, dir: String, files: BTreeMap<String, usize>) -> Result<Read<OrgTemplate>> {
    let usable = relative(&dir).is_some_and(|clean| clean == dir && clean.len() <= MAX_DIR);
    let Some(root) = root(&files).filter(|_| usable) else {
        return Ok((dir, Err("no template may be called so".to_owned())));
    };
    let mut folder = Folder::of(&app.store, &dir, files);
    let document = folder.document(root).await?;
    let head = document.and_then(Org::read).map(|org| org.head());
    Ok((dir, head))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "Reads again what lies in the bucket";
    api.route(
        "refresh_templates",
        "POST /templates/refresh",
        Who::Operator,
        summary,
    )
    .ok::<Answer>("What was found.")
    .fails(&[]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_found_by_their_files() {
        let file = |path: &str| File {
            path: path.to_owned(),
            bytes: 1,
        };
        let files = [
            "config.yaml",
            "a/config.yaml",
            "a/skills/x/SKILL.md",
            "b/other.yaml",
            "c/d/config.yaml",
            "e/org.yaml",
            "f/org.yml",
            "f/.env",
            "g/sub/org.yaml",
        ]
        .map(file);
        let found: Vec<_> = templates(&files).into_iter().map(|it| it.path).collect();
        assert_eq!(found, ["a/config.yaml", "c/d/config.yaml"]);
        let found: Vec<_> = orgs(&files).into_keys().collect();
        assert_eq!(found, ["e", "f"]);
    }
}
