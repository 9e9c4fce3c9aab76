"""The first conversation that `make dev` shows: a person and two agents, every line a real call to the platform."""

import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any

from process import Stop

CALL_SECONDS = 60  # longer than the platform holds a message open for its answer
NOTIFY_SECONDS = 15
SPEAKER_WIDTH = 5


@dataclass(frozen=True)
class Workspace:
    """An agent's place on the platform."""

    id: str
    name: str


class Platform:
    """The platform's API as a person's client calls it."""

    def __init__(self, base_url: str, admin_token: str):
        self.base_url = base_url
        self.headers = {"Content-Type": "application/json"}
        if admin_token:
            self.headers["Authorization"] = f"Bearer {admin_token}"

    def create(self, name: str) -> Workspace:
        created = self.call("POST", "/workspaces", {"name": name, "runtime": "example"})
        return Workspace(id=created["id"], name=name)

    def status(self, workspace: Workspace) -> str:
        return self.call("GET", f"/workspaces/{workspace.id}")["status"]

    def error(self, workspace: Workspace) -> str:
        """The sentence that says why it did not boot, without the log below it; the list has it."""
        errors = [
            shown["last_sample_error"] for shown in self.call("GET", "/workspaces") if shown["id"] == workspace.id
        ]
        return "".join(errors).partition("\n")[0]

    def say(self, workspace: Workspace, text: str) -> str:
        """Sends a person's message and returns the agent's words."""
        message = {"role": "user", "messageId": str(uuid.uuid4()), "parts": [{"kind": "text", "text": text}]}
        request = {"jsonrpc": "2.0", "id": "1", "method": "message/send", "params": {"message": message}}
        answer = self.call("POST", f"/workspaces/{workspace.id}/a2a", request)
        words = _words(answer.get("result"))
        if not words:
            raise Stop(f"{workspace.name} gave no answer to {text!r}: {json.dumps(answer)[:500]}")
        return words

    def notification(self, workspace: Workspace) -> dict:
        """The newest message that the agent sent to people by itself."""
        deadline = time.monotonic() + NOTIFY_SECONDS
        while time.monotonic() < deadline:
            path = f"/workspaces/{workspace.id}/activity?type=a2a_receive&source=canvas&limit=50"
            for row in self.call("GET", path):
                if row["method"] == "notify":
                    return row["response_body"]
            time.sleep(0.2)
        raise Stop(f"{workspace.name}'s notification was not in the activity log within {NOTIFY_SECONDS} s")

    def call(self, method: str, path: str, body: dict | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base_url + path, data, self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            text = error.read(500).decode(errors="replace")
            raise Stop(f"{method} {path} was answered with {error.code}: {text}") from error
        except (OSError, ValueError) as error:
            raise Stop(f"{method} {path} failed: {error}") from error


def hold(platform: Platform, alice: Workspace, bob: Workspace) -> None:
    """Runs the conversation and prints it line by line."""
    for text in ("hello", f"ask {bob.name} what do you do?", "notify I have finished the report attach report.txt"):
        _print_line("you", alice.name, text)
        _print_line(alice.name, "you", platform.say(alice, text))
    notification = platform.notification(alice)
    _print_line(alice.name, "you", f"{notification['result']}  (a notification)")
    for part in notification.get("parts", []):
        _print_line("", "", f"attached: {part['file']['name']}, {part['file']['uri']}")


def _words(result: Any) -> str:
    """The text of an answer, be it a message (`parts`) or a task (`artifacts[].parts`)."""
    if not isinstance(result, dict):
        return ""
    parts = result.get("parts") or [part for item in result.get("artifacts", []) for part in item.get("parts", [])]
    return " ".join(part["text"] for part in parts if part.get("text"))


def _print_line(speaker: str, listener: str, text: str) -> None:
    arrow = "->" if speaker else "  "
    print(f"  {speaker:>{SPEAKER_WIDTH}} {arrow} {listener:<{SPEAKER_WIDTH}}  {text}", flush=True)
