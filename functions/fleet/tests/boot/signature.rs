//! Signatures of the boot script against known ones.

use std::process::Command;

const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn call(function: &str, arguments: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/boot/boot.sh");
    let output = Command::new("bash")
        .args([
            "-c",
            "script=$1; shift; . \"$script\"; \"$@\"",
            "-",
            script,
            function,
        ])
        .args(arguments)
        .output()
        .expect("bash is there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

/// `get-vanilla` of AWS' own suite for signature version 4.
#[test]
fn a_text_is_signed_as_in_aws_own_suite() {
    let text = "AWS4-HMAC-SHA256\n\
        20150830T123600Z\n\
        20150830/us-east-1/service/aws4_request\n\
        bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63";
    let signature = call(
        "signature",
        &[KEY, "20150830", "us-east-1", "service", text],
    );
    assert_eq!(
        signature,
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    );
}

/// What `botocore.auth.SigV4Auth` makes of the same.
#[test]
fn a_proof_is_signed_as_botocore_does() {
    let arguments = [
        "prod",
        "us-east-1",
        "20150830T123600Z",
        "AKIDEXAMPLE",
        KEY,
        "abc+/==",
    ];
    let proof: serde_json::Value = serde_json::from_str(&call("proof", &arguments)).expect("JSON");
    let headers = &proof["headers"];
    assert_eq!(headers["X-Amz-Date"], "20150830T123600Z");
    assert_eq!(headers["X-Amz-Security-Token"], "abc+/==");
    assert_eq!(headers["X-Molecule-Stack"], "prod");
    assert_eq!(
        headers["Authorization"],
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-molecule-stack, \
         Signature=249abc22ec1fa2af6914127dd6814992f4099e137358d1adad18d9baeb51e5cd"
    );
}
