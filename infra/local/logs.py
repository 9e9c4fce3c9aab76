"""What the functions wrote, read from the emulator's CloudWatch Logs: `logs.py [--aws-port 4566]`."""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import EndpointConnectionError

from deploy import client

FRAME = ("START RequestId", "END RequestId", "REPORT RequestId")


def events(endpoint: str) -> list[tuple[int, str, str]]:
    """What every function wrote by itself, in the order of time: when (in milliseconds), which function, what."""
    service = client("logs", endpoint)
    groups = service.get_paginator("describe_log_groups").paginate()
    found = [
        (event["timestamp"], group["logGroupName"].rpartition("/")[2], event["message"].rstrip())
        for page in groups
        for group in page["logGroups"]
        for part in service.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for event in part["events"]
        if not event["message"].startswith(FRAME)
    ]
    return sorted(found, key=lambda event: event[0])


def lines(endpoint: str) -> Iterator[str]:
    """The same as text."""
    for milliseconds, function, message in events(endpoint):
        yield f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%H:%M:%S.%f} {function} {message}"


def save(endpoint: str, path: Path) -> None:
    """Keeps the lines when the emulator, and with it its logs, is about to end."""
    path.write_text("\n".join(lines(endpoint)) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--aws-port", type=int, default=4566, help="port of the emulator")
    endpoint = f"http://127.0.0.1:{parser.parse_args().aws_port}"
    try:
        for line in lines(endpoint):
            print(line)
    except EndpointConnectionError:
        sys.exit(f"logs: nothing answers at {endpoint}; `make dev` starts the local stack")


if __name__ == "__main__":
    main()
