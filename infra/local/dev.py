"""`make dev`: the whole platform on this machine, two agents in it, and a first conversation between them and you.

STRICT=1 closes the doors that development leaves open: every call then needs the token in .local/admin-token.
ONCE=1 stops everything after the conversation, for a smoke test. The state is not kept: every run starts empty, which
takes no longer than loading the last one would, and a broken state cannot outlive its run.
"""

import os
import secrets
import time
from contextlib import ExitStack
from pathlib import Path

import conversation
import logs
import stack
from conversation import Platform, Workspace
from places import LOCAL
from process import Child, Stop, blaming, run, tail
from stack import Settings

AGENTS = ("Alice", "Bob")
ENV_FILE = LOCAL / "env"
ONLINE_SECONDS = 60
TELL_SECONDS = 5
WATCH_SECONDS = 0.5


def main() -> int:
    settings = Settings.from_env("dev", api_port=8080, aws_port=4566, enforce_iam=False)
    token = _admin_token() if os.environ.get("STRICT") == "1" else ""
    with ExitStack() as running:
        emulator = running.enter_context(stack.emulator(settings))
        children = [emulator]
        with blaming(children):
            ENV_FILE.unlink(missing_ok=True)  # it stands for a stack that answers; the last run's does not
            stack.build()
            stack.bring_up(settings, emulator, token)

            fleet = running.enter_context(stack.fleet(settings))
            children.append(fleet)
            platform = Platform(settings.base_url, token)
            workspaces = [platform.create(name) for name in AGENTS]
            print(f"Created {' and '.join(AGENTS)}; their machines boot ...", flush=True)
            for workspace in workspaces:
                _wait_until_online(platform, settings, workspace, fleet)

            print("\nA first conversation:\n", flush=True)
            conversation.hold(platform, *workspaces)
            _write_private(ENV_FILE, _variables(settings, token))
            if os.environ.get("ONCE") == "1":
                print("\nEverything answered; stopping, as ONCE=1 asks.")
                return 0
            _print_addresses(settings, workspaces)
            return _watch(children)


def _wait_until_online(platform: Platform, settings: Settings, workspace: Workspace, fleet: Child) -> None:
    started = time.monotonic()
    told = started
    while (status := platform.status(workspace)) != "online":
        fleet.check()
        now = time.monotonic()
        if status == "failed" or now > started + ONLINE_SECONDS:
            why = platform.error(workspace) if status == "failed" else f"still {status} after {ONLINE_SECONDS} s"
            raise Stop(f"{workspace.name} did not come up: {why}\n{_logs(settings, workspace, fleet)}")
        if now > told + TELL_SECONDS:
            told = now
            print(f"  {workspace.name} is {status} ({now - started:.0f} s)", flush=True)
        time.sleep(0.1)


def _logs(settings: Settings, workspace: Workspace, fleet: Child) -> str:
    """How far it came: its machine's own log; without a machine the fleet's and, for the reason, the functions'."""
    machine = settings.folder / "agents" / f"{workspace.id}.log"
    if machine.exists():
        return f"the end of {machine}:\n{tail(machine)}"
    functions = settings.folder / "functions.log"
    logs.save(settings.aws_endpoint, functions)
    ends = [f"the end of {log}:\n{tail(log)}" for log in (fleet.log, functions)]
    return "\n".join(["no machine of it has booted", *ends])


def _watch(children: list[Child]) -> int:
    """Stays until Ctrl-C, or until something that should run has ended."""
    try:
        while True:
            for child in children:
                child.check()
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        print("\nStopping.", flush=True)
        return 0


def _admin_token() -> str:
    """The token of the closed mode: random, and the same in every run of this folder."""
    path = LOCAL / "admin-token"
    if not path.exists():
        LOCAL.mkdir(exist_ok=True)
        _write_private(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


def _variables(settings: Settings, token: str) -> str:
    lines = [f"BASE_URL={settings.base_url}", f"WS_URL={settings.websocket_url}"]
    if token:
        lines.append(f"ADMIN_TOKEN={token}")
    return "\n".join(lines) + "\n"


def _write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read, and that is whole from the moment it has its name."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.rename(path)


def _print_addresses(settings: Settings, workspaces: list[Workspace]) -> None:
    print(f"\n  {'console':<10} {settings.base_url}/")
    print(f"  {'API':<10} {settings.base_url}")
    print(f"  {'WebSocket':<10} {settings.websocket_url}")
    for workspace in workspaces:
        print(f"  {workspace.name:<10} {settings.base_url}/workspaces/{workspace.id}")
    print(f"  {'variables':<10} .local/env  (the same addresses, for scripts)")
    print("\nCtrl-C stops everything.", flush=True)


if __name__ == "__main__":
    run("make dev", main)
