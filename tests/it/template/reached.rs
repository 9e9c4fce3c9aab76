//! Permissions against the source: what a function may ask of AWS beside the table and the bucket, some
//! module that it can reach asks; and what a domain asks, one of its functions may. This is the coarse
//! look that needs no run. The fine one is `permissions`, with `elsewhere`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use e2e::template::{Function, Template};

/// What asks for an action, white space left out.
const CALLS: &[(&str, &[&str])] = &[
    ("ec2:CreateTags", &[".create_tags()", ".run_instances()"]),
    ("ec2:DeleteVolume", &[".delete_volume()"]),
    ("ec2:DescribeInstances", &[".describe_instances()"]),
    ("ec2:DescribeVolumes", &[".describe_volumes()"]),
    ("ec2:GetConsoleOutput", &[".get_console_output()"]),
    ("ec2:RebootInstances", &[".reboot_instances()"]),
    ("ec2:RunInstances", &[".run_instances()"]),
    ("ec2:StartInstances", &[".start_instances()"]),
    ("ec2:StopInstances", &[".stop_instances()"]),
    ("ec2:TerminateInstances", &[".terminate_instances()"]),
    ("ecr:DescribeImages", &[".describe_images()"]),
    ("events:PutEvents", &[".put_events()"]),
    (
        "execute-api:ManageConnections",
        &[".post_to_connection()", ".delete_connection()"],
    ),
    // A machine is started with its role.
    ("iam:PassRole", &[".run_instances()"]),
    // The store's vault is the only one who asks KMS.
    ("kms:Decrypt", &["Vault", "vault"]),
    ("kms:GenerateDataKey", &["Vault", "vault"]),
    ("lambda:InvokeFunction", &[".invoke()"]),
    (
        "sqs:ChangeMessageVisibility",
        &[".change_message_visibility()"],
    ),
    ("sqs:DeleteMessage", &[".delete_message()"]),
    ("sqs:GetQueueAttributes", &[".get_queue_attributes()"]),
    ("sqs:ReceiveMessage", &[".receive_message()"]),
    ("sqs:SendMessage", &[".send_message()"]),
];

/// Asked through the store, which says in CONTRIBUTING.md what each of its methods needs.
const OF_THE_STORE: [&str; 2] = ["dynamodb:", "s3:"];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The modules of a crate by the last part of their names, without their tests and white space.
fn modules(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in folder.read_dir().expect("a folder").flatten() {
        let path = entry.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            modules(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && stem != "tests" {
            let name = match stem.as_ref() {
                "mod" => folder.file_name().unwrap_or_default().to_string_lossy(),
                _ => stem,
            };
            let source = fs::read_to_string(&path).expect("a source");
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            let text = found.entry(name.into_owned()).or_default();
            text.extend(source.lines().filter(|it| !it.trim().starts_with("//")));
            text.retain(|it| !it.is_whitespace());
        }
    }
}

/// Whether `source` names the module: in a path, in a list of what is used, or as one of its own.
fn names(source: &str, module: &str) -> bool {
    source.match_indices(module).any(|(at, _)| {
        let is_word = |it: char| it.is_alphanumeric() || it == '_';
        let before = &source[..at];
        let after = &source[at + module.len()..];
        let declared = before.ends_with("mod") && after.starts_with(';');
        let whole = !before.ends_with(is_word) && !after.starts_with(is_word);
        let listed = before.ends_with(['{', ',', ':']) && after.starts_with([',', '}', ';']);
        declared || whole && (after.starts_with("::") || listed)
    })
}

/// All that the handler's module can lead to: the parents of a module are not among it, so a domain's
/// `lib.rs` and `main.rs`, which name everything, lead nowhere.
fn reached(handler: &str, modules: &BTreeMap<String, String>) -> String {
    let start = handler.split('.').nth(1).unwrap_or_default();
    // Two of a kind in one file.
    let start = match start {
        "deliver_vpc" => "deliver",
        "image_watch" => "watch",
        other => other,
    };
    let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
    let mut text = String::new();
    while let Some(module) = next.pop() {
        let Some(source) = modules.get(module).filter(|_| seen.insert(module)) else {
            continue;
        };
        text += source;
        let others = modules.keys().map(String::as_str);
        next.extend(others.filter(|it| !["lib", "main"].contains(it) && names(source, it)));
    }
    assert!(!text.is_empty(), "{handler} is in no module of its name");
    text
}

fn is_of_the_store(action: &str) -> bool {
    OF_THE_STORE.iter().any(|it| action.starts_with(it))
}

fn calls(action: &str) -> &'static [&'static str] {
    let found = CALLS.iter().find(|(known, _)| *known == action);
    let (_, calls) = found.unwrap_or_else(|| panic!("who asks for {action}? Say it in CALLS"));
    calls
}

#[test]
fn what_is_granted_is_asked_for_where_the_function_can_get() {
    let mut wrong = Vec::new();
    let mut sources: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for function in Template::ours().functions() {
        let domain = function.domain();
        let modules = sources.entry(domain).or_insert_with(|| {
            let mut found = BTreeMap::new();
            modules(&root(&format!("functions/{domain}/src")), &mut found);
            found
        });
        let source = reached(function.handler(), modules);
        for (action, resource) in function.grants() {
            let asked =
                is_of_the_store(&action) || calls(&action).iter().any(|call| source.contains(call));
            if !asked {
                wrong.push(format!("{}: {action} on {resource}", function.handler()));
            }
        }
    }
    assert!(wrong.is_empty(), "nobody asks for:\n{}", wrong.join("\n"));
}

#[test]
fn what_a_domain_asks_for_is_granted_to_one_of_its_functions() {
    let template = Template::ours();
    let functions: Vec<Function<'_>> = template.functions().collect();
    let domains: BTreeSet<&str> = functions.iter().map(Function::domain).collect();
    let mut wrong = Vec::new();
    for domain in domains {
        let mut modules_of = BTreeMap::new();
        modules(&root(&format!("functions/{domain}/src")), &mut modules_of);
        let granted: BTreeSet<String> = functions
            .iter()
            .filter(|it| it.domain() == domain)
            .flat_map(Function::grants)
            .map(|(action, _)| action)
            .collect();
        for (action, calls) in CALLS {
            let asked = calls.iter().filter(|call| call.starts_with('.'));
            let asked = asked
                .flat_map(|call| modules_of.iter().map(move |it| (call, it)))
                .find(|(call, (_, source))| source.contains(*call));
            if let Some((call, (module, _))) = asked
                && !granted.contains(*action)
            {
                wrong.push(format!(
                    "{domain}: {module} has {call}, no function may {action}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
