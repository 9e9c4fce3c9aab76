"""Processes that run beside a command: start, watch, stop, and a clear end for the command itself."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

READY_SECONDS = 30
STOP_SECONDS = 8
TAIL_LINES = 20


class Stop(Exception):
    """The run cannot go on; the message is the sentence that tells the user why."""


class Child:
    """A process in a process group of its own, with its output in a log file.

    Its standard input is a pipe that nobody writes to: it closes when this process ends, however it ends.
    """

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: Path):
        self.name = name
        self.log = log
        try:
            with log.open("wb") as output:
                self.process = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is for us alone: we stop the others in order
                )
        except OSError as error:
            raise Stop(f"{name} could not be started: {error}") from error

    def check(self) -> None:
        """Stops the run when the process has ended by itself."""
        code = self.process.poll()
        if code is not None:
            raise Stop(f"{self.name} ended by itself (exit code {code}); the end of {self.log}:\n{tail(self.log)}")

    def stop(self) -> None:
        """Asks the process to end, then makes sure of it and of every process it has left behind."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def blaming(children: list[Child]) -> Iterator[None]:
    """When a step fails because a process has died, the death is the reason to give, not what it made fail."""
    try:
        yield
    except Stop:
        for child in children:
            child.check()
        raise


def wait_for(url: str, name: str, check: Callable[[], None]) -> None:
    """Returns once `url` answers 200; `check` notices meanwhile that the one who should answer has died."""
    answer = "no answer"
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        check()
        try:
            with urllib.request.urlopen(url, timeout=READY_SECONDS) as response:
                if response.status == 200:
                    return
        except urllib.error.HTTPError as error:
            answer = f"{error.code} {error.read(300).decode(errors='replace')}"
        except OSError as error:
            answer = str(error)
        time.sleep(0.1)
    raise Stop(f"{name} was not ready within {READY_SECONDS} s: GET {url} gave {answer}")


def require_free(port: int, variable: str) -> None:
    """Stops the run when another program listens on the port, on either loopback address."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family) as probe:  # a machine may have no IPv6
            if probe.connect_ex((address, port)) == 0:
                raise Stop(f"port {port} is taken by another program; set {variable}=<a free port> and run it again")


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log, indented."""
    return "\n".join(f"    {line}" for line in path.read_text(errors="replace").splitlines()[-lines:])


def run(command: str, main: Callable[[], int]) -> NoReturn:
    """Runs a command's `main` so that every way out stops what was started and says what happened."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"  # a proxy cannot reach this machine's ports
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` starts us with Ctrl-C ignored
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        sys.exit(main())
    except Stop as stop:
        sys.exit(f"{command}: {stop}")
    except KeyboardInterrupt:
        sys.exit(f"\n{command}: stopped")
