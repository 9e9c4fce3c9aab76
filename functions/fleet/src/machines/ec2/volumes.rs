//! Disks that belong to no machine: those of machines that died in a way that left them.

use std::collections::BTreeMap;

use super::{
    Ec2,
    failure::trouble,
    list::{MOST_PAGES, filter, ours},
    read,
};
use crate::machines::{Change, Class, Trouble, Volume, VolumeId, trouble::NO_VOLUME};

/// EC2's most per page.
const PAGE: i32 = 500;

impl Ec2 {
    /// All disks of this stack that no machine has.
    pub(super) async fn available_volumes(&self) -> Result<Vec<Volume>, Trouble> {
        let mut filters = ours(&self.settings.stack);
        filters.push(filter("status", ["available"]));
        let mut found = BTreeMap::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let request = self
                .client
                .describe_volumes()
                .set_filters(Some(filters.clone()))
                .max_results(PAGE)
                .set_next_token(next);
            let page = request.send().await.map_err(trouble)?;
            for shown in page.volumes() {
                let (volume, ours) = read::volume(shown, &self.settings.stack)?;
                if ours && shown.attachments().is_empty() {
                    found.insert(volume.id.clone(), volume);
                }
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found.into_values().collect());
            }
        }
        Err(Trouble::new(Class::Partial, "a listing without an end"))
    }

    /// Deletes a disk. EC2 refuses while a machine has it.
    pub(super) async fn delete(&self, id: &VolumeId) -> Result<Change, Trouble> {
        let request = self.client.delete_volume().volume_id(id.as_str());
        match request.send().await.map_err(trouble) {
            Ok(_) => Ok(Change::Underway),
            Err(trouble) if trouble.code() == NO_VOLUME => Ok(Change::Absent),
            Err(trouble) => Err(trouble),
        }
    }
}
