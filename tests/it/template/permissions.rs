//! What each function may do against what it does: run in process, every call recorded.

use std::collections::BTreeMap;

use domain::Mode;
use e2e::{
    counted::{AwsCall, InCall, InProcess},
    notes::Permissions,
    template::{Template, there},
};

use super::{elsewhere::ELSEWHERE, listeners, paths};

/// Actions that know no resources.
const OF_EVERYTHING: [&str; 2] = ["ec2:DescribeInstances", "ec2:DescribeVolumes"];
/// Images are wherever the operator has them; other accounts' repositories say whom they let in.
const IMAGES_ANYWHERE: (&str, &str) = ("ecr:DescribeImages", "ecr:*:*:repository/*");

/// What the functions called so far have needed.
#[derive(Default)]
pub(super) struct Needed(pub(super) BTreeMap<String, Permissions>);

impl Needed {
    /// Makes a call that must not fail of itself, and keeps what it needed.
    pub(super) async fn by(&mut self, call: InCall) -> e2e::Answer {
        let function = call.function();
        let (answer, calls) = call.counted().await;
        assert!(answer.status < 500, "{function}: {answer:?}");
        e2e::notes::needed(&function, &calls);
        let needed = self.0.entry(function).or_default();
        needed.extend(calls.iter().flat_map(AwsCall::permissions));
        answer
    }

    /// Does this work, which is one of a function that no route calls, and keeps what it needed.
    pub(super) async fn during<T>(
        &mut self,
        function: &str,
        inside: &InProcess,
        work: impl Future<Output = T>,
    ) -> T {
        inside.wire.take();
        let done = work.await;
        let needed = self.0.entry(function.to_owned()).or_default();
        needed.extend(inside.wire.take().iter().flat_map(AwsCall::permissions));
        done
    }
}

/// What a function needs to note that a token was used, if it may not change the table otherwise.
fn notes() -> (String, String) {
    let keys = "Table[TOKENS#*,ORG_TOKENS]";
    ("dynamodb:UpdateItem".to_owned(), keys.to_owned())
}

#[test]
fn functions_that_look_credentials_up_may_note_that_a_token_was_used() {
    for function in Template::ours().functions() {
        let grants = function.grants();
        let may = |action: &str, on: &str| {
            let wanted = (format!("dynamodb:{action}"), on.to_owned());
            grants.contains(&wanted)
        };
        // Machines have no token when they exchange their signature for one.
        let elsewhere = ["events.connect", "events.live"].contains(&function.handler());
        let answers = elsewhere || !function.events("HttpApi").is_empty();
        let looks =
            answers && function.handler() != "fleet.exchange" && may("BatchGetItem", "Table");
        let (all, some) = (may("UpdateItem", "Table"), grants.contains(&notes()));
        assert!(!(all && some), "{} twice", function.id);
        assert!(!looks || all || some, "{} may not", function.id);
        assert!(looks || !some, "{} needs not", function.id);
    }
}

#[test]
fn nothing_is_granted_on_everything() {
    for function in Template::ours().functions() {
        for (action, resource) in function.grants() {
            let (id, allowed) = (function.id, format!("{action} on {resource}"));
            assert!(!action.contains('*'), "{id}: {allowed}");
            // EC2 shows all or nothing.
            if OF_EVERYTHING.contains(&action.as_str()) && resource == "*" {
                continue;
            }
            let (asks, of) = IMAGES_ANYWHERE;
            // Which keys these may be is in `leading_keys.rs`.
            if (action == asks && resource.ends_with(of)) || resource.starts_with("Table[") {
                continue;
            }
            let folder = resource.strip_suffix("/*").unwrap_or(&resource);
            assert!(
                !folder.contains('*') && !folder.is_empty(),
                "{id}: {allowed}"
            );
            // To list is an action on the bucket; what is listed is its condition.
            let lists = action == "s3:ListBucket";
            assert_eq!(folder == "Bucket", lists, "{id}: {allowed}");
        }
        let policies = function.property("Policies");
        let policies = policies.as_array().into_iter().flatten();
        for policy in policies {
            let statements = policy["Statement"].as_array().expect("statements");
            for statement in statements {
                let statement = there(statement);
                let actions = statement["Action"].as_array().expect("actions");
                if actions.iter().any(|action| action == "s3:ListBucket") {
                    let folders = statement["Condition"]["StringLike"]["s3:prefix"].as_array();
                    let folders = folders.expect("folders that may be listed");
                    let whole = folders.iter().filter_map(|it| it.as_str());
                    assert!(whole.clone().all(|it| it.ends_with("/*")), "{statement}");
                    assert_eq!(actions.len(), 1, "{statement}");
                }
            }
        }
    }
}

/// EC2 asks about each thing that a launch template names; the emulator about none of them.
#[test]
fn a_machine_may_be_made_of_these_things_of_a_launch_template() {
    let template = Template::ours();
    let makes = template
        .functions()
        .find(|it| it.handler() == "fleet.provision");
    let grants = makes.expect("there").grants();
    let mut kinds: Vec<&str> = grants
        .iter()
        .filter(|(action, _)| action == "ec2:RunInstances")
        .filter_map(|(_, on)| on.strip_suffix("/*")?.rsplit(':').next())
        .collect();
    kinds.sort_unstable();
    let wanted = [
        "image",
        "instance",
        "key-pair",
        "launch-template",
        "network-interface",
        "security-group",
        "subnet",
        "volume",
    ];
    assert_eq!(kinds, wanted);
}

#[tokio::test]
async fn functions_may_do_what_they_do_and_nothing_else() {
    let mut needed = Needed::default();
    // Alone: only the first of all global secrets makes a key.
    let inside = InProcess::alone(Mode::DevClosed).await;
    Box::pin(paths::walk(&inside, &mut needed)).await;
    // On the heap: all walks' futures in one would not fit a test's stack.
    Box::pin(listeners::walk(&inside, &mut needed)).await;

    compare(&needed, |function| !ELSEWHERE.contains(&function));
}

/// Holds what functions needed against what they may, both ways.
pub(super) fn compare(needed: &Needed, are_meant: impl Fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for function in Template::ours().functions() {
        let name = function.handler();
        if !are_meant(name) {
            continue;
        }
        let granted = function.grants().into_iter().map(by_action);
        let mut granted: Permissions = granted.collect();
        granted.remove(&notes());
        let Some(needed) = needed.0.get(name) else {
            wrong.push(format!("{name} was not called"));
            continue;
        };
        let needed: Permissions = needed.iter().cloned().map(by_action).collect();
        let list = |what: &str, of: Vec<&(String, String)>| {
            let of = of
                .into_iter()
                .map(|(action, on)| format!("{action} on {on}"));
            of.map(|it| format!("{name} {what} {it}"))
                .collect::<Vec<_>>()
        };
        wrong.extend(list(
            "is not granted",
            needed.difference(&granted).collect(),
        ));
        wrong.extend(list("never uses", granted.difference(&needed).collect()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Of these services the action alone: on what, is in conditions and in patterns of names.
fn by_action((action, on): (String, String)) -> (String, String) {
    let alone = ["ec2:", "ecr:", "iam:"]
        .iter()
        .any(|it| action.starts_with(it));
    (action, if alone { String::new() } else { on })
}
