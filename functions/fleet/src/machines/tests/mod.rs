//! One suite for all machines, the wire of EC2, and what the tests beside the code share.

mod double;
mod suite;
mod wire;
mod xml;

use domain::WorkspaceId;

use super::{Launch, Machine, NoBackend, Owner, Settings, State, Tier, place::Places};

/// All that is required.
pub(super) const SETTINGS: &[(&str, &str)] = &[
    ("STACK_NAME", "prod"),
    ("MACHINE_LAUNCH_TEMPLATE", "lt-0123456789abcdef0"),
    ("MACHINE_LAUNCH_TEMPLATE_VERSION", "7"),
    ("MACHINE_SUBNETS", "subnet-a, subnet-b"),
];

/// Whole settings but for these.
pub(super) fn settings_with(others: &[(&str, &str)]) -> Result<Settings, NoBackend> {
    let all: Vec<_> = others.iter().chain(SETTINGS).collect();
    Settings::read(|name| {
        let found = all.iter().find(|(setting, _)| *setting == name);
        found.map_or_else(String::new, |(_, value)| (*value).to_owned())
    })
}

pub(super) fn places() -> Places {
    settings_with(&[]).expect("whole").places
}

pub(super) fn workspace(number: u32) -> WorkspaceId {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    id.parse().expect("an id")
}

pub(super) fn launch(number: u32) -> Launch {
    Launch {
        workspace_id: workspace(number),
        generation: 1,
        attempt: 0,
        tier: Tier::Two,
        runtime: "langgraph".to_owned(),
        image: None,
        platform_url: "https://api.example.com".parse().expect("plain"),
    }
}

pub(super) fn machine(number: u32, state: State) -> Machine {
    Machine {
        id: format!("i-{number:017x}").parse().expect("an id"),
        owner: Some(Owner {
            workspace_id: workspace(number),
            generation: 1,
        }),
        state,
        launched_at: None,
        private_ip: None,
        instance_type: "t3.small".to_owned(),
        client_token: String::new(),
    }
}
