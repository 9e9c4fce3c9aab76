"""What schemathesis asks for and how it judges: loaded by it, see `openapi_fuzz.py`.

Made-up ids hit nothing, so three of four requests get real ones, and so do all that have the ids of the document's
examples. What a request uses up is made before it. The choice follows from what was made up, so a seed gives the same
requests again.
"""

import atexit
import collections
import json
import os
import urllib.error
import zlib

import schemathesis

import openapi_things as things

KNOWN = json.loads(os.environ["FUZZ_KNOWN"])
OWN, SPARE = KNOWN["workspace"], KNOWN["spare"]

# As in the document's examples: `shared/edge/src/openapi/route.rs`.
EXAMPLE = "3f0c2a4e-7b1d-4c58-9a6f-1d2e3c4b5a69"
IDS = {
    "id": OWN,
    "workspace_id": OWN,
    "source_id": OWN,
    "caller_id": OWN,
    "target_id": KNOWN["neighbour"],
    "schedule_id": KNOWN["schedule"],
    "request_id": KNOWN["request"],
    "delegation_id": KNOWN["delegation"],
}
# They change what all other routes find.
STOPPING = {"pause_workspace", "resume_workspace", "restart_workspace", "hibernate_workspace", "bootstrap_failed"}

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
    answers[_name(case)][response.status_code] += 1


@schemathesis.hook
def before_call(context, case, kwargs):
    name, path, body = _name(case), case.path_parameters or {}, case.body
    given = next((value for value in path.values()), name)
    if not _is_real(given):
        return
    ids = IDS | {"id": SPARE} if name in STOPPING else IDS
    for key in path:
        path[key] = ids.get(key, path[key])
    if isinstance(body, dict):
        for key in ids:
            if isinstance(body.get(key), str) and _is_real(body[key]):
                body[key] = ids[key] if key != "delegation_id" else body[key]
    if name == "create_workspace" and isinstance(body, dict):
        # A machine is a process here: none for what nobody will talk to.
        body["external"] = True
    # Nobody is refused, whatever is there.
    if (make := BEFORE.get(name)) and os.environ["FUZZ_TOKEN"]:
        try:
            make(case, path)
        except urllib.error.HTTPError as error:
            # For instance too many of them: then it is asked for what is not there.
            print(f"Before {name}: {error.code} {error.read()[:200]}", flush=True)


def _name(case) -> str:
    return case.operation.definition.raw.get("operationId")


def _is_real(made_up) -> bool:
    return made_up == EXAMPLE or _dice(made_up) % 4 != 0


def _dice(value) -> int:
    return zlib.crc32(repr(value).encode())


def _in_path(key, make):
    def before(case, path):
        path[key] = make()

    return before


def _header(name, value):
    def before(case, path):
        case.headers = {**(case.headers or {}), name: value}

    return before


def _asked_by_us(of):
    def before(case, path):
        _header("X-Workspace-ID", OWN)(case, path)
        path["id"] = KNOWN[of]

    return before


def _resumable(case, path):
    if things.status(SPARE) != "paused":
        things.ask("POST", f"/workspaces/{SPARE}/pause")


def _online(case, path):
    if things.status(SPARE) != "online":
        things.ask("POST", f"/workspaces/{SPARE}/restart")
        things.register(SPARE)


def _removable(case, path):
    path["id"] = things.workspace("To be removed")["id"]
    case.query = {**(case.query or {}), "confirm": "true"}


def _spare_token(case, path):
    path["id"], path["token_id"] = SPARE, things.token(SPARE)


def _file_in_body(case, path):
    if isinstance(case.body, dict):
        case.body["uri"] = f"workspace:{KNOWN['file']}"


def _file_in_query(case, path):
    case.query = {**(case.query or {}), "path": KNOWN["file"]}


# What is there before an operation is asked for, so that it has something to do.
BEFORE = {
    "decide_approval": _in_path("approval_id", lambda: things.approval(OWN)),
    "delete_schedule": _in_path("schedule_id", lambda: things.schedule(OWN)),
    "run_schedule": _in_path("schedule_id", lambda: things.schedule(OWN)),
    "update_delegation": _in_path("delegation_id", lambda: things.delegation(OWN, KNOWN["neighbour"])),
    "delete_secret": _in_path("key", lambda: things.secret(f"/workspaces/{OWN}/secrets")),
    "delete_global_secret": _in_path("key", lambda: things.secret("/settings/secrets")),
    "admin_delete_secret": _in_path("key", lambda: things.secret("/admin/secrets")),
    "revoke_token": _spare_token,
    "revoke_org_token": _in_path("id", lambda: KNOWN["org_token"]),
    "delete_workspace": _removable,
    "resume_workspace": _resumable,
    "hibernate_workspace": _online,
    "discover": _asked_by_us("reachable"),
    "list_neighbours_schedules_health": _asked_by_us("neighbour"),
    "complete_upload": _file_in_body,
    "download_file": _file_in_query,
    # Without something to tell, each answer waits 20 s.
    "stream_events": _header("Last-Event-ID", "00000000-0000-7000-8000-000000000000"),
}


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
