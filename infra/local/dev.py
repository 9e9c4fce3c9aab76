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
import stack
from conversation import Platform, Workspace
from places import BINARIES, LOCAL
from process import Child, Stop, blaming, require_free, run, tail
from stack import Settings

AGENT = BINARIES / "agent-example"
AGENTS = ("Alice", "Bob")
ENV_FILE = LOCAL / "env"
ONLINE_SECONDS = 30
WATCH_SECONDS = 0.5


def main() -> int:
    settings = Settings.from_env("dev", api_port=8080, aws_port=4566, enforce_iam=False)
    first_port = stack.port("LOCAL_AGENT_PORT", 9101)
    ports = range(first_port, first_port + len(AGENTS))
    token = _admin_token() if os.environ.get("STRICT") == "1" else ""
    with ExitStack() as running:
        emulator = running.enter_context(stack.emulator(settings))
        children = [emulator]
        with blaming(children):
            ENV_FILE.unlink(missing_ok=True)  # it stands for a stack that answers; the last run's does not
            for port in ports:
                require_free(port, "LOCAL_AGENT_PORT")
            stack.build()
            stack.bring_up(settings, emulator, token)

            platform = Platform(settings.base_url, token)
            workspaces = [platform.create(name) for name in AGENTS]
            for workspace, port in zip(workspaces, ports, strict=True):
                children.append(_start_agent(settings, workspace, port))
                running.callback(children[-1].stop)
            for workspace, agent in zip(workspaces, children[1:], strict=True):
                _wait_until_online(platform, workspace, agent)

            print("\nA first conversation:\n", flush=True)
            conversation.hold(platform, *workspaces)
            _write_private(ENV_FILE, _variables(settings, token))
            if os.environ.get("ONCE") == "1":
                print("\nEverything answered; stopping, as ONCE=1 asks.")
                return 0
            _print_addresses(settings, workspaces)
            return _watch(children)


def _start_agent(settings: Settings, workspace: Workspace, port: int) -> Child:
    """Starts an agent process under an explicit environment, as its host would: it knows its own token only."""
    environment = {
        "PLATFORM_URL": settings.base_url,
        "WORKSPACE_ID": workspace.id,
        "AUTH_TOKEN": workspace.token,
        "AGENT_NAME": workspace.name,
        "PORT": str(port),
        "HEARTBEAT_SECONDS": os.environ.get("HEARTBEAT_SECONDS", "30"),
    }
    log = settings.folder / f"agent-{workspace.name.lower()}.log"
    return Child(f"the agent {workspace.name}", [str(AGENT)], environment, log)


def _wait_until_online(platform: Platform, workspace: Workspace, agent: Child) -> None:
    deadline = time.monotonic() + ONLINE_SECONDS
    while (status := platform.status(workspace)) != "online":
        agent.check()
        if time.monotonic() > deadline:
            log = f"the end of {agent.log}:\n{tail(agent.log)}"
            raise Stop(f"{workspace.name} was still {status} after {ONLINE_SECONDS} s; {log}")
        time.sleep(0.1)


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
    print(f"\n  {'API':<10} {settings.base_url}")
    print(f"  {'WebSocket':<10} {settings.websocket_url}")
    for workspace in workspaces:
        print(f"  {workspace.name:<10} {settings.base_url}/workspaces/{workspace.id}")
    print(f"  {'variables':<10} .local/env  (the same addresses, for scripts)")
    print("\nCtrl-C stops everything.", flush=True)


if __name__ == "__main__":
    run("make dev", main)
