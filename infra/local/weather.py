"""A DynamoDB that is busy now and then: on demand it refuses some of what the deployed functions ask of it.

`POST /_weather` on the emulator's port starts one, with any of these in a JSON object: `share` (of calls that are
refused, none unless said otherwise), `seed` (of the dice), `naming` (only calls that have one of these texts in their
body concern it), `as_a_whole` (in no form that an operation has for itself). The answer is its number: `GET
/_weather/<number>` tells what has come of it, `DELETE` tells it and ends it. Calls by the emulator's root user, such as
a test's looks at the table, are let through and not counted.

A refused call does nothing. It is refused in the forms that AWS has: as a whole by two names, a transaction also for
one of its writes, a batch of reads also by leaving half of the keys to be asked for again.
"""

import itertools
import json
import os
import random
import re
import time
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field

PATH = "/_weather"
ERRORS = {
    "ProvisionedThroughputExceededException": "The level of provisioned throughput for the table was exceeded.",
    "ThrottlingException": "Throughput exceeds the current capacity of your table or index.",
}
FULL_PARTITION = {"Code": "ThrottlingError", "Message": "Throughput exceeds the current capacity of your table."}
ROOT = f"Credential={os.environ.get('AWS_ACCESS_KEY_ID', '')}/"
JSON = [(b"content-type", b"application/json")]
ATTEMPT = re.compile(r"attempt=(\d+)(?:; max=(\d+))?")


@dataclass
class Weather:
    """What it does to calls, and what has come of it."""

    share: float = 0.0
    seed: int = 0
    naming: list[str] = field(default_factory=list)
    as_a_whole: bool = False
    calls: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    gave_up: Counter = field(default_factory=Counter)
    not_in_time: int = 0
    waits: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self._refused_at: dict[str, float] = {}
        self._started, self._cpu = time.monotonic(), time.process_time()

    def form(self, operation: str, headers: dict, body: bytes) -> str | None:
        """Notes a call; in which form it is refused, if it is."""
        if self.naming and not any(text.encode() in body for text in self.naming):
            return None
        call = headers.get("amz-sdk-invocation-id", "")
        attempt, most = self._attempt(headers)
        self.calls[operation] += 1
        if (before := self._refused_at.pop(call, None)) is not None:
            self.waits[attempt].append(time.monotonic() - before)
        elif attempt > 1:
            self.not_in_time += 1
        if self._dice.random() >= self.share:
            return None
        form = self._dice.choice([*ERRORS] if self.as_a_whole else _forms(operation))
        self.refused[f"{operation} {form}"] += 1
        if form in ERRORS:
            self._refused_at[call] = time.monotonic()
            self.gave_up[operation] += attempt == most
        return form

    @staticmethod
    def _attempt(headers: dict) -> tuple[int, int]:
        match = ATTEMPT.search(headers.get("amz-sdk-request", ""))
        return (int(match[1]), int(match[2] or 0)) if match else (1, 0)

    def split(self, keys: list) -> int:
        """How many of a batch's keys are answered."""
        return self._dice.randint(1, len(keys) - 1) if len(keys) > 1 else 1

    def culprit(self, writes: int) -> int:
        """Which write of a transaction meets the full partition."""
        return self._dice.randrange(max(writes, 1))

    def told(self) -> dict:
        """Counts by operation; waits in milliseconds by the attempt that followed; how busy the emulator itself was.

        `not_in_time` are calls that came again though nobody refused them: the emulator was too slow for them.
        """
        return {
            "calls": self.calls,
            "refused": self.refused,
            "gave_up": +self.gave_up,
            "not_in_time": self.not_in_time,
            "waits_ms": {str(n): [round(1000 * wait, 1) for wait in waits] for n, waits in sorted(self.waits.items())},
            "emulator_cpu": (time.process_time() - self._cpu) / max(time.monotonic() - self._started, 0.001),
        }


def _forms(operation: str) -> list[str]:
    """Half of the refusals are of the operation's own form, if it has one."""
    special = {"TransactWriteItems": "one of its writes", "BatchGetItem": "some of its keys"}.get(operation)
    return [*ERRORS, special, special] if special else [*ERRORS]


class Sky:
    """Stands between the emulator's DynamoDB and those who call it, and between the emulator and its clients."""

    def __init__(self) -> None:
        self.weathers: dict[str, Weather] = {}
        self._numbers = itertools.count(1)

    def over(self, serve):
        """Wraps DynamoDB's own handler of requests."""

        async def wrapped(method: str, path: str, headers: dict, body: bytes, query: dict) -> tuple:
            by_root = ROOT in headers.get("authorization", "")
            operation = headers.get("x-amz-target", "").rpartition(".")[2]
            for weather in [] if by_root else self.weathers.values():
                form = weather.form(operation, headers, body)
                if form in ERRORS:
                    return _error(form, {"message": ERRORS[form]})
                if form is not None and operation == "TransactWriteItems":
                    return _cancelled(weather, json.loads(body))
                if form is not None:
                    less, left = _parted(weather, json.loads(body))
                    return _with_rest(await serve(method, path, headers, less, query), left)
            return await serve(method, path, headers, body, query)

        return wrapped

    def controls(self, app):
        """Wraps the emulator so that clients can start weathers and end them."""

        async def wrapped(scope, receive, send):
            path, _, number = scope.get("path", "").partition(PATH)
            if scope["type"] != "http" or path or not scope["path"].startswith(PATH):
                return await app(scope, receive, send)
            number = number.strip("/")
            if scope["method"] == "POST":
                number = str(next(self._numbers))
                self.weathers[number] = Weather(**json.loads(await _body(receive) or b"{}"))
                said = number
            else:
                said = self.weathers[number].told()
            if scope["method"] == "DELETE":
                del self.weathers[number]
            await send({"type": "http.response.start", "status": 200, "headers": JSON})
            await send({"type": "http.response.body", "body": json.dumps(said).encode()})

        return wrapped


def _error(code: str, body: dict) -> tuple:
    whole = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **body}).encode()
    return 400, {"Content-Type": "application/x-amz-json-1.0", "x-amz-crc32": str(zlib.crc32(whole))}, whole


def _cancelled(weather: Weather, request: dict) -> tuple:
    reasons = [{"Code": "None"} for _ in request.get("TransactItems", [])]
    reasons[weather.culprit(len(reasons))] = FULL_PARTITION
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return _error("TransactionCanceledException", {"Message": message, "CancellationReasons": reasons})


def _parted(weather: Weather, request: dict) -> tuple[bytes, dict]:
    """A batch of reads with the first of its keys, and the rest of them."""
    left = {}
    for table, wanted in request.get("RequestItems", {}).items():
        keys = wanted["Keys"]
        cut = weather.split(keys)
        if keys[cut:]:
            left[table] = {**wanted, "Keys": keys[cut:]}
        wanted["Keys"] = keys[:cut]
    return json.dumps(request).encode(), left


def _with_rest(answer: tuple, left: dict) -> tuple:
    status, headers, body = answer
    whole = json.dumps({**json.loads(body), "UnprocessedKeys": left}).encode()
    return status, {**headers, "x-amz-crc32": str(zlib.crc32(whole))}, whole


async def _body(receive) -> bytes:
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)
