//! The heads of templates: what their files say, so that nobody reads the bucket to list
//! workspaces or to start one.
//!
//! The files in the bucket are the truth. An import writes head and files; a refresh reads all
//! files and corrects the heads: it is how templates that were copied into the bucket by hand get
//! here. One more item has what the list of workspaces shows of templates.

mod claim;
mod timeouts;

pub use claim::Claim;
use domain::{
    Result,
    template::{MAX_DIR, OrgTemplate, Template, relative},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
pub use timeouts::Timeouts;
use uuid::Uuid;

use crate::{
    Store, TransactError,
    expr::Write,
    keys::{self, Key},
    ops::read,
    queries::Page,
};

/// A head as it lies in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry<T> {
    /// Its folder.
    pub dir: String,
    /// What its files say; none while they are being written for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<T>,
    /// Another one with each write, so that who read an older one does not delete a newer one.
    revision: Uuid,
    /// Since when its files are being written.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    claimed_at: Option<Timestamp>,
}

impl<T> Entry<T> {
    fn of(dir: &str, head: T) -> Self {
        Self {
            dir: dir.to_owned(),
            head: Some(head),
            revision: Uuid::new_v4(),
            claimed_at: None,
        }
    }
}

/// The one form of a folder's name under which a head may lie.
fn folder(dir: &str) -> Option<String> {
    relative(dir).filter(|dir| dir.len() <= MAX_DIR)
}

/// The removal of a head that is still the one that was read.
fn gone<T>(key: Key, entry: &Entry<T>) -> Write {
    Write::delete(key)
        .when("#revision = :revision")
        .naming("revision")
        .with("revision", entry.revision)
}

impl Store {
    /// A template's head; none when there is no such template.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn template(&self, dir: &str) -> Result<Option<Template>> {
        let Some(key) = folder(dir).map(|dir| keys::template(&dir)) else {
            return Ok(None);
        };
        let entry: Option<Entry<Template>> = self.rows([key.clone()]).await?.take(&key)?;
        Ok(entry.and_then(|entry| entry.head))
    }

    /// The environment variables without which workspaces of a template do not start: what the
    /// contract checks before a machine is launched (lifecycle-and-sweepers 9.4). None for a
    /// template that is not there.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn required_env(&self, template: &str) -> Result<Vec<String>> {
        let template = self.template(template).await?;
        Ok(template.map_or_else(Vec::new, |template| template.required_env))
    }

    /// All heads of templates, by folder, those of other folders in them included.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn templates(&self) -> Result<Vec<Entry<Template>>> {
        self.heads(keys::templates()).await
    }

    /// All heads of organisations' templates, by folder.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn org_templates(&self) -> Result<Vec<Entry<OrgTemplate>>> {
        self.heads(keys::org_templates()).await
    }

    async fn heads<T: DeserializeOwned>(&self, partition: String) -> Result<Vec<Entry<T>>> {
        let (mut entries, mut start) = (Vec::new(), None);
        loop {
            let page = Page {
                partition: partition.clone(),
                oldest_first: true,
                start,
                ..Page::default()
            };
            let (items, next) = self.page(page).await?;
            for item in items {
                entries.push(read(item)?);
            }
            start = next;
            if start.is_none() {
                return Ok(entries);
            }
        }
    }

    /// Writes a template's head over the one that may be there.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn save_template(&self, dir: &str, head: &Template) -> Result<()> {
        let writes = [
            Write::put(keys::template(dir), &Entry::of(dir, head)),
            timeouts::noted(dir, head).into(),
        ];
        self.transact(writes)
            .await
            .map_err(TransactError::into_error)
    }

    /// Deletes a template's head, unless it was written again since it was read.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn forget_template(&self, entry: &Entry<Template>) -> Result<bool> {
        let writes = [
            gone(keys::template(&entry.dir), entry),
            timeouts::forgotten(&entry.dir).into(),
        ];
        self.forgotten(writes).await
    }

    /// Writes the head of an organisation's template over the one that may be there.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn save_org_template(&self, dir: &str, head: &OrgTemplate) -> Result<()> {
        let put = Write::put(keys::org_template(dir), &Entry::of(dir, head));
        self.transact([put])
            .await
            .map_err(TransactError::into_error)
    }

    /// Deletes the head of an organisation's template, unless it was written again since it was
    /// read.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn forget_org_template(&self, entry: &Entry<OrgTemplate>) -> Result<bool> {
        self.forgotten([gone(keys::org_template(&entry.dir), entry)])
            .await
    }

    async fn forgotten(&self, writes: impl IntoIterator<Item = Write>) -> Result<bool> {
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}
