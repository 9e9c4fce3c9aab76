"""Runs a command against a deployed stack of its own: `test.py cargo test -p e2e`.

The stack is closed (every call needs a credential), IAM is enforced with each function's own role, and the state is
empty at the start. The command finds the stack by its environment; its exit code is ours. No function's log
may show a token, a secret or a text that the tests sent. With --grants the permissions that nobody used are listed at
the end, which is no failure: tests in process use none. With --emulator-only nothing is deployed: the command does that
itself.
"""

import argparse
import contextlib
import os
import secrets
import subprocess
import sys

import grants
import logs
import secrecy
import stack
import standstill
from deploy import CREDENTIALS, REGION, Deployed, forget_own_account
from places import BINARIES, ROOT
from process import Child, Stop, blaming, run, tail
from stack import Settings

FUNCTION_LINES = 60
EMULATOR_LINES = 20
STACK_LINES = 400


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emulator-only", action="store_true", help="build and deploy nothing")
    parser.add_argument("--grants", action="store_true", help="list the permissions that were not used")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="for instance: cargo test -p e2e")
    arguments = parser.parse_args()
    if not arguments.command:
        raise Stop("name the command to run, for instance: cargo test -p e2e")
    settings = Settings.from_env("test", api_port=8081, aws_port=4576, enforce_iam=True)
    forget_own_account()
    admin_token = secrets.token_urlsafe(32)
    with contextlib.ExitStack() as running:
        emulator = running.enter_context(stack.emulator(settings))
        running.enter_context(blaming([emulator]))
        environment = _aws(settings)
        if not arguments.emulator_only:
            stack.build()
            environment |= _platform(settings, admin_token, stack.bring_up(settings, emulator, admin_token))
            running.enter_context(stack.fleet(settings))
        code = subprocess.run(arguments.command, cwd=ROOT, env=os.environ | environment, check=False).returncode
        if code != 0:
            emulator.check()
            _show_logs(settings, emulator)
        _show_standstills(settings, whole=code != 0)
        if not arguments.emulator_only:
            complaints = _complaints(settings, admin_token)
            print("\n".join(complaints), file=sys.stderr)
            code = code or int(bool(complaints))
            if arguments.grants:
                used, needed = settings.folder / "permissions.tsv", settings.folder / "needed.tsv"
                print("\n".join(grants.unused(settings.aws_endpoint, used, needed)))
    return code


def _complaints(settings: Settings, admin_token: str) -> list[str]:
    """What no single test sees: it shows when all are through."""
    events = logs.events(settings.aws_endpoint)
    found = secrecy.leaks(events, settings.folder / "sent.jsonl", [admin_token])
    print(f"Looked through {len(events)} lines of logs: {len(found)} complaints.", flush=True)
    return found


def _aws(settings: Settings) -> dict[str, str]:
    return {
        **{name.upper(): value for name, value in CREDENTIALS.items()},
        "AWS_ENDPOINT_URL": settings.aws_endpoint,
        "AWS_ENDPOINT_URL_STS": settings.aws_endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


def _platform(settings: Settings, admin_token: str, deployed: Deployed) -> dict[str, str]:
    return {
        "BASE_URL": settings.base_url,
        "WS_URL": settings.websocket_url,
        "ADMIN_TOKEN": admin_token,
        "TABLE_NAME": deployed.outputs["TableName"],
        "BUCKET_NAME": deployed.outputs["BucketName"],
        "SECRETS_KEY_ARN": deployed.outputs["SecretsKeyArn"],
        "DELIVERIES_QUEUE_URL": deployed.outputs["DeliveriesQueueUrl"],
        "PROVISION_QUEUE_URL": deployed.outputs["ProvisionQueueUrl"],
        "STOP_QUEUE_URL": deployed.outputs["StopQueueUrl"],
        "RELAY_DEAD_QUEUE_URL": deployed.outputs["RelayDeadQueueUrl"],
        "EVENT_BUS": deployed.outputs["EventBusName"],
        "RESTARTS_QUEUE_URL": deployed.outputs["RestartsQueueUrl"],
        "AGENT_BIN": str(BINARIES / "agent-example"),
        "FLEET_FOLDER": str(settings.folder),
        "NOTES_FOLDER": str(settings.folder),
    }


def _show_logs(settings: Settings, emulator: Child) -> None:
    functions = settings.folder / "functions.log"
    logs.save(settings.aws_endpoint, functions)
    for log, lines in ((functions, FUNCTION_LINES), (emulator.log, EMULATOR_LINES)):
        print(f"\nThe end of {log}:\n{tail(log, lines)}", file=sys.stderr)


def _show_standstills(settings: Settings, *, whole: bool) -> None:
    """A machine too slow for the tests is no fault of theirs: it must be seen, and told apart from one."""
    lines = standstill.noticed(settings.standstills)
    for line in lines:
        print(line, file=sys.stderr)
    if lines and whole:
        stacks = settings.standstills.read_text().splitlines()[:STACK_LINES]
        print(f"Where ({settings.standstills}):", *stacks, sep="\n", file=sys.stderr)


if __name__ == "__main__":
    run("make test", main)
