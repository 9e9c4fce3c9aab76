//! The query protocol's forms, decoded, as they are sent.

use super::once;
use crate::machines::{
    Change, MachineId, Machines, State, VolumeId, Whose,
    fake::Op,
    tests::{
        launch, machine, workspace,
        xml::{instance, page, response, state},
    },
    user_data::{encoded, user_data},
};

const ID: &str = "i-00000000000000001";

fn id() -> MachineId {
    ID.parse().expect("an id")
}

#[tokio::test]
async fn run_instances() {
    let mut made = machine(1, State::Pending);
    made.client_token = launch(1).token();
    let item = instance(&made, "prod");
    let set = format!("<instancesSet><item>{item}</item></instancesSet>");
    let (ec2, wire) = once([response("RunInstances", &set)]);
    assert_eq!(ec2.start(&launch(1)).await.expect("started"), made);

    // What the user data holds is pinned where it is written.
    let user_data = user_data(&launch(1), "prod").expect("written");
    let expected = "\
Action=RunInstances
Version=2016-11-15
InstanceType=t3.small
MaxCount=1
MinCount=1
SubnetId=subnet-b
TagSpecification.1.ResourceType=instance
TagSpecification.1.Tag.1.Key=platform:managed
TagSpecification.1.Tag.1.Value=true
TagSpecification.1.Tag.2.Key=platform:stage
TagSpecification.1.Tag.2.Value=prod
TagSpecification.1.Tag.3.Key=platform:org-id
TagSpecification.1.Tag.3.Value=org-1
TagSpecification.1.Tag.4.Key=platform:workspace-id
TagSpecification.1.Tag.4.Value=00000000-0000-4000-8000-000000000001
TagSpecification.1.Tag.5.Key=platform:gen
TagSpecification.1.Tag.5.Value=1
TagSpecification.1.Tag.6.Key=Name
TagSpecification.1.Tag.6.Value=ws-00000000-000
TagSpecification.2.ResourceType=volume
TagSpecification.2.Tag.1.Key=platform:managed
TagSpecification.2.Tag.1.Value=true
TagSpecification.2.Tag.2.Key=platform:stage
TagSpecification.2.Tag.2.Value=prod
TagSpecification.2.Tag.3.Key=platform:org-id
TagSpecification.2.Tag.3.Value=org-1
TagSpecification.2.Tag.4.Key=platform:workspace-id
TagSpecification.2.Tag.4.Value=00000000-0000-4000-8000-000000000001
TagSpecification.2.Tag.5.Key=platform:gen
TagSpecification.2.Tag.5.Value=1
TagSpecification.2.Tag.6.Key=Name
TagSpecification.2.Tag.6.Value=ws-00000000-000
LaunchTemplate.LaunchTemplateId=lt-0123456789abcdef0
LaunchTemplate.Version=7
MetadataOptions.HttpTokens=required
MetadataOptions.HttpPutResponseHopLimit=1
MetadataOptions.HttpEndpoint=enabled
InstanceInitiatedShutdownBehavior=terminate
ClientToken=ws-00000000-0000-4000-8000-000000000001-1-0";
    let sent = wire.sent();
    let [sent] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    let expected = format!("{expected}\nUserData={}", encoded(&user_data));
    assert_eq!(sorted(sent), sorted(&expected), "{sent}");
}

