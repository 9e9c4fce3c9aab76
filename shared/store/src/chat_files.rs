//! Files of chats, in the bucket: the platform reads and writes these, browsers and machines come and
//! go by signed addresses.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::presigning::PresigningConfig;
use domain::{Error, Result, WorkspaceId, chat_file::StoredName};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Rows, Store,
    expr::{Item, value},
    files::File,
    keys::{self, EXPIRES_AT, PK, SK},
};

/// How long a signed address is good. One that was used in time is served to its end.
pub const ADDRESS_SECONDS: u64 = 900;
/// The most files one look shows.
pub const MOST: usize = 1000;

/// How much of a file tells what it is, in bytes.
const BEGINNING: usize = 8 * 1024;
/// How long a file is kept: the bucket's lifecycle rule has the same number.
const DAYS: i64 = 30;

/// A name that no file has yet, for one that its sender calls `sent`.
pub fn new_name(sent: &str) -> StoredName {
    StoredName::new(Uuid::now_v7(), sent)
}

/// A file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatFile {
    /// What it is called.
    pub name: StoredName,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The mark of a workspace's files, out of rows read with [`keys::chat_mark`]; empty while there is none.
///
/// Who has seen the files under a mark knows them all until it is another one.
pub fn mark(rows: &Rows, workspace: WorkspaceId) -> String {
    let item = rows.item(&keys::chat_mark(workspace));
    let mark = item.and_then(|item| item.get("mark")?.as_s().ok());
    mark.cloned().unwrap_or_default()
}

impl Store {
    /// Puts another mark, after files have come. In the table, since machines look for it every ten
    /// seconds: there a look is a quarter of a millionth of a dollar, a list of the bucket twenty times
    /// that.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn mark_chat_files(&self, workspace: WorkspaceId, now: Timestamp) -> Result<()> {
        let key = keys::chat_mark(workspace);
        let expiry = now.as_second() + DAYS * 24 * 3600;
        let item: Item = HashMap::from([
            (PK.to_owned(), AttributeValue::S(key.pk)),
            (SK.to_owned(), AttributeValue::S(key.sk)),
            ("mark".to_owned(), value(Uuid::now_v7().to_string())),
            (EXPIRES_AT.to_owned(), value(expiry)),
        ]);
        let put = self.db.put_item().table_name(&self.table);
        let put = put.set_item(Some(item)).send().await;
        put.map_err(Error::unavailable)?;
        Ok(())
    }

    /// The newest files of a workspace's chat, [`MOST`] at most, in the order in which their names
    /// were given out. Needs `s3:ListBucket`; a call for each thousand files of its last 30 days.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn chat_files(&self, workspace: WorkspaceId) -> Result<Vec<ChatFile>> {
        let folder = keys::chat_files(workspace);
        let files = self.last_files(&folder, MOST).await?;
        let file = |file: File| {
            let name = file.path.parse().ok()?;
            let bytes = u64::try_from(file.bytes).ok()?;
            Some(ChatFile { name, bytes })
        };
        Ok(files.into_iter().filter_map(file).collect())
    }

    /// This file, if it is there. It is looked for in a list: `HeadObject` says "forbidden" of what
    /// is not there, unless one may list, and this says both with one permission.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn chat_file(
        &self,
        workspace: WorkspaceId,
        name: &StoredName,
    ) -> Result<Option<ChatFile>> {
        let list = self.s3.list_objects_v2().bucket(&self.bucket);
        let list = list.prefix(keys::chat_file(workspace, name)).max_keys(1);
        let page = list.send().await.map_err(Error::unavailable)?;
        // A key sorts before all others that begin like it.
        let key = keys::chat_file(workspace, name);
        let found = page.contents().iter().find(|it| it.key() == Some(&key));
        let bytes = found.and_then(|object| object.size()?.try_into().ok());
        Ok(bytes.map(|bytes| ChatFile {
            name: name.clone(),
            bytes,
        }))
    }

    /// What is in this file, if it is there. Needs `s3:GetObject`.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn chat_file_bytes(
        &self,
        workspace: WorkspaceId,
        name: &StoredName,
    ) -> Result<Option<Vec<u8>>> {
        self.file(&keys::chat_file(workspace, name)).await
    }

    /// The first bytes of this file, enough to see what it is. Needs `s3:GetObject`.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn chat_file_beginning(
        &self,
        workspace: WorkspaceId,
        name: &StoredName,
    ) -> Result<Vec<u8>> {
        let key = keys::chat_file(workspace, name);
        self.beginning(&key, BEGINNING).await
    }

    /// Writes this file. Needs `s3:PutObject`.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn put_chat_file(
        &self,
        workspace: WorkspaceId,
        name: &StoredName,
        bytes: Vec<u8>,
    ) -> Result<()> {
        self.put_file(&keys::chat_file(workspace, name), bytes)
            .await
    }

    /// Takes a file away; one that is not there stays so. Needs `s3:DeleteObject`.
    ///
    /// # Errors
    /// The bucket did not answer.
    pub async fn delete_chat_file(&self, workspace: WorkspaceId, name: &StoredName) -> Result<()> {
        let key = keys::chat_file(workspace, name);
        let delete = self.s3.delete_object().bucket(&self.bucket).key(key);
        delete.send().await.map_err(Error::unavailable)?;
        Ok(())
    }

    /// An address to which anyone who has it can `PUT` this file, of exactly so many bytes: the
    /// length is signed, and S3 takes no other.
    ///
    /// # Errors
    /// Signing failed: a defect of ours.
    pub async fn chat_upload_url(
        &self,
        workspace: WorkspaceId,
        name: &StoredName,
        bytes: i64,
    ) -> Result<String> {
        let put = self.s3.put_object().bucket(&self.bucket);
        let put = put.key(keys::chat_file(workspace, name));
        let signed = put.content_length(bytes).presigned(for_minutes()?).await;
        Ok(signed.map_err(Error::internal)?.uri().to_owned())
    }

    /// The origin of the addresses that are signed here, `https://<host>`: what a page's policy must let
    /// it fetch from. Nothing is asked for it.
    ///
    /// # Errors
    /// Signing failed: a defect of ours.
    pub async fn bucket_origin(&self) -> Result<String> {
        let get = self.s3.get_object().bucket(&self.bucket).key("any");
        let signed = get.presigned(for_minutes()?).await;
        let signed = signed.map_err(Error::internal)?;
        let (scheme, rest) = signed.uri().split_once("://").unwrap_or_default();
        let host = rest.split('/').next().unwrap_or_default();
        Ok(format!("{scheme}://{host}"))
    }

    /// An address from which anyone who has it can read this file; S3 answers with these headers.
    ///
    /// # Errors
    /// Signing failed: a defect of ours.
    pub async fn chat_download_url(
        &self,
        workspace: WorkspaceId,
        name: &StoredName,
        content_type: &str,
        disposition: &str,
    ) -> Result<String> {
        let get = self.s3.get_object().bucket(&self.bucket);
        let get = get.key(keys::chat_file(workspace, name));
        let get = get.response_content_type(content_type);
        let get = get.response_content_disposition(disposition);
        let signed = get.presigned(for_minutes()?).await;
        Ok(signed.map_err(Error::internal)?.uri().to_owned())
    }
}

fn for_minutes() -> Result<PresigningConfig> {
    PresigningConfig::expires_in(Duration::from_secs(ADDRESS_SECONDS)).map_err(Error::internal)
}
