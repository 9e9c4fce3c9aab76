//! What must not be readable or open by accident: parameters, the key, the bucket, queues, logs.

use e2e::template::{Template, there};
use serde_json::{Value, json};

/// In whose names a secret may hide.
const SECRET: [&str; 5] = ["Token", "Secret", "Password", "Credential", "PrivateKey"];

fn all(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(all) => all.iter().collect(),
        one => vec![one],
    }
}

fn statements(policy: &Value) -> Vec<&Value> {
    let found = all(&policy["Statement"]);
    assert!(!found.is_empty(), "a policy without statements: {policy}");
    found
}

fn says(value: &Value) -> String {
    value.to_string()
}

#[test]
fn parameters_that_are_secrets_are_not_echoed() {
    let template = Template::ours();
    let parameters = template.body["Parameters"].as_object().expect("parameters");
    let mut secret = Vec::new();
    for (name, parameter) in parameters {
        let hidden = parameter["NoEcho"] == true;
        let named = SECRET.iter().any(|word| name.contains(word));
        assert_eq!(
            named, hidden,
            "{name}: NoEcho belongs to secrets, and to all of them"
        );
        if hidden {
            secret.push(name);
            let default = parameter["Default"].as_str().unwrap_or_default();
            assert_eq!(default, "", "{name}: a secret that everybody knows");
        }
    }
    assert!(
        secret.iter().any(|name| *name == "AdminToken"),
        "{secret:?}"
    );
    // What is not echoed as a parameter is not told as an output either, nor kept as metadata.
    for part in ["Outputs", "Metadata", "Mappings", "Conditions"] {
        for name in &secret {
            let shown = says(&template.body[part]).contains(&format!("\"{name}\""));
            let compared = part == "Conditions";
            assert!(!shown || compared, "{part} tell {name}");
        }
    }
    for (id, resource) in template.resources() {
        let mut resource = resource.clone();
        // Functions get it in their environment, which Lambda encrypts.
        if let Some(properties) = resource["Properties"].as_object_mut() {
            properties.remove("Environment");
        }
        for name in &secret {
            let reference = says(&json!({"Ref": name}));
            assert!(!says(&resource).contains(&reference), "{id} shows {name}");
        }
    }
}

#[test]
fn environments_hold_no_secret_but_the_parameter() {
    let is_secret = |name: &str| {
        let name = name.to_uppercase();
        let words = ["TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"];
        words.iter().any(|word| name.contains(word))
    };
    for function in Template::ours().functions() {
        for (name, value) in function.variables() {
            let fine = match name.as_str() {
                "ADMIN_TOKEN" => value == json!({"Ref": "AdminToken"}),
                // Which key, not what it is.
                "SECRETS_KEY_ARN" => value == json!({"Fn::GetAtt": ["SecretsKey", "Arn"]}),
                other => !is_secret(other),
            };
            assert!(fine, "{}: {name} is {value}", function.id);
        }
    }
}

#[test]
fn the_key_is_used_by_roles_and_with_a_context_only() {
    let template = Template::ours();
    assert!(template.of_type("AWS::KMS::Key").count() > 0);
    for (id, key) in template.of_type("AWS::KMS::Key") {
        let properties = &key["Properties"];
        assert_eq!(properties["EnableKeyRotation"], true, "{id}: rotation");
        for statement in statements(&properties["KeyPolicy"]) {
            let sid = &statement["Sid"];
            assert_eq!(statement["Effect"], "Allow", "{id} {sid}");
            let principal = says(&statement["Principal"]);
            assert!(
                principal.contains("${AWS::AccountId}:root") && !principal.contains("\"*\""),
                "{id} {sid}: open beyond the account: {principal}"
            );
            let contextual =
                statement["Condition"] == json!({"Null": {"kms:EncryptionContextKeys": "false"}});
            for action in all(&statement["Action"]) {
                let action = action.as_str().unwrap_or_default();
                let uses = [
                    "Encrypt",
                    "Decrypt",
                    "ReEncrypt",
                    "GenerateData",
                    "Sign",
                    "Verify",
                ];
                let uses = uses.iter().any(|it| action.contains(it));
                assert!(
                    !uses || contextual,
                    "{id} {sid}: {action} without a context"
                );
                let grants = action == "kms:*" || action == "*" || action.contains("Grant");
                assert!(!grants, "{id} {sid}: {action} lets others use the key");
            }
        }
    }
    // To read what was wrapped, its context must be known. Whoever makes keys names whose they are.
    for function in template.functions() {
        let policies = function.property("Policies");
        let statements = all(&policies)
            .into_iter()
            .flat_map(|it| all(&it["Statement"]));
        for statement in statements.map(there) {
            let makes = says(&statement["Action"]).contains("kms:GenerateDataKey");
            let named = says(&statement["Condition"]).contains("kms:EncryptionContext:");
            assert!(!makes || named, "{}: {statement}", function.id);
        }
    }
}

