"""What schemathesis asks for and how it judges: loaded by it, see `openapi_fuzz.py`.

Made-up ids hit nothing, so three of four requests get real ones. What stops or removes a workspace gets one that is
there for that. The choice follows from what was made up, so a seed gives the same requests again.
"""

import atexit
import collections
import json
import os
import zlib

import schemathesis

WORKSPACES = os.environ["FUZZ_WORKSPACES"].split(",")
SPARE = os.environ["FUZZ_SPARE"]
SCHEDULE = os.environ["FUZZ_SCHEDULE"]
REQUEST = os.environ["FUZZ_REQUEST"]

# They change what all other routes find.
STOPPING = {
    "delete_workspace",
    "pause_workspace",
    "resume_workspace",
    "restart_workspace",
    "hibernate_workspace",
    "bootstrap_failed",
    "revoke_token",
}
ID_FIELDS = ("id", "workspace_id", "source_id", "target_id", "caller_id", "parent_id")

answers = collections.defaultdict(collections.Counter)


@atexit.register
def _report() -> None:
    with open(os.environ["FUZZ_REPORT"], "w") as file:
        json.dump(answers, file)


@schemathesis.hook
def after_call(context, case, response):
    # It asks with other methods too, which is not the operation's success.
    if case.method.upper() != case.operation.method.upper():
        return
    answers[case.operation.definition.raw.get("operationId")][response.status_code] += 1


@schemathesis.hook
def map_case(context, case):
    name = case.operation.definition.raw.get("operationId")
    kinds = {"schedule_id": SCHEDULE, "request_id": REQUEST}
    workspace = SPARE if name in STOPPING else WORKSPACES[0]
    for key, value in (case.path_parameters or {}).items():
        if (key == "id" or key in kinds) and _dice(value) % 4:
            case.path_parameters[key] = kinds.get(key, workspace)
    if isinstance(case.body, dict):
        for key in ID_FIELDS:
            if isinstance(case.body.get(key), str) and (dice := _dice(case.body[key])) % 4:
                case.body[key] = WORKSPACES[dice % len(WORKSPACES)]
        if name == "create_workspace":
            # A machine is a process here: none for what nobody will talk to.
            case.body["external"] = True
    if name == "stream_events" and case.headers is not None:
        # Without something to tell, each answer waits 20 s.
        case.headers.setdefault("Last-Event-ID", "00000000-0000-7000-8000-000000000000")
    return case


def _dice(value) -> int:
    return zlib.crc32(repr(value).encode())


@schemathesis.check
def no_failure_of_ours(context, response, case):
    """Of 5xx only what the document tells of: an agent that cannot be reached (502), a thing that cannot be done now
    (503), a stack without machines (501). Never a crash, never `platform_unavailable`: the datastore is there."""
    if response.status_code < 500:
        return
    try:
        body = json.loads(response.content)
    except ValueError:
        body = {}
    told = isinstance(body, dict) and "error" in body and body.get("code") != "platform_unavailable"
    assert told and response.status_code in (501, 502, 503), f"{response.status_code} is a failure of ours: {body}"
