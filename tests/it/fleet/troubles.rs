//! What EC2 refuses, and what it does not say.

use domain::lifecycle::Act;
use fleet::jobs::Progress;
use fleet::machines::fake::{Fault, Op};

use super::{SETTLED, Yard};

#[tokio::test]
async fn throttling_is_tried_again_and_makes_one_machine() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    for op in [Op::Start, Op::List] {
        yard.ec2.fail(op, Fault::THROTTLED);
        yard.provision(own, 1).await.expect_err("throttled");
        assert!(yard.ec2.alive().is_empty());
        assert_eq!(yard.status(own).await, "provisioning");
    }
    yard.provision(own, 1).await.expect("made");
    assert_eq!(yard.ec2.alive().len(), 1);
    assert_eq!(yard.record(own).await.expect("a record").attempt, 1);
}

#[tokio::test]
async fn where_there_is_no_room_the_next_place_is_tried_and_all_full_fails() {
    let yard = Yard::new().await;
    for subnet in ["subnet-a", "subnet-b"] {
        yard.ec2.fill(subnet, "t3.medium");
    }
    let own = yard.workspace().await;
    yard.provision(own, 1).await.expect("made");
    assert_eq!(yard.machine_of(own).await.instance_type, "t3a.medium");

    for subnet in ["subnet-a", "subnet-b"] {
        yard.ec2.fill(subnet, "t3a.medium");
    }
    let own = yard.workspace().await;
    assert_eq!(
        yard.provision(own, 1).await.expect("an answer"),
        Progress::Done
    );
    failed(&yard, own).await;
}

#[tokio::test]
async fn what_only_a_person_can_mend_fails_and_tells_nothing_of_ec2() {
    for code in [
        "VcpuLimitExceeded",
        "InvalidAMIID.NotFound",
        "UnauthorizedOperation",
    ] {
        let yard = Yard::new().await;
        let own = yard.workspace().await;
        yard.ec2.fail(Op::Start, Fault::Code(code));
        assert_eq!(yard.provision(own, 1).await.expect(code), Progress::Done);
        failed(&yard, own).await;
        // The job of the failure finds nothing to stop and is done.
        assert_eq!(yard.stop(own, 2).await.expect(code), Progress::Done);
        // Who tries again gets a machine.
        let generation = yard.act(own, Act::Restart).await;
        yard.provision(own, generation).await.expect("made");
        assert_eq!(yard.ec2.alive().len(), 1);
    }
}

async fn failed(yard: &Yard, own: super::Own) {
    assert_eq!(yard.status(own).await, "failed");
    assert_eq!(yard.sample_error(own).await, "provisioning failed");
    let events = yard.inside.get(&format!("/events/{}", own.0));
    let events = events.bearer(&yard.inside.admin).await.expect(200);
    assert_eq!(events.json[0]["event_type"], "WORKSPACE_PROVISION_FAILED");
    let text = events.json.to_string();
    assert!(text.contains(r#""error":"provisioning failed""#), "{text}");
    for inside in ["Vcpu", "AMI", "t3", "subnet", "Insufficient"] {
        assert!(!text.contains(inside), "{text}");
    }
}

#[tokio::test]
async fn the_machine_of_a_lost_answer_is_found() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    yard.ec2.fail(Op::Start, Fault::AnswerLost);
    yard.provision(own, 1).await.expect("found by its token");
    assert_eq!(yard.ec2.alive().len(), 1);
    yard.machine_of(own).await;

    // Not shown yet: tried again with the same token.
    let own = yard.workspace().await;
    yard.ec2.lag(SETTLED);
    yard.ec2.fail(Op::Start, Fault::AnswerLost);
    yard.provision(own, 1).await.expect_err("not known");
    assert_eq!(yard.ec2.alive().len(), 2);
    // Deployed in between: EC2 refuses the repeat, and the first is still the right one.
    yard.ec2.redeploy();
    yard.ec2.advance(SETTLED);
    yard.provision(own, 1).await.expect("found");
    yard.machine_of(own).await;
    assert_eq!(yard.ec2.alive().len(), 2);
}

#[tokio::test]
async fn a_broken_listing_is_never_nothing() {
    let yard = Yard::new().await;
    let (own, machine) = yard.online().await;
    let generation = yard.act(own, Act::Restart).await;
    for op in [Op::Describe] {
        yard.ec2.fail(op, Fault::CutShort);
        yard.provision(own, generation).await.expect_err("half");
    }
    assert_eq!(yard.machine_of(own).await.id, machine.id);
    let gone = yard.act(own, Act::Pause).await;
    for op in [Op::Describe, Op::List] {
        yard.ec2.fail(op, Fault::CutShort);
        yard.stop(own, gone).await.expect_err("half");
    }
    yard.delete(own).await;
    for op in [Op::Describe, Op::List] {
        yard.ec2.fail(op, Fault::CutShort);
        yard.stop(own, gone + 1).await.expect_err("half");
        assert!(yard.record(own).await.is_some(), "still to be ended");
    }
    yard.stop(own, gone + 1).await.expect("ended");
    assert!(yard.ec2.alive().is_empty());
}
