"""Notices when the emulator stands still, and writes down where: what waited for it can only say that it waited.

Each second the emulator's event loop is asked to have a worker do nothing, which every call and every invocation needs.
When that takes longer than `PATIENCE_SECONDS`, the stacks of all threads go to a file. Was this thread itself not run
for that long, it was the machine and not the emulator; the file says that too.
"""

import asyncio
import concurrent.futures
import faulthandler
import os
import threading
import time
from pathlib import Path

PATIENCE_SECONDS = 3.0
DUMPS = 10
"""How many stacks are written at most, about 100 KB each."""

STOOD = "stood still"


def watch(path: Path) -> None:
    """Starts watching the running event loop; `path` is there once something was noticed."""
    loop = asyncio.get_running_loop()
    threading.Thread(target=_watch, args=(loop, path), daemon=True, name="standstill").start()


def noticed(path: Path) -> list[str]:
    """The lines that say when and for how long; without the stacks."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return [line for line in lines if STOOD in line]


def _watch(loop: asyncio.AbstractEventLoop, path: Path) -> None:
    dumps = 0
    while True:
        asleep = time.monotonic()
        time.sleep(1)
        started = time.monotonic()
        if started - asleep > 1 + PATIENCE_SECONDS:
            _write(path, "the machine", started - asleep)
        try:
            answer = asyncio.run_coroutine_threadsafe(asyncio.to_thread(lambda: None), loop)
        except RuntimeError:  # the loop has ended, and the emulator with it
            return
        try:
            answer.result(PATIENCE_SECONDS)
        except concurrent.futures.TimeoutError:
            if dumps < DUMPS:
                dumps += 1
                with path.open("a") as file:
                    faulthandler.dump_traceback(file)
            answer.result()
            _write(path, "the emulator", time.monotonic() - started)


def _write(path: Path, who: str, seconds: float) -> None:
    load = " ".join(f"{load:.1f}" for load in os.getloadavg())
    with path.open("a") as file:
        file.write(f"{time.strftime('%H:%M:%S')} {who} {STOOD} for {seconds:.1f} s (load {load})\n\n")
