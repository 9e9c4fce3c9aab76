"""Deploys template.yaml to the local emulator: uploads what was built, then creates or updates the stack.

As a command it deploys to an emulator that runs already, for instance under `make dev`: parameters that are not given
then keep the values they have.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, WaiterError

import samples
from artifacts import Bucket
from places import TEMPLATE
from translate import DeployError, translate

REGION = "us-east-1"
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}  # the emulator's root user
STACK = "molecule"
UNUSABLE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
PATIENCE_SECONDS = 120
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Deployed:
    """What a deployment did and what the stack answers with."""

    action: str
    resources: int
    seconds: float
    outputs: dict[str, str]


def deploy(endpoint: str, parameters: dict[str, str], stack: str = STACK) -> Deployed:
    """Brings the stack to what template.yaml and the binaries in target/debug say."""
    started = time.monotonic()
    try:
        bucket = Bucket(client("s3", endpoint))
        template = translate(TEMPLATE.read_text(), parameters, bucket.code_address)
        url = bucket.template_url(stack, template)
        formation = client("cloudformation", endpoint)
        action = _create_or_update(formation, stack, url, parameters, set(template.get("Parameters", {})))
        outputs = formation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    except EndpointConnectionError as error:
        raise DeployError(f"nothing answers at {endpoint}; `make dev` starts the local stack") from error
    except (OSError, BotoCoreError, ClientError) as error:
        raise DeployError(str(error)) from error
    return Deployed(
        action=action,
        resources=len(template["Resources"]),
        seconds=time.monotonic() - started,
        outputs={output["OutputKey"]: output["OutputValue"] for output in outputs},
    )


def forget_own_account() -> None:
    """Drops the user's AWS settings from this process: a profile or a region of theirs has no meaning here."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_DEFAULT_REGION": REGION}  # SAM asks boto3 for the region


def client(service: str, endpoint: str):
    """A boto3 client for the emulator that fails at once instead of retrying for half a minute."""
    forget_own_account()
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        config=Config(retries={"max_attempts": 1}),
        **CREDENTIALS,
    )


def _create_or_update(formation, stack: str, url: str, parameters: dict[str, str], declared: set[str]) -> str:
    """Creates the stack, or updates it; parameters that are declared but not given keep their values."""
    request = {
        "StackName": stack,
        "TemplateURL": url,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    }
    existing = _existing(formation, stack)
    if existing and existing["StackStatus"] in UNUSABLE:  # CloudFormation lets such a stack only be deleted
        formation.delete_stack(StackName=stack)
        _wait(formation, "stack_delete_complete", stack)
        existing = None
    if not existing:
        formation.create_stack(**request)
        _wait(formation, "stack_create_complete", stack)
        return "created"
    known = {parameter["ParameterKey"] for parameter in existing.get("Parameters", [])}
    kept = sorted(known & declared - parameters.keys())
    request["Parameters"] += [{"ParameterKey": key, "UsePreviousValue": True} for key in kept]
    try:
        formation.update_stack(**request)
    except ClientError as error:
        if "No updates" in str(error):
            return "unchanged"
        raise
    _wait(formation, "stack_update_complete", stack)
    return "updated"


def _existing(formation, stack: str) -> dict | None:
    try:
        return formation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _wait(formation, event: str, stack: str) -> None:
    pace = {"Delay": POLL_SECONDS, "MaxAttempts": int(PATIENCE_SECONDS / POLL_SECONDS)}
    try:
        formation.get_waiter(event).wait(StackName=stack, WaiterConfig=pace)
    except WaiterError as error:
        raise DeployError(_failures(formation, stack) or str(error)) from error


def _failures(formation, stack: str) -> str:
    """What failed and why, one resource a line. Newest events come first; the cause is the oldest."""
    events = formation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason given')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    return "\n".join(failed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--aws-port", type=int, default=4566, help="port of the emulator")
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="template parameters")
    arguments = parser.parse_args()
    parameters = dict(pair.split("=", 1) for pair in arguments.parameters)
    endpoint = f"http://127.0.0.1:{arguments.aws_port}"
    try:
        deployed = deploy(endpoint, parameters)
        samples.upload(client("s3", endpoint), deployed.outputs["BucketName"])  # POST /templates/refresh shows them
    except DeployError as error:
        sys.exit(f"deploy: {error}")
    print(f"{deployed.action}: {deployed.resources} resources in {deployed.seconds:.1f} s")
    for name, value in sorted(deployed.outputs.items()):
        print(f"{name}={value}")


if __name__ == "__main__":
    main()
