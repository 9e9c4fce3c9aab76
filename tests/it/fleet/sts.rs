//! The exchange's question to STS, on the emulator's: signed by hand, as docs/bootstrap.md says it.

use domain::WorkspaceId;
use e2e::counted::Fault as Broken;
use fleet::{
    Crew,
    exchange::{
        self, Exchange,
        signed::{BODY, CONTENT_TYPE, Expected, Handed},
        sts::{Identifies as _, Sts},
    },
    machines::{MachineId, Owner},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Yard, vault};

const REGION: &str = "us-east-1";
const HOST: &str = "sts.us-east-1.amazonaws.com";
const ROLE: &str = "arn:aws:iam::000000000000:role/machine";

/// Credentials of a session.
struct Session {
    key: String,
    secret: String,
    token: String,
}

fn hash(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC with SHA-256; keys are at most a block long here.
fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    let pad = |with: u8| -> Vec<u8> {
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        block.iter().map(|byte| byte ^ with).collect()
    };
    let inner = hash(&[pad(0x36), text.as_bytes().to_vec()].concat());
    hash(&[pad(0x5c), inner.to_vec()].concat())
}

/// The headers of a signed request to STS with this body.
fn signed(session: &Session, stack: &str, body: &str) -> Vec<(&'static str, String)> {
    signed_for("sts", HOST, session, stack, body)
}

fn signed_for(
    service: &str,
    host: &str,
    session: &Session,
    stack: &str,
    body: &str,
) -> Vec<(&'static str, String)> {
    let date = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut headers = vec![
        ("content-type", CONTENT_TYPE.to_owned()),
        ("host", host.to_owned()),
        ("x-amz-date", date.clone()),
        ("x-amz-security-token", session.token.clone()),
        ("x-molecule-stack", stack.to_owned()),
    ];
    headers.retain(|(_, value)| !value.is_empty());
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let digest = hex(&hash(body.as_bytes()));
    let canonical = format!("POST\n/\n\n{lines}\n{names}\n{digest}");
    let scope = format!("{}/{REGION}/{service}/aws4_request", &date[..8]);
    let canonical = hex(&hash(canonical.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{canonical}");
    let mut key = format!("AWS4{}", session.secret).into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part).to_vec();
    }
    let signature = hex(&hmac(&key, &text));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        session.key
    );
    headers.push(("authorization", authorization));
    headers
}

/// What the emulator says to a request.
async fn sent(headers: Vec<(&'static str, String)>, body: String) -> String {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("set by `make test`");
    let mut request = reqwest::Client::new().post(endpoint);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.body(body).send().await.expect("an answer");
    answer.text().await.expect("text")
}

/// What EC2 does for an instance: a session of the role, named by it.
async fn session(machine: &MachineId) -> Session {
    let var = |name| std::env::var(name).expect("set by `make test`");
    let account = Session {
        key: var("AWS_ACCESS_KEY_ID"),
        secret: var("AWS_SECRET_ACCESS_KEY"),
        token: String::new(),
    };
    // As the role of a stack is, but that here the account itself may assume it.
    let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A\
        %22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22arn%3Aaws%3Aiam%3A%3A000000000000%3Aroot\
        %22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
    let body = format!(
        "Action=CreateRole&Version=2010-05-08&RoleName=machine&AssumeRolePolicyDocument={trust}"
    );
    // The second to ask is told that it is there.
    let iam = signed_for("iam", "iam.amazonaws.com", &account, "", &body);
    sent(iam, body).await;
    let body =
        format!("Action=AssumeRole&Version=2011-06-15&RoleArn={ROLE}&RoleSessionName={machine}");
    let text = sent(signed(&account, "", &body), body).await;
    let field = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>")).expect(&text);
        rest.split('<').next().unwrap_or_default().to_owned()
    };
    Session {
        key: field("AccessKeyId"),
        secret: field("SecretAccessKey"),
        token: field("SessionToken"),
    }
}

/// The body of an exchange.
fn handed(session: &Session, stack: &str) -> Value {
    let travels = [
        "authorization",
        "x-amz-date",
        "x-amz-security-token",
        "x-molecule-stack",
    ];
    let headers: serde_json::Map<String, Value> = signed(session, stack, BODY)
        .into_iter()
        .filter(|(name, _)| travels.contains(name))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    json!({ "headers": headers })
}

fn sts() -> Sts {
    Sts::start(REGION, true).expect("a client")
}

#[tokio::test]
async fn a_session_of_the_role_is_its_machine_and_forged_ones_are_nobody() {
    let machine: MachineId = "i-0123456789abcdef0".parse().expect("an id");
    let session = session(&machine).await;
    let judged = |body: Value, stack: &str| {
        let handed: Handed = serde_json::from_value(body).expect("the form");
        let now = Timestamp::now();
        handed
            .judge(Expected {
                region: REGION,
                stack,
                now,
            })
            .expect("the form")
    };
    let honest = judged(handed(&session, "prod"), "prod");
    let arn = sts().identify(&honest).await.expect("an answer");
    let expected = "arn:aws:sts::000000000000:assumed-role/machine/i-0123456789abcdef0";
    assert_eq!(arn.as_deref(), Some(expected));

    // The signature is over all that travels.
    let mut other_stack = honest.clone();
    other_stack.stack = "other".to_owned();
    let mut other_token = honest.clone();
    other_token.token.push('A');
    let mut other_signature = honest.clone();
    let end = other_signature.authorization.pop();
    let forged = if end == Some('0') { '1' } else { '0' };
    other_signature.authorization.push(forged);
    for lie in [other_stack, other_token, other_signature] {
        let nobody = sts().identify(&lie).await.expect("an answer");
        assert_eq!(nobody, None, "{lie:?}");
    }
}

#[tokio::test]
async fn a_machine_boots_by_what_the_docs_say() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    yard.provision(own, 1).await.expect("made");
    let door: &Exchange<_, Sts> = Box::leak(Box::new(Exchange {
        crew: Crew {
            app: yard.inside.app,
            machines: yard.ec2.clone(),
        },
        vault: vault(&yard.inside),
        sts: sts(),
        region: REGION.to_owned(),
        stack: "prod".to_owned(),
        role: ROLE.parse().ok(),
    }));
    let machine = yard.machine_of(own).await.id;
    let session_of = session(&machine).await;
    let knock = |body: Value| {
        let call = yard.inside.post("/bootstrap/exchange").json(&body);
        call.to(door, exchange::handle)
    };
    let given = knock(handed(&session_of, "prod")).await.expect(200);
    assert_eq!(given.json["workspace_id"], own.0.to_string());
    assert_eq!(knock(handed(&session_of, "other")).await.status, 401);
    let workspace_id = WorkspaceId::random();
    let owner = Owner {
        workspace_id,
        generation: 1,
    };
    let other = yard.ec2.stranger("prod", Some(owner));
    let other = session(&other).await;
    assert_eq!(knock(handed(&other, "prod")).await.status, 401);

    let away = Broken::error("ValidationException", "no");
    yard.inside.wire.fail("BatchGetItem", 1, away);
    assert_eq!(knock(handed(&session_of, "prod")).await.status, 503);
}
