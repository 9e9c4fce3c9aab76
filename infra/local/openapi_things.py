"""What requests that nobody wrote by hand are about: things of every kind that are really there.

Some are made once, at the start; what a request uses up is made right before it.
"""

import json
import os
import urllib.request
import uuid

BASE = os.environ["BASE_URL"]
ADMIN = os.environ["ADMIN_TOKEN"]

SCHEDULE = {"cron_expr": "0 0 1 1 *", "prompt": "A happy new year"}
MESSAGE = {"method": "message/send", "params": {"message": {"role": "user", "parts": [{"kind": "text", "text": "hi"}]}}}


def ask(method: str, path: str, body: dict | None = None, token: str = ADMIN) -> dict:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def workspace(name: str, parent: str = "") -> dict:
    """One that fetches its messages, registered."""
    made = ask("POST", "/workspaces", {"name": name, "external": True, "parent_id": parent})
    register(made["id"], made["connection"]["auth_token"])
    return made


def register(workspace_id: str, token: str = ADMIN) -> None:
    card = {"id": workspace_id, "delivery_mode": "poll", "agent_card": {"name": "one who fetches"}}
    ask("POST", "/registry/register", card, token)


def status(workspace_id: str) -> str:
    return ask("GET", f"/workspaces/{workspace_id}/state")["status"]


def reachable(name: str) -> str:
    """One with an address, where nobody is."""
    made = ask("POST", "/workspaces", {"name": name, "external": True})
    card = {"id": made["id"], "url": "http://127.0.0.1:9/", "agent_card": {"name": name}}
    ask("POST", "/registry/register", card, made["connection"]["auth_token"])
    return made["id"]


def things() -> dict:
    """The world that all requests are about: two who may talk, one to stop and start, and what the first one has."""
    alice, bob, spare = (workspace(name) for name in ("Alice", "Bob", "Spare"))
    at = f"/workspaces/{alice['id']}"
    ask("POST", f"{at}/notify", {"message": "Something to find"})
    return {
        "token": alice["connection"]["auth_token"],
        "workspace": alice["id"],
        "neighbour": bob["id"],
        "spare": spare["id"],
        "reachable": reachable("Carol"),
        "schedule": schedule(alice["id"]),
        "request": ask("POST", f"{at}/a2a", MESSAGE)["queue_id"],
        "delegation": delegation(alice["id"], bob["id"]),
        "file": presigned(alice["id"]),
        "org_token": org_token(),
    }


def schedule(workspace_id: str) -> str:
    body = SCHEDULE | {"name": str(uuid.uuid4())}
    return ask("POST", f"/workspaces/{workspace_id}/schedules", body)["id"]


def approval(workspace_id: str) -> str:
    # The same question is asked once.
    body = {"action": f"deploy {uuid.uuid4()}"}
    return ask("POST", f"/workspaces/{workspace_id}/approvals", body)["approval_id"]


def delegation(workspace_id: str, target_id: str) -> str:
    name = str(uuid.uuid4())
    body = {"target_id": target_id, "task": "Summarise", "delegation_id": name}
    ask("POST", f"/workspaces/{workspace_id}/delegations/record", body)
    return name


def token(workspace_id: str) -> str:
    ask("POST", f"/workspaces/{workspace_id}/tokens")
    return ask("GET", f"/workspaces/{workspace_id}/tokens")["tokens"][0]["id"]


def org_token() -> str:
    """Only ten are minted in an hour: one for all."""
    return ask("POST", "/org/tokens", {"name": "spare"})["id"]


def secret(path: str) -> str:
    return ask("POST", path, {"key": "SPARE", "value": "kept for a while"})["key"]


def presigned(workspace_id: str) -> str:
    """The path of a file that lies in the bucket."""
    content = b"a file"
    body = {"name": "report.txt", "size": len(content)}
    made = ask("POST", f"/workspaces/{workspace_id}/chat/uploads/presign", body)
    put = urllib.request.Request(made["url"], content, made["headers"], method="PUT")
    with urllib.request.urlopen(put, timeout=30):
        return made["uri"].removeprefix("workspace:")
