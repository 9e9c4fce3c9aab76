//! Files in the bucket: those of templates, and what organisations were made from.

use std::collections::VecDeque;

use aws_sdk_s3::{operation::get_object::GetObjectError, primitives::ByteStream};
use domain::{Error, Kind, Result};

use crate::Store;

/// The most files of a folder that are all needed: ten calls, and a second.
pub const MOST: usize = 10_000;

/// A file, as a list of the bucket shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the folder that was listed.
    pub path: String,
    /// Its size in bytes.
    pub bytes: usize,
}

impl Store {
    /// The files below `folder`, which ends in `/`, by path. Needs `s3:ListBucket` for this prefix.
    ///
    /// # Errors
    /// The bucket did not answer. Over [`MOST`] there is no list: one that was cut would pass for all, and
    /// what is not on it for gone.
    pub async fn files(&self, folder: &str) -> Result<Vec<File>> {
        let mut files = Vec::new();
        let take = |file| {
            if files.len() == MOST {
                let sentence = format!("{folder} has more than {MOST} files: take some away");
                return Err(Error::new(Kind::Internal, sentence));
            }
            files.push(file);
            Ok(())
        };
        self.each_file(folder, take).await?;
        Ok(files)
    }

    /// The last `most` files below `folder`, by path: a call for each thousand that are there.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub(crate) async fn last_files(&self, folder: &str, most: usize) -> Result<VecDeque<File>> {
        let mut last = VecDeque::new();
        let take = |file| {
            last.push_back(file);
            if last.len() > most {
                last.pop_front();
            }
            Ok(())
        };
        self.each_file(folder, take).await?;
        Ok(last)
    }

    async fn each_file(
        &self,
        folder: &str,
        mut take: impl FnMut(File) -> Result<()> + Send,
    ) -> Result<()> {
        let mut next = None;
        loop {
            let page = self
                .s3
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(folder)
                .set_continuation_token(next)
                .send()
                .await
                .map_err(Error::unavailable)?;
            for object in page.contents() {
                let path = object.key().and_then(|key| key.strip_prefix(folder));
                // Some tools mark folders by empty objects with a slash at the end.
                let Some(path) = path.filter(|path| !path.is_empty() && !path.ends_with('/'))
                else {
                    continue;
                };
                take(File {
                    path: path.to_owned(),
                    bytes: object.size().and_then(|n| n.try_into().ok()).unwrap_or(0),
                })?;
            }
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    /// The file under this key, if it is there. Needs `s3:GetObject`, and `s3:ListBucket` to be
    /// told that it is not there.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn file(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let get = self.s3.get_object().bucket(&self.bucket).key(key);
        let object = match get.send().await.map_err(|error| error.into_service_error()) {
            Ok(object) => object,
            Err(GetObjectError::NoSuchKey(_)) => return Ok(None),
            Err(other) => return Err(Error::unavailable(other)),
        };
        let bytes = object.body.collect().await.map_err(Error::unavailable)?;
        Ok(Some(bytes.to_vec()))
    }

    /// The first `most` bytes of a file that is there and not empty. Needs `s3:GetObject`.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn beginning(&self, key: &str, most: usize) -> Result<Vec<u8>> {
        let get = self.s3.get_object().bucket(&self.bucket).key(key);
        let range = format!("bytes=0-{}", most.saturating_sub(1));
        let object = get.range(range).send().await.map_err(Error::unavailable)?;
        let bytes = object.body.collect().await.map_err(Error::unavailable)?;
        Ok(bytes.to_vec())
    }

    /// Writes a file, over one that may be there. Needs `s3:PutObject`.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn put_file(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        self.s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(Error::unavailable)?;
        Ok(())
    }

    /// Deletes a file; that it is not there is no error. Needs `s3:DeleteObject`.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn delete_file(&self, key: &str) -> Result<()> {
        let delete = self.s3.delete_object().bucket(&self.bucket).key(key);
        delete.send().await.map_err(Error::unavailable)?;
        Ok(())
    }
}