/// The order of fields on the wire is the SDK's affair.
fn sorted(form: &str) -> Vec<&str> {
    let mut lines: Vec<_> = form.lines().collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn changes_name_one_machine() {
    let changed = |action: &str, before| {
        let before = format!("<previousState>{}</previousState>", state(before));
        let item = format!("<instancesSet><item>{before}</item></instancesSet>");
        response(action, &item)
    };
    let (ec2, wire) = once([
        changed("TerminateInstances", State::Running),
        changed("StopInstances", State::Running),
        changed("StartInstances", State::Stopped),
        page(&[instance(&machine(1, State::Running), "prod")], None),
        response("RebootInstances", "<return>true</return>"),
        response("CreateTags", "<return>true</return>"),
    ]);
    for change in [
        ec2.terminate(&id()).await,
        ec2.stop(&id()).await,
        ec2.resume(&id()).await,
        ec2.reboot(&id()).await,
        ec2.retag(&id(), 7).await,
    ] {
        assert_eq!(change.expect("taken"), Change::Underway);
    }
    let expected = |action| format!("Action={action}\nVersion=2016-11-15\nInstanceId.1={ID}");
    let sent = wire.sent();
    assert_eq!(sent[0], expected("TerminateInstances"));
    assert_eq!(sent[1], expected("StopInstances"));
    assert_eq!(sent[2], expected("StartInstances"));
    assert_eq!(sent[4], expected("RebootInstances"));
    let tagged = format!(
        "Action=CreateTags\nVersion=2016-11-15\nResourceId.1={ID}\nTag.1.Key=platform:gen\nTag.1.Value=7"
    );
    assert_eq!(sent[5], tagged);
    assert_eq!(sent.len(), 6);
}

#[tokio::test]
async fn listings_page_by_page() {
    let of = |number| instance(&machine(number, State::Running), "prod");
    let (ec2, wire) = once([
        page(&[of(1), of(2)], Some("two+/=")),
        // An empty page is not the last one.
        page(&[], Some("three")),
        page(&[of(3), of(1)], None),
    ]);
    let listing = ec2.list(Whose::Stack).await.expect("whole");
    assert_eq!(listing.machines().len(), 3);
    let expected = "\
Action=DescribeInstances
Version=2016-11-15
Filter.1.Name=tag:platform:managed
Filter.1.Value.1=true
Filter.2.Name=tag:platform:stage
Filter.2.Value.1=prod
Filter.3.Name=instance-state-name
Filter.3.Value.1=pending
Filter.3.Value.2=running
Filter.3.Value.3=stopping
Filter.3.Value.4=stopped
MaxResults=1000";
    let next = |token: &str| sorted_text(&format!("{expected}\nNextToken={token}"));
    let sent: Vec<_> = wire.sent().iter().map(|form| sorted_text(form)).collect();
    assert_eq!(sent, [sorted_text(expected), next("two+/="), next("three")]);
}

fn sorted_text(form: &str) -> String {
    sorted(form).join("\n")
}

#[tokio::test]
async fn ids_tokens_and_workspaces_are_filters() {
    let (ec2, wire) = once([page(&[], None), page(&[], None), page(&[], None)]);
    ec2.describe(&[id()]).await.expect("whole");
    ec2.started(&launch(1)).await.expect("a look");
    ec2.list(Whose::Workspace(workspace(1)))
        .await
        .expect("whole");
    let sent = wire.sent();
    let one = |name: &str, value: &str| {
        format!(
            "Action=DescribeInstances\nVersion=2016-11-15\nFilter.1.Name={name}\n\
             Filter.1.Value.1={value}\nMaxResults=1000"
        )
    };
    assert_eq!(sorted(&sent[0]), sorted(&one("instance-id", ID)));
    assert_eq!(
        sorted(&sent[1]),
        sorted(&one("client-token", &launch(1).token()))
    );
    for line in [
        "Filter.3.Name=tag:platform:workspace-id",
        "Filter.3.Value.1=00000000-0000-4000-8000-000000000001",
        "Filter.4.Name=instance-state-name",
    ] {
        assert!(sent[2].lines().any(|sent| sent == line), "{line}");
    }
}

#[tokio::test]
async fn at_most_200_ids_per_request() {
    let ids: Vec<_> = (1..=201).map(|n| machine(n, State::Running).id).collect();
    let last = instance(&machine(201, State::Running), "prod");
    let (ec2, wire) = once([page(&[], None), page(&[last], None)]);
    let listing = ec2.describe(&ids).await.expect("whole");
    assert_eq!(listing.machines().len(), 1);
    let values = |form: &String| form.lines().filter(|it| it.contains(".Value.")).count();
    assert_eq!(wire.sent().iter().map(values).collect::<Vec<_>>(), [200, 1]);
}

#[tokio::test]
async fn consoles_and_disks() {
    let (ec2, wire) = once([
        response("GetConsoleOutput", "<output>aGVsbG8=</output>"),
        response("DescribeVolumes", "<volumeSet/>"),
        response("DeleteVolume", "<return>true</return>"),
    ]);
    assert_eq!(ec2.console(&id()).await.expect("text"), "hello");
    ec2.leftovers().await.expect("whole");
    let volume: VolumeId = "vol-00000000000000001".parse().expect("an id");
    ec2.delete_volume(&volume).await.expect("deleted");
    let sent = wire.sent();
    let console =
        format!("Action=GetConsoleOutput\nVersion=2016-11-15\nInstanceId={ID}\nLatest=true");
    assert_eq!(sorted(&sent[0]), sorted(&console));
    let volumes = "\
Action=DescribeVolumes
Version=2016-11-15
Filter.1.Name=tag:platform:managed
Filter.1.Value.1=true
Filter.2.Name=tag:platform:stage
Filter.2.Value.1=prod
Filter.3.Name=status
Filter.3.Value.1=available
MaxResults=500";
    assert_eq!(sorted(&sent[1]), sorted(volumes));
    let delete = format!("Action=DeleteVolume\nVersion=2016-11-15\nVolumeId={volume}");
    assert_eq!(sent[2], delete);
}

/// Permissions are compared with what the fake was asked for, so both must need the same.
#[tokio::test]
async fn every_call_needs_what_the_fake_says() {
    let changed = |action: &str, before| {
        let before = format!("<previousState>{}</previousState>", state(before));
        let item = format!("<instancesSet><item>{before}</item></instancesSet>");
        response(action, &item)
    };
    let shown = || page(&[instance(&machine(1, State::Running), "prod")], None);
    let done = |action| response(action, "<return>true</return>");
    let mut made = machine(1, State::Pending);
    made.client_token = launch(1).token();
    let item = instance(&made, "prod");
    let set = format!("<instancesSet><item>{item}</item></instancesSet>");
    let volume: VolumeId = "vol-00000000000000001".parse().expect("an id");
    let all = [
        (Op::Start, vec![response("RunInstances", &set)]),
        (Op::Started, vec![page(&[], None)]),
        (Op::Resume, vec![changed("StartInstances", State::Stopped)]),
        (Op::Stop, vec![changed("StopInstances", State::Running)]),
        (Op::Reboot, vec![shown(), done("RebootInstances")]),
        (Op::Retag, vec![done("CreateTags")]),
        (
            Op::Terminate,
            vec![changed("TerminateInstances", State::Running)],
        ),
        (Op::Describe, vec![page(&[], None)]),
        (Op::List, vec![page(&[], None)]),
        (
            Op::Console,
            vec![response("GetConsoleOutput", "<output>aGVsbG8=</output>")],
        ),
        (
            Op::Leftovers,
            vec![response("DescribeVolumes", "<volumeSet/>")],
        ),
        (Op::DeleteVolume, vec![done("DeleteVolume")]),
    ];
    for (op, answers) in all {
        let (ec2, wire) = once(answers);
        let went = match op {
            Op::Start => ec2.start(&launch(1)).await.map(drop),
            Op::Started => ec2.started(&launch(1)).await.map(drop),
            Op::Resume => ec2.resume(&id()).await.map(drop),
            Op::Stop => ec2.stop(&id()).await.map(drop),
            Op::Reboot => ec2.reboot(&id()).await.map(drop),
            Op::Retag => ec2.retag(&id(), 7).await.map(drop),
            Op::Terminate => ec2.terminate(&id()).await.map(drop),
            Op::Describe => ec2.describe(&[id()]).await.map(drop),
            Op::List => ec2.list(Whose::Stack).await.map(drop),
            Op::Console => ec2.console(&id()).await.map(drop),
            Op::Leftovers => ec2.leftovers().await.map(drop),
            Op::DeleteVolume => ec2.delete_volume(&volume).await.map(drop),
        };
        went.expect("taken");
        let sent = wire.sent();
        let action = |form: &String| {
            let action = form.lines().find_map(|it| it.strip_prefix("Action="));
            format!("ec2:{}", action.expect("an action"))
        };
        let mut needed: Vec<String> = sent.iter().map(action).collect();
        if sent.iter().any(|form| form.contains("TagSpecification.")) {
            needed.push("ec2:CreateTags".to_owned());
            // The role stands in the launch template, and whoever launches passes it.
            needed.push("iam:PassRole".to_owned());
        }
        assert_eq!(needed, op.actions(), "{op:?}");
    }
}
