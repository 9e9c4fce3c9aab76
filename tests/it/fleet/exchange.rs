//! `POST /bootstrap/exchange`: who proves to be the machine gets the token, and nobody else.

use domain::{
    Error,
    lifecycle::{Act, BootFailure},
};
use e2e::{
    Answer,
    counted::{Fault as Broken, InProcess},
};
use fleet::{
    Crew,
    exchange::{self, Exchange, signed::Signed, sts::Identifies},
    machines::{
        MachineId, Owner, State,
        fake::{FakeEc2, Fault, Op},
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Own, SETTLED, Yard, vault};

const SIGNS: &str = "content-type;host;x-amz-date;x-amz-security-token;x-molecule-stack";

/// Knows whose signature it is by the token; `wrong` is not right, `away` is no answer.
#[derive(Debug)]
struct Sts;

impl Identifies for Sts {
    async fn identify(&self, signed: &Signed) -> domain::Result<Option<String>> {
        match signed.token.as_str() {
            "wrong" => Ok(None),
            "away" => Err(Error::unavailable("STS is away")),
            session => Ok(Some(format!(
                "arn:aws:sts::000000000000:assumed-role/{session}"
            ))),
        }
    }
}

type Door = Exchange<FakeEc2, Sts>;

fn door(yard: &Yard) -> &'static Door {
    Box::leak(Box::new(Exchange {
        crew: Crew {
            app: yard.inside.app,
            machines: yard.ec2.clone(),
        },
        vault: vault(&yard.inside),
        sts: Sts,
        region: "eu-central-1".to_owned(),
        stack: "prod".to_owned(),
        role: "arn:aws:iam::000000000000:role/agents/machine".parse().ok(),
    }))
}

/// The headers of a request of this session.
fn headers(session: &str) -> Value {
    let date = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &date[..8];
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/{day}/eu-central-1/sts/aws4_request, \
         SignedHeaders={SIGNS}, Signature={}",
        "0a".repeat(32)
    );
    json!({
        "Authorization": authorization, "X-Amz-Date": date,
        "X-Amz-Security-Token": session, "X-Molecule-Stack": "prod",
    })
}

async fn knock(yard: &Yard, door: &'static Door, headers: &Value) -> Answer {
    let call = yard.inside.post("/bootstrap/exchange");
    let call = call.json(&json!({"headers": headers}));
    call.to(door, exchange::handle).await
}

pub(super) async fn asks(yard: &Yard, machine: &MachineId) -> Answer {
    let session = format!("machine/{machine}");
    knock(yard, door(yard), &headers(&session)).await
}

fn refused(answer: &Answer) {
    assert_eq!(answer.error(), (401, "bootstrap refused"));
    assert_eq!(answer.json, json!({"error": "bootstrap refused"}));
}

async fn registers(inside: &InProcess, own: Own, token: &str) -> Answer {
    let body = json!({"id": own.0.to_string(), "url": "https://8.8.8.8/", "agent_card": {}});
    let call = inside.post("/registry/register").bearer(token);
    call.json(&body).await
}

#[tokio::test]
async fn a_machine_gets_its_environment_and_the_one_live_token() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    let path = format!("/workspaces/{}/secrets", own.0);
    for (key, value) in [("OWN", "secret"), ("TIER", "9")] {
        let set = yard.inside.post(&path).bearer(&yard.inside.admin);
        set.json(&json!({"key": key, "value": value}))
            .await
            .expect(200);
    }
    yard.provision(own, 1).await.expect("made");
    let machine = yard.machine_of(own).await;
    let first = asks(&yard, &machine.id).await.expect(200);
    assert_eq!(first.header("cache-control"), "no-store");
    assert_eq!(first.json["workspace_id"], own.0.to_string());
    assert_eq!(first.json["generation"], 1);
    assert_eq!(first.json["runtime"], "example");
    assert_eq!(first.json["image"], "example:1");
    let env = &first.json["env"];
    assert_eq!((&env["OWN"], &env["TIER"]), (&json!("secret"), &json!("9")));
    assert_eq!(env["WORKSPACE_ID"], own.0.to_string());
    assert_eq!(env["GIT_AUTHOR_NAME"], "Molecule AI Own");
    assert_eq!(env["PLATFORM_URL"], first.json["platform_url"]);

    // Until it has registered it may ask again, and the token of before is dead.
    let second = asks(&yard, &machine.id).await.expect(200);
    let (old, new) = (first.text("token"), second.text("token"));
    assert_eq!(registers(&yard.inside, own, &old).await.status, 401);
    registers(&yard.inside, own, &new).await.expect(200);
    let tokens = yard.inside.get(&format!("/workspaces/{}/tokens", own.0));
    let tokens = tokens.bearer(&yard.inside.admin).await.expect(200);
    assert_eq!(tokens.json["count"], 1);
    refused(&asks(&yard, &machine.id).await);
    assert_eq!(yard.status(own).await, "online");
}

#[tokio::test]
async fn a_boot_may_be_here_before_its_launch_is_recorded() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    let owner = Owner {
        workspace_id: own.0,
        generation: 1,
    };
    let first = yard.ec2.stranger("prod", Some(owner));
    asks(&yard, &first).await.expect(200);
    let record = yard.record(own).await.expect("a record");
    assert_eq!(record.instance_id.as_deref(), Some(first.as_str()));
    // A second machine of the same generation comes too late, whoever made it.
    let second = yard.ec2.stranger("prod", Some(owner));
    refused(&asks(&yard, &second).await);
    yard.provision(own, 1).await.expect("done");
    assert_eq!(yard.ec2.alive().len(), 2, "nothing was made");
}