#[test]
fn buckets_are_private_and_answer_over_tls_only() {
    let template = Template::ours();
    assert!(template.of_type("AWS::S3::Bucket").count() > 0);
    for (id, bucket) in template.of_type("AWS::S3::Bucket") {
        let properties = &bucket["Properties"];
        for wall in [
            "BlockPublicAcls",
            "BlockPublicPolicy",
            "IgnorePublicAcls",
            "RestrictPublicBuckets",
        ] {
            assert_eq!(
                properties["PublicAccessBlockConfiguration"][wall], true,
                "{id}: {wall}"
            );
        }
        assert!(
            !properties["BucketEncryption"].is_null(),
            "{id}: encryption"
        );
        let owner = &properties["OwnershipControls"]["Rules"][0]["ObjectOwnership"];
        assert_eq!(*owner, "BucketOwnerEnforced", "{id}: access lists");
        assert!(
            properties["WebsiteConfiguration"].is_null(),
            "{id}: a website"
        );

        let policies = template.of_type("AWS::S3::BucketPolicy");
        let own = policies.filter(|(_, it)| it["Properties"]["Bucket"] == json!({"Ref": id}));
        let own: Vec<_> = own
            .map(|(_, it)| &it["Properties"]["PolicyDocument"])
            .collect();
        let denies = |statement: &&Value| {
            let on = all(&statement["Resource"]);
            let objects = json!({"Fn::Sub": format!("${{{id}.Arn}}/*")});
            statement["Effect"] == "Deny"
                && statement["Principal"] == "*"
                && statement["Action"] == "s3:*"
                && statement["Condition"] == json!({"Bool": {"aws:SecureTransport": "false"}})
                && on.contains(&&json!({"Fn::GetAtt": [id, "Arn"]}))
                && on.contains(&&objects)
        };
        let all_own: Vec<&Value> = own.iter().flat_map(|it| statements(it)).collect();
        assert!(
            all_own.iter().any(denies),
            "{id}: no policy denies what is not TLS"
        );
        let opens = all_own.iter().find(|it| it["Effect"] != "Deny");
        assert!(opens.is_none(), "{id}: {opens:?} opens it");
    }
}

/// The policies of this kind for this resource, which stands in a list of theirs.
fn policies_for<'a>(template: &'a Template, kind: &str, list: &str, id: &str) -> Vec<&'a Value> {
    let policies = template.of_type(kind).map(|(_, policy)| policy);
    let names = |policy: &&Value| all(&policy["Properties"][list]).contains(&&json!({"Ref": id}));
    policies.filter(names).collect()
}

#[test]
fn queues_answer_over_tls_only() {
    let template = Template::ours();
    assert!(template.of_type("AWS::SQS::Queue").count() > 0);
    for (id, queue) in template.of_type("AWS::SQS::Queue") {
        let own = policies_for(template, "AWS::SQS::QueuePolicy", "Queues", id);
        // A second one would take the place of the first.
        let [own] = own[..] else {
            panic!("{id}: {} policies", own.len());
        };
        assert_eq!(
            own["Condition"], queue["Condition"],
            "{id}: its policy is there when it is not, or the other way round"
        );
        let denies = json!({
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        });
        let said = statements(&own["Properties"]["PolicyDocument"]);
        assert_eq!(said, [&denies], "{id}: no more and no less than TLS");
    }
    // The endpoints of these have no plain HTTP; a topic's has.
    assert_eq!(template.of_type("AWS::SNS::Topic").count(), 0);
}

#[test]
fn queues_topics_and_buses_are_encrypted_and_open_to_nobody_else() {
    let template = Template::ours();
    for (id, queue) in template.of_type("AWS::SQS::Queue") {
        assert_eq!(
            queue["Properties"]["SqsManagedSseEnabled"], true,
            "{id}: encryption"
        );
    }
    // Without a policy only roles of the account get in, as far as their own policies say. A policy that
    // lets a service in must say whose service it is.
    for kind in [
        "AWS::SQS::QueuePolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::Events::EventBusPolicy",
    ] {
        for (id, policy) in template.of_type(kind) {
            let properties = &policy["Properties"];
            // The policy of a bus is one statement; the others are documents of them.
            let statements = match &properties["PolicyDocument"] {
                Value::Null => &properties["Statement"],
                document => &document["Statement"],
            };
            for statement in all(statements) {
                let condition = says(&statement["Condition"]);
                let bound = ["aws:SourceArn", "aws:SourceAccount", "aws:PrincipalOrgID"];
                let bound = bound.iter().any(|key| condition.contains(key));
                let denies = statement["Effect"] == "Deny";
                assert!(denies || bound, "{id} lets in whoever comes: {statement}");
            }
        }
    }
    for (id, permission) in template.of_type("AWS::Lambda::Permission") {
        let source = &permission["Properties"]["SourceArn"];
        assert!(
            !source.is_null(),
            "{id}: any API of the service may invoke it"
        );
    }
}

#[test]
fn every_log_is_kept_for_as_long_as_the_parameter_says() {
    let template = Template::ours();
    let kept = json!({"Ref": "LogRetentionDays"});
    for (id, group) in template.of_type("AWS::Logs::LogGroup") {
        let properties = &group["Properties"];
        assert_eq!(
            properties["RetentionInDays"], kept,
            "{id}: else it is kept for ever"
        );
    }
    let functions = template.functions().count();
    let groups = template.of_type("AWS::Logs::LogGroup").count();
    assert!(
        groups >= functions,
        "{groups} log groups for {functions} functions"
    );
}
