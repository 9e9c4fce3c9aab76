//! The fake behind EC2's wire: so the suite runs the EC2 code, through the SDK, on the same account.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::xml::{instance, page, refusal, response, state};
use crate::{
    machines::{
        MachineId, VolumeId,
        change::Verb,
        fake::{Account, FakeEc2, Fault, Op, Order},
        tags,
    },
    wire::{Answer, Form, Wire},
};

/// Machines per page, whatever is asked for: so that there are pages.
const PAGE: usize = 2;
/// The token of a page that will not come.
const CUT: &str = "cut";

/// A wire to this fake.
pub(super) fn double(fake: &FakeEc2) -> Wire {
    let fake = fake.clone();
    Wire::new(move |body, form| {
        let mut account = fake.account();
        account.settle();
        if form.get("NextToken").is_some_and(|token| token == CUT) {
            return refusal(500, "InternalError");
        }
        match account.faults.take(op(form)) {
            None => answer(&mut account, body, form),
            Some(Fault::Code(code)) => refusal(status(code), code),
            Some(Fault::AnswerLost) => {
                answer(&mut account, body, form);
                Answer::Lost
            }
            Some(Fault::NeverArrives) => Answer::Lost,
            Some(Fault::CutShort) if form["Action"] == "DescribeInstances" => page(&[], Some(CUT)),
            Some(Fault::CutShort) => {
                let next = format!("<volumeSet/><nextToken>{CUT}</nextToken>");
                response("DescribeVolumes", &next)
            }
        }
    })
}

fn op(form: &Form) -> Op {
    let by = |name| filters(form).iter().any(|(filter, _)| filter == name);
    match form["Action"].as_str() {
        "RunInstances" => Op::Start,
        "StartInstances" => Op::Resume,
        "StopInstances" => Op::Stop,
        "RebootInstances" => Op::Reboot,
        "CreateTags" => Op::Retag,
        "TerminateInstances" => Op::Terminate,
        "DescribeInstances" if by("client-token") => Op::Started,
        "DescribeInstances" if by("instance-id") => Op::Describe,
        "DescribeInstances" => Op::List,
        "GetConsoleOutput" => Op::Console,
        "DescribeVolumes" => Op::Leftovers,
        "DeleteVolume" => Op::DeleteVolume,
        other => panic!("EC2 is asked to {other}"),
    }
}

/// EC2 answers with 500 or 503 where it is to blame.
fn status(code: &str) -> u16 {
    match code {
        "RequestLimitExceeded" | "Unavailable" => 503,
        code if code.starts_with("Insufficient") || code.starts_with("Internal") => 500,
        _ => 400,
    }
}

fn answer(account: &mut Account, body: &str, form: &Form) -> Answer {
    let action = form["Action"].as_str();
    let machine = || -> MachineId {
        let id = form.get("InstanceId.1").or_else(|| form.get("InstanceId"));
        id.expect("an id").parse().expect("the form of an id")
    };
    let answer = match action {
        "RunInstances" => run(account, body, form),
        "StartInstances" => changed(account, action, Verb::Resume, &machine()),
        "StopInstances" => changed(account, action, Verb::Stop, &machine()),
        "TerminateInstances" => changed(account, action, Verb::Terminate, &machine()),
        "CreateTags" => retag(account, form),
        "RebootInstances" => account
            .reboot(&machine())
            .map(|()| response(action, "<return>true</return>")),
        "DescribeInstances" => Ok(describe(account, form)),
        "GetConsoleOutput" => {
            let seen = account.seen(&machine()).ok_or("InvalidInstanceID.NotFound");
            seen.map(|it| {
                let output = STANDARD.encode(&it.console);
                response(action, &format!("<output>{output}</output>"))
            })
        }
        "DescribeVolumes" => Ok(volumes(account, form)),
        "DeleteVolume" => {
            let id: VolumeId = form["VolumeId"].parse().expect("the form of an id");
            let deleted = account.delete(&id);
            deleted.map(|()| response(action, "<return>true</return>"))
        }
        other => panic!("EC2 is asked to {other}"),
    };
    answer.unwrap_or_else(|code| refusal(status(code), code))
}

