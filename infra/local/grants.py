"""Which permissions of the deployed functions nobody made use of while the tests ran.

The emulator notes what it allows each role (launch.py), some tests note what functions need in process
(tests/src/notes.rs). A list to read, no verdict: what only other tests in process need is on it as well. The other way round needs no look: the emulator refuses what is not granted.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from deploy import STACK, client


def unused(endpoint: str, used: Path, needed: Path) -> list[str]:
    """A sentence for each permission that was not used."""
    by_role = [tuple(line.split("\t")) for line in _lines(used)]
    in_process = {tuple(line.split("\t")) for line in _lines(needed)}
    names = _names(endpoint)
    found = []
    for function, handler, role, action, resource in _granted(endpoint):
        deployed = any((one, what) == (role, action) and fnmatchcase(where, resource) for one, what, where in by_role)
        short = _short(resource, names)
        if not deployed and (handler, action, short) not in in_process:
            found.append(f"{function}: {action} on {short} was never used")
    return sorted(found)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _names(endpoint: str) -> dict[str, str]:
    """The names that resources have in the template, by those that they have in the account."""
    pages = client("cloudformation", endpoint).get_paginator("list_stack_resources").paginate(StackName=STACK)
    resources = [each for page in pages for each in page["StackResourceSummaries"]]
    return {
        each["PhysicalResourceId"].rsplit("/", 1)[-1].rsplit(":", 1)[-1]: each["LogicalResourceId"]
        for each in resources
    }


def _short(resource: str, names: dict[str, str]) -> str:
    """`arn:aws:dynamodb:…:table/molecule-Table-1/index/log` as the template says it: `Table/index/log`."""
    tail = resource.split(":", 5)[-1]
    for kind in ("table/", "key/", "function:", "event-bus/", "stateMachine:"):
        tail = tail.removeprefix(kind)
    name, slash, rest = tail.partition("/")
    return names.get(name, name) + slash + rest


def _granted(endpoint: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Function, handler, role, action and resource of everything that the template grants."""
    iam = client("iam", endpoint)
    pages = client("lambda", endpoint).get_paginator("list_functions").paginate()
    for function in (each for page in pages for each in page["Functions"]):
        role = function["Role"].rsplit("/", 1)[-1]
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for statement in _list(document["Statement"]):
                for action in _list(statement["Action"]):
                    for resource in _list(statement["Resource"]):
                        yield function["FunctionName"], function["Handler"], role, action, resource


def _list(value) -> list:
    return value if isinstance(value, list) else [value]
