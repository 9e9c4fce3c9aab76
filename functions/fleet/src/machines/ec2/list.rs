//! DescribeInstances, to the last page or not at all.
//!
//! Ids are asked for by filter: named in `InstanceIds`, one that is missing fails the whole call, and
//! pages cannot be had. What comes back is filtered again here, because a filter that the other
//! side ignores (the emulator does) would hand us other people's machines.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;

use super::{Ec2, failure::trouble, read};
use crate::machines::{Class, Machine, MachineId, Trouble, Whose, tags};

/// EC2's most per page.
const PAGE: i32 = 1000;
/// EC2's most values per filter.
const VALUES: usize = 200;
/// Pages after which a listing is taken to have no end.
pub(super) const MOST_PAGES: usize = 100;
/// Those that are not being terminated.
const LIVING: [&str; 4] = ["pending", "running", "stopping", "stopped"];

impl Ec2 {
    /// These machines, in any state.
    pub(super) async fn by_ids(&self, ids: &[MachineId]) -> Result<Vec<Machine>, Trouble> {
        let mut found = Vec::new();
        for some in ids.chunks(VALUES) {
            let filter = filter("instance-id", some.iter().map(MachineId::as_str));
            let machines = self.instances(vec![filter]).await?;
            let asked = machines.into_iter().map(|(machine, _)| machine);
            found.extend(asked.filter(|machine| some.contains(&machine.id)));
        }
        Ok(found)
    }

    /// The machines of this stack, or of one workspace, that are not being terminated.
    pub(super) async fn by_tags(&self, whose: Whose) -> Result<Vec<Machine>, Trouble> {
        let mut filters = ours(&self.settings.stack);
        if let Whose::Workspace(id) = whose {
            filters.push(tagged(tags::WORKSPACE, &id.to_string()));
        }
        filters.push(filter("instance-state-name", LIVING));
        // A machine that EC2 found by the workspace's tag and whose other tags cannot be read is shown:
        // left out, it would look absent.
        let wanted = |machine: &Machine| {
            let owner = machine.owner.map(|owner| owner.workspace_id);
            !machine.state.is_ended()
                && match whose {
                    Whose::Stack => true,
                    Whose::Workspace(id) => owner.is_none_or(|owner| owner == id),
                }
        };
        let machines = self.instances(filters).await?.into_iter();
        let ours = machines.filter(|(machine, ours)| *ours && wanted(machine));
        Ok(ours.map(|(machine, _)| machine).collect())
    }

    /// The machine a token made: a living one, if there are several.
    pub(super) async fn by_token(&self, token: &str) -> Result<Option<Machine>, Trouble> {
        let filters = vec![filter("client-token", [token])];
        let machines = self.instances(filters).await?.into_iter();
        let made = machines.filter(|(machine, ours)| *ours && machine.client_token == token);
        Ok(made
            .map(|(machine, _)| machine)
            .min_by_key(|machine| machine.state.is_ended()))
    }

    /// All pages: each machine once, and whether it is of this stack.
    async fn instances(&self, filters: Vec<Filter>) -> Result<Vec<(Machine, bool)>, Trouble> {
        let mut found = BTreeMap::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let request = self
                .client
                .describe_instances()
                .set_filters(Some(filters.clone()))
                .max_results(PAGE)
                .set_next_token(next);
            let page = request.send().await.map_err(trouble)?;
            for instance in page.reservations().iter().flat_map(|it| it.instances()) {
                let (machine, ours) = read::machine(instance, &self.settings.stack)?;
                found.insert(machine.id.clone(), (machine, ours));
            }
            // An empty page with a token is no end.
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found.into_values().collect());
            }
        }
        Err(Trouble::new(Class::Partial, "a listing without an end"))
    }
}

/// What this stack made.
pub(super) fn ours(stack: &str) -> Vec<Filter> {
    vec![tagged(tags::MANAGED, "true"), tagged(tags::STAGE, stack)]
}

pub(super) fn filter<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Filter {
    let values = values.into_iter().map(str::to_owned).collect();
    Filter::builder()
        .name(name)
        .set_values(Some(values))
        .build()
}

fn tagged(key: &str, value: &str) -> Filter {
    filter(&format!("tag:{key}"), [value])
}
