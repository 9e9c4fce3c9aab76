"""One machine of the local fleet: what boot.sh does on a real one, with a process where that has a container."""

import json
import os
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from deploy import REGION
from process import tail

SIGNED = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Molecule-Stack")
CALL_SECONDS = 10
ASK_AGAIN_SECONDS = 1  # on AWS 15: there, tags and records take longer to be seen
LETTING_IN_SECONDS = 600
STOP_SECONDS = 5
RESTART_SECONDS = 1
PULL_SECONDS = 3  # on AWS 10
CHAT_FILES = Path("workspace/.molecule/chat-uploads")  # on the machine's disk
FAILS_TO_BOOT = "EXAMPLE_FAILS_TO_BOOT"  # a variable of a workspace: its machine then reports that it will not boot
TAGGED = "example-tagged"  # the same agent; only the image is named otherwise
RUNTIMES = ("example", TAGGED)


class Refused(Exception):
    """The platform did not do what it was asked; the message has its answer."""


class Machine:
    """A machine that is on: it boots, runs the agent, and starts it again when it dies."""

    def __init__(self, instance_id: str, generation: str, sts, role: str, stack: str, platform: str):
        self.instance_id = instance_id
        self.generation = generation
        self.sts = sts
        self.role = role
        self.stack = stack
        self.platform = platform
        self.off = threading.Event()

    def power_on(self, agent: Path, disk: Path, log: Path) -> None:
        self.disk, self.log, self.agent = disk, log, agent
        disk.mkdir(parents=True, exist_ok=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        boots = disk / "boots"
        boots.write_text(str(int(boots.read_text()) + 1 if boots.exists() else 1))
        self.life = threading.Thread(target=self._live, daemon=True, name=self.instance_id)
        self.life.start()

    def power_off(self) -> None:
        """Ends the agent, and returns once it has ended."""
        self.off.set()
        self.life.join()

    def _live(self) -> None:
        with self.log.open("ab") as log:
            self.say(log, f"{self.instance_id} boots, generation {self.generation}")
            try:
                if answer := self._let_in(log):
                    self._run(answer, log)
            except Exception as error:  # noqa: BLE001 — one machine that breaks must not end the fleet
                self.say(log, f"the boot broke off: {error!r}")
            self.say(log, f"{self.instance_id} is off" if self.off.is_set() else "nothing runs here now")

    def _let_in(self, log: IO[bytes]) -> dict[str, Any] | None:
        """Asks for token and environment until it gets them; none if the machine was turned off or refused for good."""
        deadline = time.monotonic() + LETTING_IN_SECONDS
        while not self.off.is_set() and time.monotonic() < deadline:
            try:
                answer = call(f"{self.platform}/bootstrap/exchange", self._proof())
            except (Refused, OSError) as error:
                self.say(log, f"the exchange: {error}")
                self.off.wait(ASK_AGAIN_SECONDS)
                continue
            self.say(log, f"let in with generation {answer['generation']}")
            return answer
        return None

    def _proof(self) -> dict[str, Any]:
        """A GetCallerIdentity signed by the machine's role; who is asked to send it must know the form."""
        role = self.sts.assume_role(RoleArn=self.role, RoleSessionName=self.instance_id)["Credentials"]
        credentials = Credentials(role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"])
        request = AWSRequest(
            "POST",
            f"https://sts.{REGION}.amazonaws.com/",
            data="Action=GetCallerIdentity&Version=2011-06-15",
            headers={
                "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
                "X-Molecule-Stack": self.stack,
            },
        )
        SigV4Auth(credentials, "sts", REGION).add_auth(request)
        return {"headers": {name: request.headers[name] for name in SIGNED}}

    def _run(self, answer: dict[str, Any], log: IO[bytes]) -> None:
        if answer["runtime"] not in RUNTIMES:
            return self._report(answer, f"the local fleet runs {', '.join(RUNTIMES)}, not {answer['runtime']}", log)
        if answer["env"].get(FAILS_TO_BOOT) == "1":
            return self._report(answer, f"asked to fail by {FAILS_TO_BOOT}", log)
        (self.disk / "image").write_text(answer["image"] or "")
        environment = self._environment(answer)
        threading.Thread(target=self._pull, args=(answer, log), daemon=True, name=f"{self.instance_id} pulls").start()
        while not self.off.is_set():
            process = subprocess.Popen(
                [str(self.agent)],
                cwd=self.disk,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            while process.poll() is None:
                if self.off.wait(0.05):
                    return stop(process)
            self.say(log, f"the agent ended with {process.returncode}")
            if process.returncode == 0:  # as docker's `on-failure` has it
                return None
            self.off.wait(RESTART_SECONDS)
        return None

    def _pull(self, answer: dict[str, Any], log: IO[bytes]) -> None:
        """Copies files of the chat to the disk until the machine is off: `pull_files` of boot.sh."""
        url = f"{self.platform}/workspaces/{answer['workspace_id']}/chat/uploads?seen="
        headers = {"Authorization": f"Bearer {answer['token']}"}
        folder, seen = self.disk / CHAT_FILES, ""
        while not self.off.wait(PULL_SECONDS):
            try:
                there = call(url + seen, None, headers)
                folder.mkdir(parents=True, exist_ok=True)
                for file in there["files"]:
                    place = folder / Path(file["name"]).name
                    if not place.exists():
                        part = folder / ".part"
                        with (
                            urllib.request.urlopen(file["url"], timeout=CALL_SECONDS) as content,
                            part.open("wb") as to,
                        ):
                            shutil.copyfileobj(content, to)
                        part.chmod(0o644)
                        part.rename(place)
                        self.say(log, f"pulled {place.name}")
                seen = there["seen"]
            except (Refused, OSError):  # the platform or the bucket is away, or the token was revoked: asked again
                seen = ""

    def _environment(self, answer: dict[str, Any]) -> dict[str, str]:
        """What the platform says, and what boot.sh adds. The example agent also wants to know its name."""
        headers = {"Authorization": f"Bearer {answer['token']}"}
        name = call(f"{self.platform}/workspaces/{answer['workspace_id']}", None, headers)["name"]
        return {
            "PORT": "0",  # boot.sh publishes 8000; here all machines are one
            "AGENT_NAME": name,
            "HEARTBEAT_SECONDS": os.environ.get("HEARTBEAT_SECONDS", "30"),
            **answer["env"],
            "AUTH_TOKEN": answer["token"],
        }

    def _report(self, answer: dict[str, Any], error: str, log: IO[bytes]) -> None:
        self.say(log, error)
        path = f"/admin/workspaces/{answer['workspace_id']}/bootstrap-failed"
        headers = {"Authorization": f"Bearer {answer['token']}"}
        call(self.platform + path, {"error": error, "log_tail": tail(self.log)}, headers)

    @staticmethod
    def say(log: IO[bytes], text: str) -> None:
        log.write(f"{time.strftime('%H:%M:%S')} boot: {text}\n".encode())
        log.flush()


def stop(process: subprocess.Popen) -> None:
    """Asks a process to end, then makes sure of it."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def call(url: str, body: dict | None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise Refused(f"{error.code} {error.read(300).decode(errors='replace')}") from error
