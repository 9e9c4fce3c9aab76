//! How long the workspaces of a runtime may take to register, as templates say (contract:
//! lifecycle-and-sweepers 3.2).
//!
//! One item with an attribute per template that says so: whoever shows workspaces puts its key into
//! the batch get it makes anyway. Each write changes its own template's attribute and no other.

use std::collections::BTreeMap;

use domain::{Result, template::Template};
use serde::{Deserialize, Serialize};

use crate::{Rows, expr::Change, keys, ops::read};

/// What comes before a folder's name, so that no folder is called as a key attribute is.
const OF: &str = "of:";

/// What one template says.
#[derive(Debug, Serialize, Deserialize)]
struct Says {
    runtime: String,
    seconds: i64,
}

/// The longest time that any template gives to each runtime.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeouts(BTreeMap<String, i64>);

impl Timeouts {
    /// The time for `runtime`, in milliseconds, if a template gives one.
    pub fn of(&self, runtime: &str) -> Option<i64> {
        self.0
            .get(runtime)
            .map(|seconds| seconds.saturating_mul(1000))
    }

    fn from(all: impl IntoIterator<Item = Says>) -> Self {
        let mut longest = BTreeMap::new();
        for Says { runtime, seconds } in all {
            let most = longest.entry(runtime).or_insert(seconds);
            *most = seconds.max(*most);
        }
        Self(longest)
    }
}

impl Rows {
    /// The times among these rows ([`keys::template_timeouts`]).
    ///
    /// # Errors
    /// They are there and cannot be read: a defect of ours.
    pub fn template_timeouts(&self) -> Result<Timeouts> {
        let item = self.item(&keys::template_timeouts());
        let says = item.into_iter().flatten();
        let says = says.filter(|(name, _)| name.starts_with(OF));
        let says = says.map(|(_, value)| {
            let map = value.as_m().cloned().unwrap_or_default();
            read(map)
        });
        Ok(Timeouts::from(says.collect::<Result<Vec<Says>>>()?))
    }
}

/// Notes what a template says, also that it says nothing.
pub(super) fn noted(dir: &str, template: &Template) -> Change {
    let says = Says {
        runtime: template.runtime.clone(),
        seconds: template.provision_timeout_seconds,
    };
    let says = (says.seconds > 0 && !says.runtime.is_empty()).then_some(says);
    Change::at(keys::template_timeouts()).set_or_remove_as("of", &format!("{OF}{dir}"), says)
}

/// Forgets what a template said.
pub(super) fn forgotten(dir: &str) -> Change {
    Change::at(keys::template_timeouts()).set_or_remove_as(
        "of",
        &format!("{OF}{dir}"),
        None::<Says>,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_time_of_each_runtime_counts() {
        let says = |runtime: &str, seconds| Says {
            runtime: runtime.to_owned(),
            seconds,
        };
        let all = [says("a", 60), says("b", 5), says("a", 90), says("a", 1)];
        let timeouts = Timeouts::from(all);
        assert_eq!(timeouts.of("a"), Some(90_000));
        assert_eq!(timeouts.of("b"), Some(5_000));
        assert_eq!(timeouts.of("c"), None);
    }
}
