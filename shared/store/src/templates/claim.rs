//! Importing a template: the table says whose folder it is before the first file is written.

use domain::{Result, template::Template};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Entry, timeouts};
use crate::{Store, TransactError, expr::Write, keys};

/// How long an import may take. A claim that is older was left behind by a crash.
const KEPT: SignedDuration = SignedDuration::from_secs(60);

/// The right to write the files of a folder.
#[derive(Debug)]
pub struct Claim {
    dir: String,
    revision: Uuid,
}

impl Claim {
    /// A write under this claim's row that only happens while the claim is ours.
    fn ours(&self, write: Write) -> Write {
        write
            .when("#revision = :claim")
            .naming("revision")
            .with("claim", self.revision)
    }
}

impl Store {
    /// Claims a folder for the files of a new template; none when there is a template already.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn claim_template(&self, dir: &str, now: Timestamp) -> Result<Option<Claim>> {
        let claim = Claim {
            dir: dir.to_owned(),
            revision: Uuid::new_v4(),
        };
        let entry: Entry<Template> = Entry {
            dir: dir.to_owned(),
            head: None,
            revision: claim.revision,
            claimed_at: Some(now),
        };
        let put = Write::put(keys::template(dir), &entry)
            // Nobody has it, or who claimed it never finished. A head has no `claimed_at`.
            .when("attribute_not_exists(pk) OR #claimed_at < :outdated")
            .naming("claimed_at")
            .with("outdated", (now - KEPT).as_microsecond());
        match self.transact([put]).await {
            Ok(()) => Ok(Some(claim)),
            Err(TransactError::Cancelled(_)) => Ok(None),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }

    /// Puts the head in place of the claim, once the files are written. If a refresh has seen the
    /// files first, its head stays.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn finish_template(&self, claim: &Claim, head: &Template) -> Result<()> {
        let put = Write::put(keys::template(&claim.dir), &Entry::of(&claim.dir, head));
        let noted = timeouts::noted(&claim.dir, head).into();
        match self.transact([claim.ours(put), noted]).await {
            Ok(()) | Err(TransactError::Cancelled(_)) => Ok(()),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }

    /// Gives a claim back when the files could not be written.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn release_template(&self, claim: &Claim) -> Result<()> {
        let delete = claim.ours(Write::delete(keys::template(&claim.dir)));
        match self.transact([delete]).await {
            Ok(()) | Err(TransactError::Cancelled(_)) => Ok(()),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}