#[tokio::test]
async fn every_lie_is_refused_and_all_look_the_same() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    yard.provision(own, 1).await.expect("made");
    let id = yard.machine_of(own).await.id;
    let door = door(&yard);
    for session in [
        "wrong".to_owned(),
        format!("other/{id}"),
        "machine/somebody".to_owned(),
        "machine/i-0123456789abcdef0".to_owned(),
    ] {
        refused(&knock(&yard, door, &headers(&session)).await);
    }
    let honest = headers(&format!("machine/{id}"));
    let auth = honest["Authorization"].as_str().expect("text").to_owned();
    for (name, value) in [
        ("X-Molecule-Stack", "test".to_owned()),
        ("X-Amz-Date", "20200101T000000Z".to_owned()),
        ("Host", "sts.evil.example".to_owned()),
        ("Authorization", auth.replace("eu-central-1", "us-east-1")),
        ("Authorization", auth.replace(";x-molecule-stack", "")),
        ("Authorization", auth.replace("host;", "")),
    ] {
        let mut lie = honest.clone();
        lie[name] = value.into();
        refused(&knock(&yard, door, &lie).await);
    }
    for body in [
        json!({}),
        json!([]),
        json!({"headers": []}),
        json!({"url": "https://sts"}),
    ] {
        let call = yard.inside.post("/bootstrap/exchange").json(&body);
        refused(&call.to(door, exchange::handle).await);
    }
    let (workspace_id, generation) = (own.0, 1);
    for (stack, owner) in [
        (
            "test",
            Some(Owner {
                workspace_id,
                generation,
            }),
        ),
        ("prod", None),
        (
            "prod",
            Some(Owner {
                workspace_id,
                generation: 0,
            }),
        ),
        (
            "prod",
            Some(Owner {
                workspace_id,
                generation: 2,
            }),
        ),
        (
            "prod",
            Some(Owner {
                workspace_id,
                generation,
            }),
        ),
        (
            "prod",
            Some(Owner {
                workspace_id: domain::WorkspaceId::random(),
                generation,
            }),
        ),
    ] {
        let liar = yard.ec2.stranger(stack, owner);
        refused(&asks(&yard, &liar).await);
    }
    assert!(!yard.has_token(own).await);
    knock(&yard, door, &honest).await.expect(200);
}

#[tokio::test]
async fn a_process_of_before_does_not_pass_for_the_new_one() {
    let yard = Yard::new().await;
    let (own, machine) = yard.online().await;
    refused(&asks(&yard, &machine.id).await);
    let generation = yard.act(own, Act::Restart).await;
    // Not rebooted yet: its tag is of the generation before.
    refused(&asks(&yard, &machine.id).await);
    yard.provision(own, generation).await.expect("rebooted");
    let given = asks(&yard, &machine.id).await.expect(200);
    assert_eq!(given.json["generation"], generation);
    assert_eq!(given.json["reset_session"], false);

    let path = format!("/workspaces/{}/restart?reset=true", own.0);
    let reset = yard.inside.post(&path).bearer(&yard.inside.admin);
    reset.await.expect(200);
    yard.provision(own, generation + 1).await.expect("rebooted");
    let given = asks(&yard, &machine.id).await.expect(200);
    assert_eq!(given.json["reset_session"], true);

    // Nor does one that is off, or whose workspace is to sleep or gone.
    yard.ec2.put(&machine.id, State::Stopped);
    refused(&asks(&yard, &machine.id).await);
    yard.ec2.put(&machine.id, State::Running);
    yard.act(own, Act::Pause).await;
    refused(&asks(&yard, &machine.id).await);
    yard.delete(own).await;
    refused(&asks(&yard, &machine.id).await);
}

#[tokio::test]
async fn who_does_not_answer_is_no_refusal() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    yard.provision(own, 1).await.expect("made");
    yard.ec2.advance(SETTLED);
    let id = yard.machine_of(own).await.id;
    let away = knock(&yard, door(&yard), &headers("away")).await;
    assert_eq!((away.status, away.header("retry-after")), (503, "5"));
    for fault in [Fault::THROTTLED, Fault::NeverArrives, Fault::CutShort] {
        yard.ec2.fail(Op::Describe, fault);
        assert_eq!(asks(&yard, &id).await.status, 503, "{fault:?}");
    }
    let broken = Broken::error("ValidationException", "no");
    yard.inside.wire.fail("TransactWriteItems", 1, broken);
    assert_eq!(asks(&yard, &id).await.status, 503);
    assert!(!yard.has_token(own).await);
    asks(&yard, &id).await.expect(200);
}

#[tokio::test]
async fn who_comes_up_too_late_is_not_taken_for_online() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    yard.provision(own, 1).await.expect("made");
    let machine = yard.machine_of(own).await;
    let token = asks(&yard, &machine.id).await.expect(200).text("token");
    yard.act(own, Act::Fail(BootFailure::LAUNCH)).await;
    // Its machine is on its way down: online, it would be offline in three minutes, and stay so.
    let late = registers(&yard.inside, own, &token).await;
    assert_eq!(late.error(), (409, "workspace is failed"));
    assert_eq!(yard.status(own).await, "failed");
    // An operator may run it elsewhere.
    yard.register(own).await;
    assert_eq!(yard.status(own).await, "online");
}
