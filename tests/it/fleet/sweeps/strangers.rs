//! Machines that somebody starts behind the platform's back, on the emulator's EC2, by the code that
//! speaks to EC2.

use std::collections::BTreeMap;

use aws_sdk_ec2::{
    Client,
    types::{InstanceStateName, InstanceType, ResourceType, Tag, TagSpecification},
};
use domain::WorkspaceId;
use fleet::{
    machines::{Settings, ec2::Ec2, tags},
    sweeps::{
        Watch,
        orphans::{self, Orphans},
    },
};

use super::{World, counts};

/// Starts an instance with these tags; its id.
async fn start(ec2: &Client, with: &[(&str, &str)]) -> String {
    let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build();
    let specification = TagSpecification::builder()
        .resource_type(ResourceType::Instance)
        .set_tags(Some(with.iter().map(tag).collect()))
        .build();
    let run = ec2
        .run_instances()
        .image_id("ami-0123456789abcdef0")
        .instance_type(InstanceType::T3Small)
        .min_count(1)
        .max_count(1)
        .tag_specifications(specification);
    let made = run.send().await.expect("an instance");
    let id = made.instances().first().and_then(|it| it.instance_id());
    id.expect("an id").to_owned()
}

async fn state(ec2: &Client, id: &str) -> InstanceStateName {
    let asked = ec2.describe_instances().instance_ids(id).send().await;
    let reservations = asked.expect("an answer").reservations.unwrap_or_default();
    let instances = reservations.iter().flat_map(|it| it.instances());
    let mut states = instances.filter_map(|it| it.state()?.name().cloned());
    states.next_back().expect("a state")
}

#[tokio::test]
async fn one_with_our_tags_is_reaped_and_those_without_are_left_alone() {
    let world = World::new().await;
    let ec2 = Client::new(&edge::sdk_config().load().await);
    // A stack of its own: the sweep of this one must not see other tests' machines.
    let stack = format!("strangers-{}", WorkspaceId::random());
    let (nobody, other) = (WorkspaceId::random().to_string(), format!("not-{stack}"));
    let ours = [
        (tags::MANAGED, "true"),
        (tags::STAGE, stack.as_str()),
        (tags::WORKSPACE, nobody.as_str()),
        (tags::GENERATION, "1"),
    ];
    let mut theirs = ours;
    theirs[1].1 = &other;
    let reaped = start(&ec2, &ours).await;
    let left = [
        start(&ec2, &theirs).await,
        start(&ec2, &[("Name", "a database")]).await,
        start(&ec2, &[(tags::STAGE, stack.as_str())]).await,
    ];

    let variables = BTreeMap::from([
        ("MACHINE_LAUNCH_TEMPLATE", "lt-0123456789abcdef0"),
        ("MACHINE_LAUNCH_TEMPLATE_VERSION", "1"),
        ("MACHINE_SUBNETS", "subnet-0123456789abcdef0"),
        ("STACK_NAME", &stack),
    ]);
    let variable = |name| variables.get(name).copied().unwrap_or_default().to_owned();
    let settings = Settings::read(variable).expect("settings");
    let machines = Ec2::new(settings, &world.inside.app.sdk);
    let sweep = Orphans::over(world.inside.app, machines, "tests");
    // A launch may be on its way for ten minutes.
    let report = orphans::sweep(sweep, Watch::at(world.after(0))).await;
    assert_eq!(counts(&report.expect("a sweep")), (0, 0, 0, 0));
    assert_eq!(state(&ec2, &reaped).await, InstanceStateName::Running);
    let report = orphans::sweep(sweep, Watch::at(world.after(660))).await;
    assert_eq!(counts(&report.expect("a sweep")), (1, 1, 0, 0));

    let ended = [
        InstanceStateName::ShuttingDown,
        InstanceStateName::Terminated,
    ];
    assert!(ended.contains(&state(&ec2, &reaped).await));
    for id in &left {
        assert_eq!(state(&ec2, id).await, InstanceStateName::Running, "{id}");
    }
    let tidy = ec2
        .terminate_instances()
        .set_instance_ids(Some(left.into()));
    tidy.send().await.expect("terminated");
}