fn run(account: &mut Account, body: &str, form: &Form) -> Result<Answer, &'static str> {
    let tag = |key: &str| {
        (1..=9).find_map(|n| {
            let name = form.get(&format!("TagSpecification.1.Tag.{n}.Key"))?;
            let value = form.get(&format!("TagSpecification.1.Tag.{n}.Value"))?;
            (name == key).then_some(value.as_str())
        })
    };
    let stack = tag(tags::STAGE).unwrap_or_default().to_owned();
    let machine = account.run(Order {
        token: form["ClientToken"].clone(),
        bytes: body.to_owned(),
        stack: stack.clone(),
        owner: tags::owner(tag),
        subnet: form["SubnetId"].clone(),
        instance_type: form["InstanceType"].clone(),
    })?;
    let item = instance(&machine, &stack);
    let set = format!("<instancesSet><item>{item}</item></instancesSet>");
    Ok(response("RunInstances", &set))
}

fn retag(account: &mut Account, form: &Form) -> Result<Answer, &'static str> {
    assert_eq!(form["Tag.1.Key"], tags::GENERATION);
    let id: MachineId = form["ResourceId.1"].parse().expect("an id");
    let generation = form["Tag.1.Value"].parse().expect("a number");
    account.retag(&id, generation)?;
    Ok(response("CreateTags", "<return>true</return>"))
}

fn changed(
    account: &mut Account,
    action: &str,
    verb: Verb,
    id: &MachineId,
) -> Result<Answer, &'static str> {
    let (before, after) = account.change(verb, id)?;
    let (before, after) = (state(before), state(after));
    let item = format!(
        "<item><instanceId>{id}</instanceId><currentState>{after}</currentState>\
         <previousState>{before}</previousState></item>"
    );
    Ok(response(
        action,
        &format!("<instancesSet>{item}</instancesSet>"),
    ))
}

fn filters(form: &Form) -> Vec<(String, Vec<String>)> {
    let values = |n: usize| {
        let value = move |m: usize| form.get(&format!("Filter.{n}.Value.{m}")).cloned();
        (1..).map_while(value).collect()
    };
    let filter = |n| Some((form.get(&format!("Filter.{n}.Name"))?.clone(), values(n)));
    (1..).map_while(filter).collect()
}

fn describe(account: &Account, form: &Form) -> Answer {
    let filters = filters(form);
    let shown: Vec<_> = account
        .all_seen()
        .map(|it| (instance(&it.machine, &it.stack), it))
        .filter(|(xml, it)| {
            filters.iter().all(|(name, values)| match name.as_str() {
                "instance-id" => values.iter().any(|id| *id == it.machine.id.as_str()),
                "client-token" => values.contains(&it.machine.client_token),
                "instance-state-name" => values
                    .iter()
                    .any(|name| state(it.machine.state).contains(&format!(">{name}<"))),
                name => {
                    let key = name.strip_prefix("tag:").expect("a filter of ours");
                    let tag = format!("<key>{key}</key><value>{}</value>", values[0]);
                    xml.contains(&tag)
                }
            })
        })
        .map(|(xml, _)| xml)
        .collect();
    let from = form
        .get("NextToken")
        .map_or(0, |at| at.parse().expect("our token"));
    let to = shown.len().min(from + PAGE);
    let next = (to < shown.len()).then(|| to.to_string());
    page(&shown[from..to], next.as_deref())
}

fn volumes(account: &Account, form: &Form) -> Answer {
    let stack = &filters(form)[1].1[0];
    let ours = account
        .left
        .values()
        .filter(|(made_by, _)| made_by == stack);
    let items: String = ours
        .map(|(stack, volume)| {
            let owner = volume.owner.expect("an owner");
            let tags: String = [
                (tags::MANAGED, "true".to_owned()),
                (tags::STAGE, stack.clone()),
                (tags::WORKSPACE, owner.workspace_id.to_string()),
                (tags::GENERATION, owner.generation.to_string()),
            ]
            .iter()
            .map(|(key, value)| format!("<item><key>{key}</key><value>{value}</value></item>"))
            .collect();
            let at = volume.created_at.expect("a time");
            format!(
                "<item><volumeId>{}</volumeId><createTime>{at}</createTime>\
                 <status>available</status><tagSet>{tags}</tagSet></item>",
                volume.id
            )
        })
        .collect();
    response(
        "DescribeVolumes",
        &format!("<volumeSet>{items}</volumeSet>"),
    )
}
