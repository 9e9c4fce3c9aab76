//! An organisation's template as it lies in the bucket.

use std::collections::{BTreeMap, BTreeSet};

use domain::Result;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use store::{Store, keys::ORG_TEMPLATE_FILES};

use super::{
    dotenv,
    expand::{Unfinished, expand},
    schedules::Prompts,
};
use crate::yaml::{self, Broken};

/// The file that makes a folder a template; what lists take as well is `org.yml`.
pub const ROOT: &str = "org.yaml";
/// The file with a folder's variables.
pub const DOTENV: &str = ".env";
/// How many files are read at the same time.
const AT_ONCE: usize = 16;

/// A template's folder: which files there are, and the texts of those that were needed so far.
#[derive(Debug)]
pub struct Folder<'a> {
    store: &'a Store,
    dir: String,
    listed: BTreeMap<String, usize>,
    texts: BTreeMap<String, Option<String>>,
}

impl<'a> Folder<'a> {
    /// A folder whose files, with their sizes, are known.
    pub fn of(store: &'a Store, dir: &str, listed: BTreeMap<String, usize>) -> Self {
        Self {
            store,
            dir: dir.to_owned(),
            listed,
            texts: BTreeMap::new(),
        }
    }

    /// A folder, looked up.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn open(store: &'a Store, dir: &str) -> Result<Self> {
        let files = store.files(&format!("{ORG_TEMPLATE_FILES}{dir}/")).await?;
        let listed = files.into_iter().map(|file| (file.path, file.bytes));
        Ok(Self::of(store, dir, listed.collect()))
    }

    /// Whether there is this file.
    pub fn has(&self, path: &str) -> bool {
        self.listed.contains_key(path)
    }

    /// The document of the file `root` with all it includes: a wave of reads for each level.
    ///
    /// # Errors
    /// The bucket did not answer. What is wrong with the files is the inner error.
    pub async fn document(&mut self, root: &str) -> Result<Result<Value, Broken>> {
        self.fetch([root.to_owned()].into()).await?;
        loop {
            match expand(&self.texts, root) {
                Ok(document) => return Ok(Ok(document)),
                Err(Unfinished::Broken(why)) => return Ok(Err(why)),
                Err(Unfinished::Needs(paths)) => self.fetch(paths).await?,
            }
        }
    }

    /// The variables of these folders in it, each by its folder; the template's own is `""`.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn variables(&mut self, folders: BTreeSet<String>) -> Result<Variables> {
        let file = |folder: &str| match folder {
            "" => DOTENV.to_owned(),
            folder => format!("{folder}/{DOTENV}"),
        };
        self.fetch(folders.iter().map(|it| file(it)).collect())
            .await?;
        let texts = &self.texts;
        let variables = folders.into_iter().map(|folder| {
            let text = texts.get(&file(&folder)).cloned().flatten();
            (folder, dotenv::read(&text.unwrap_or_default()))
        });
        Ok(Variables(variables.collect()))
    }

    /// The texts of these files; those that are not there, not text or too large are none.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn prompts(&mut self, files: BTreeSet<String>) -> Result<Prompts> {
        self.fetch(files.clone()).await?;
        let texts = files.into_iter();
        let texts = texts.map(|path| {
            let text = self.texts.get(&path).cloned().flatten();
            (path, text)
        });
        Ok(texts.collect())
    }

    /// Reads files; those that are not there, not text or too large are noted as missing.
    async fn fetch(&mut self, paths: BTreeSet<String>) -> Result<()> {
        let (store, dir, listed) = (self.store, &self.dir, &self.listed);
        let reads = paths.into_iter().map(|path| async move {
            let there = listed
                .get(&path)
                .is_some_and(|bytes| *bytes <= yaml::MAX_BYTES);
            let key = format!("{ORG_TEMPLATE_FILES}{dir}/{path}");
            let bytes = if there { store.file(&key).await? } else { None };
            Ok((path, bytes.and_then(|bytes| String::from_utf8(bytes).ok())))
        });
        let read: Vec<_> = stream::iter(reads)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        self.texts.extend(read);
        Ok(())
    }
}

/// The variables of a template's folders.
#[derive(Debug, Default)]
pub struct Variables(BTreeMap<String, BTreeMap<String, String>>);

impl Variables {
    /// Those of a workspace with this folder: the template's, overridden by its own.
    pub fn of(&self, files_dir: &str) -> BTreeMap<String, String> {
        let mut all = self.0.get("").cloned().unwrap_or_default();
        if !files_dir.is_empty() {
            all.extend(self.0.get(files_dir).cloned().unwrap_or_default());
        }
        all
    }

    /// From what each folder says.
    #[cfg(test)]
    pub(super) fn from(all: &[(&str, &str)]) -> Self {
        let one = |(folder, text): &(&str, &str)| ((*folder).to_owned(), dotenv::read(text));
        Self(all.iter().map(one).collect())
    }
}
