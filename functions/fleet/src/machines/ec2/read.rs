//! What EC2 shows, as what we know.

use aws_sdk_ec2::types::{self, InstanceStateName, Tag};
use aws_smithy_types::DateTime;
use jiff::Timestamp;

use crate::machines::{Class, Machine, State, Trouble, Volume, tags};

/// A machine, and whether this stack made it.
///
/// # Errors
/// It has no id: then the answer is no listing.
pub(super) fn machine(instance: &types::Instance, stack: &str) -> Result<(Machine, bool), Trouble> {
    let value = |key: &str| tag(instance.tags(), key);
    let ours = tags::is_ours(stack, value);
    let machine = Machine {
        id: id(instance.instance_id())?,
        owner: tags::owner(value).filter(|_| ours),
        state: state(instance.state()),
        launched_at: instance.launch_time().and_then(timestamp),
        private_ip: text(instance.private_ip_address()),
        instance_type: instance
            .instance_type()
            .map_or_else(String::new, |it| it.as_str().to_owned()),
        client_token: text(instance.client_token()).unwrap_or_default(),
    };
    Ok((machine, ours))
}

/// A disk, and whether this stack made it.
///
/// # Errors
/// It has no id.
pub(super) fn volume(volume: &types::Volume, stack: &str) -> Result<(Volume, bool), Trouble> {
    let value = |key: &str| tag(volume.tags(), key);
    let ours = tags::is_ours(stack, value);
    let volume = Volume {
        id: id(volume.volume_id())?,
        owner: tags::owner(value),
        created_at: volume.create_time().and_then(timestamp),
    };
    Ok((volume, ours))
}

/// Where an instance is in its life.
pub(super) fn state(state: Option<&types::InstanceState>) -> State {
    match state.and_then(types::InstanceState::name) {
        Some(InstanceStateName::Pending) => State::Pending,
        Some(InstanceStateName::Running) => State::Running,
        Some(InstanceStateName::Stopping) => State::Stopping,
        Some(InstanceStateName::Stopped) => State::Stopped,
        Some(InstanceStateName::ShuttingDown) => State::ShuttingDown,
        Some(InstanceStateName::Terminated) => State::Terminated,
        _ => State::Other,
    }
}

fn id<T: std::str::FromStr<Err = Trouble>>(text: Option<&str>) -> Result<T, Trouble> {
    let unreadable = |cause| Trouble::new(Class::Partial, "unreadable listing").caused_by(cause);
    text.unwrap_or_default().parse().map_err(unreadable)
}

fn tag<'a>(tags: &'a [Tag], key: &str) -> Option<&'a str> {
    let found = tags.iter().find(|tag| tag.key() == Some(key));
    found.and_then(Tag::value)
}

fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}
