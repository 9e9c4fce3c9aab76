"""The local fleet: the part of EC2 that the emulator leaves out, which is that machines run.

It watches the emulator's instances. For each of ours that is running it does what boot.sh does on a real one
(`machines.py`): it proves which instance it is, gets token and environment, and runs the example agent as a process.
Stopped instances keep their disk, a folder; terminated ones lose it. State changes go to the emulator's event bus, as
EC2's would. All that it starts is in its process group and ends with it.
"""

import argparse
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

import account
from deploy import STACK, client
from machines import Machine
from process import run

WATCH_SECONDS = 0.5
OFF = ("stopping", "stopped", "shutting-down", "terminated")
GONE = ("shutting-down", "terminated")


class Fleet:
    """Every machine there is, on or off."""

    def __init__(self, arguments: argparse.Namespace):
        endpoint = f"http://127.0.0.1:{arguments.aws_port}"
        self.ec2 = client("ec2", endpoint)
        self.sts = client("sts", endpoint)
        self.events = client("events", endpoint)
        self.role = account.role(client("iam", endpoint))
        self.arguments = arguments
        self.on: dict[str, Machine] = {}
        self.disks: dict[str, Path] = {}
        self.states: dict[str, str] = {}

    def look(self) -> None:
        """Brings the processes to what the instances say. A look that fails changes nothing."""
        pages = self.ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "tag:platform:managed", "Values": ["true"]}]
        )
        instances = [one for page in pages for found in page["Reservations"] for one in found["Instances"]]
        for instance in instances:
            tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
            if tags.get("platform:stage") == STACK:
                self._settle(instance["InstanceId"], instance["State"]["Name"], tags)
        for missing in self.disks.keys() - {instance["InstanceId"] for instance in instances}:
            self._settle(missing, "terminated", {})  # the emulator forgets them after a minute

    def _settle(self, instance_id: str, state: str, tags: dict[str, str]) -> None:
        generation = tags.get("platform:gen", "")
        machine = self.on.get(instance_id)
        # The platform tags a machine anew before it reboots it, and the emulator shows nothing else of a reboot.
        if machine and (state in OFF or machine.generation != generation):
            machine.power_off()
            del self.on[instance_id]
        if state == "running" and instance_id not in self.on:
            self._power_on(instance_id, generation, tags["platform:workspace-id"])
        if self.states.get(instance_id) != state:
            self.states[instance_id] = state
            print(f"{time.strftime('%H:%M:%S')} {instance_id} {state}", flush=True)
            self._tell(instance_id, state)
        if state in GONE and (disk := self.disks.pop(instance_id, None)):
            shutil.rmtree(disk, ignore_errors=True)

    def _power_on(self, instance_id: str, generation: str, workspace_id: str) -> None:
        arguments = self.arguments
        disk = self.disks[instance_id] = arguments.folder / "disks" / workspace_id / instance_id
        machine = Machine(instance_id, generation, self.sts, self.role, STACK, arguments.platform)
        machine.power_on(arguments.agent, disk, arguments.folder / "agents" / f"{workspace_id}.log")
        self.on[instance_id] = machine

    def _tell(self, instance_id: str, state: str) -> None:
        detail = json.dumps({"instance-id": instance_id, "state": state})
        event = {"Source": "aws.ec2", "DetailType": "EC2 Instance State-change Notification", "Detail": detail}
        self.events.put_events(Entries=[event])

    def end(self) -> None:
        for machine in self.on.values():
            machine.off.set()
        for machine in self.on.values():
            machine.power_off()


def stop_with_parent() -> None:
    """Ends the fleet, and all that is in its group, when whoever started it is gone: our standard input closes then."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), 15)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--aws-port", type=int, required=True, help="port of the emulator")
    parser.add_argument("--platform", required=True, help="where the platform answers")
    parser.add_argument("--agent", type=Path, required=True, help="the program to run: the example agent")
    parser.add_argument("--folder", type=Path, required=True, help="where disks and logs go")
    fleet = Fleet(parser.parse_args())
    threading.Thread(target=stop_with_parent, daemon=True, name="parent").start()
    try:
        while True:
            try:
                fleet.look()
            except (BotoCoreError, ClientError) as error:
                print(f"{time.strftime('%H:%M:%S')} a look failed: {error}", flush=True)
            time.sleep(WATCH_SECONDS)
    finally:
        fleet.end()


if __name__ == "__main__":
    run("the local fleet", main)
