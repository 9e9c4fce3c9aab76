"""Starts MiniStack, the AWS emulator, with ten changes that a local stack needs.

1. The HTTP API also answers without a prefix on a port of its own, and the WebSocket API there under `/ws`. On the
   emulator's own port both hide behind `/_aws/execute-api/<id>`.
2. There, a preflight reaches the API's own `$default` route, as on AWS when the API has no CORS configuration. The
   emulator answers 403 itself.
3. TCP_NODELAY on the Lambda Runtime API: without it every invocation waits about 45 ms for a delayed ACK.
4. Each function on a DynamoDB stream is polled on a thread of its own: in the emulator's one polling loop a slow one
   holds up every other, and every SQS queue.
5. Events may be sent in the name of AWS itself: the local fleet tells of instances as EC2 does, which the emulator's
   EC2 does not.
6. The protocol that a WebSocket's `$connect` function chooses is told to the client, which hangs up without it.
7. Each permission that a role makes use of is noted in a file, once.
8. DynamoDB refuses calls of functions now and then, when a test asks for it (`weather.py`).
9. Functions that wait cost nothing: in the emulator each looks twenty times a second whether it has been stopped, or
   has ended. With hundreds of them the interpreter, which runs one thread at a time, has little time left for calls.
10. When it stands still, it writes down where (`standstill.py`).

State is not kept between runs. The emulator itself is configured by its environment; `stack.py` sets it.
"""

import argparse
import asyncio
import contextlib
import contextvars
import functools
import os
import queue
import resource
import signal
import socket
import socketserver
import sys
import threading
import time
import types
from pathlib import Path
from typing import NoReturn

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app
from ministack.core import iam_evaluator, lambda_runtime
from ministack.services import apigateway, dynamodb, eventbridge, lambda_svc

import standstill
from weather import Sky

STREAM_POLL_SECONDS = 0.05
STOP_POLL_SECONDS = 5.0
EXIT_POLL_SECONDS = 1.0
WEBSOCKET_PATH = "/ws"
POLICY_VIOLATION = 1008
CHOSEN_PROTOCOL: contextvars.ContextVar[str | None] = contextvars.ContextVar("chosen protocol", default=None)


def send_small_packets_at_once() -> None:
    """Sets TCP_NODELAY on the emulator's Runtime API servers, which are standard library ones."""
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def let_idle_functions_sleep() -> None:
    """Has a function's Runtime API wait for a call, and not look between times whether it has been stopped.

    Its server is told to stop by a connection. Its answer to `/next` notices within `STOP_POLL_SECONDS`, and nobody waits
    for that: the process it would have gone to has been killed. Whether a process has ended over its work is looked at
    every `EXIT_POLL_SECONDS`.
    """
    serve, stop = socketserver.BaseServer.serve_forever, socketserver.BaseServer.shutdown

    def serve_until_told(server, poll_interval: float = STOP_POLL_SECONDS) -> None:
        serve(server, max(poll_interval, STOP_POLL_SECONDS))

    def tell(server) -> None:
        telling = threading.Thread(target=stop, args=(server,))
        telling.start()
        while telling.is_alive():
            with contextlib.suppress(OSError):
                socket.create_connection(server.server_address, timeout=1).close()
            telling.join(0.05)

    class Pending(queue.Queue):
        def get(self, block: bool = True, timeout: float | None = None):
            one_at_a_time = self.maxsize == 1
            return super().get(block, max(timeout, STOP_POLL_SECONDS) if one_at_a_time and timeout else timeout)

    socketserver.BaseServer.serve_forever, socketserver.BaseServer.shutdown = serve_until_told, tell
    if getattr(lambda_runtime, "queue", None) is not queue:
        _other("ministack.core.lambda_runtime.queue")
    lambda_runtime.queue = types.SimpleNamespace(Queue=Pending, Empty=queue.Empty, Full=queue.Full)
    if not isinstance(getattr(lambda_runtime, "_PROVIDED_POLL", None), float):
        _other("ministack.core.lambda_runtime._PROVIDED_POLL")
    lambda_runtime._PROVIDED_POLL = EXIT_POLL_SECONDS


def poll_streams_on_their_own_threads() -> None:
    """Takes the stream poller out of the emulator's loop, and lets it see one mapping per thread; it is private there."""
    poll = _private(lambda_svc, "_poll_dynamodb_streams")
    every = _private(lambda_svc, "_iter_all_esms")
    _private(lambda_svc, "_poll_loop")
    only = threading.local()

    def visible():
        mine = getattr(only, "mapping", None)
        return (each for each in every() if mine is None or each[2]["UUID"] == mine)

    def of_one(mapping: str) -> None:
        only.mapping = mapping
        _poll_forever(poll)

    def watch() -> None:
        known: set[str] = set()
        while True:
            for _, _, mapping in every():
                name = mapping["UUID"]
                if ":dynamodb:" in mapping.get("EventSourceArn", "") and name not in known:
                    known.add(name)
                    threading.Thread(target=of_one, args=(name,), daemon=True, name=f"stream {name}").start()
            time.sleep(STREAM_POLL_SECONDS)

    lambda_svc._poll_dynamodb_streams = lambda: False
    lambda_svc._iter_all_esms = visible
    threading.Thread(target=watch, daemon=True, name="streams").start()


def tell_the_chosen_protocol() -> None:
    """Notes what a `$connect` function answers: the handshake goes on in the same task, and reads it."""
    invoke = _private(apigateway, "_invoke_ws_lambda")

    async def noted(*arguments, **named):
        answer = await invoke(*arguments, **named)
        headers = answer.get("headers") if isinstance(answer, dict) else None
        for name, value in (headers or {}).items():
            if name.lower() == "sec-websocket-protocol":
                CHOSEN_PROTOCOL.set(value)
        return answer

    apigateway._invoke_ws_lambda = noted


def accept_events_of_aws() -> None:
    """Lets a client send events whose source is `aws.…`, which the emulator keeps for itself."""
    eventbridge._put_events = functools.partial(_private(eventbridge, "_put_events"), allow_aws_source=True)


def note_permissions(path: Path) -> None:
    """Writes a line for everything that is allowed to a role for the first time: role, action, resource."""
    evaluate = _private(iam_evaluator, "evaluate")
    lock = threading.Lock()
    known: set[tuple[str, str, str]] = set()

    def noting(context, policies, *limits):
        result = evaluate(context, policies, *limits)
        _, assumed, rest = context.principal_arn.partition(":assumed-role/")
        used = (rest.partition("/")[0], context.action, context.resource_arn)
        if result.decision == "Allow" and assumed:
            with lock:
                if used not in known:
                    known.add(used)
                    with path.open("a") as notes:
                        notes.write("\t".join(used) + "\n")
        return result

    iam_evaluator.evaluate = noting


def let_tables_be_busy() -> Sky:
    """Puts the sky over DynamoDB; it is clear until a test asks for something else."""
    sky = Sky()
    dynamodb.handle_request = sky.over(_private(dynamodb, "handle_request"))
    return sky


def _private(module, name: str):
    """A function that the emulator does not promise to have: its absence must be noticed."""
    function = getattr(module, name, None)
    if not callable(function):
        _other(f"{module.__name__}.{name}")
    return function


def _other(name: str) -> NoReturn:
    sys.exit(
        f"this MiniStack has no {name}: install the version pinned in infra/local/requirements.txt, or adapt"
        " infra/local/launch.py to the new one"
    )


def _poll_forever(poll) -> None:
    while True:
        try:
            busy = poll()
        except Exception as error:  # noqa: BLE001 — one bad batch must not end the streams of every table
            print(f"stream poller: {error!r}", flush=True)
            busy = False
        if not busy:
            time.sleep(STREAM_POLL_SECONDS)


def without_prefix(app, port: int, http_api: str, websocket_api: str):
    """Wraps the emulator so that `port` serves one HTTP API at its root and one WebSocket API at `/ws`.

    Both are named as ID/STAGE.
    """

    async def wrapped(scope, receive, send):
        if scope["type"] not in ("http", "websocket") or scope["server"][1] != port:
            return await app(scope, receive, send)
        if scope["type"] == "http":
            scope = {**scope, "method": _Unrecognised(scope["method"])}
            return await app(_moved(scope, http_api, scope["path"], scope["raw_path"]), receive, send)
        if scope["path"] == WEBSOCKET_PATH:
            return await app(_moved(scope, websocket_api, "", b""), receive, _choosing(send))
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})

    return wrapped


def _choosing(send):
    """Accepts a WebSocket with the protocol that its function chose."""

    async def wrapped(message):
        chosen = CHOSEN_PROTOCOL.get()
        if message["type"] == "websocket.accept" and chosen:
            message = {**message, "subprotocol": chosen}
        await send(message)

    return wrapped


class _Unrecognised(str):
    """A method that reaches the function as it is but does not equal "OPTIONS", which the emulator would answer."""

    def __eq__(self, other: object) -> bool:
        return other != "OPTIONS" and str.__eq__(self, other)

    __hash__ = str.__hash__


def _moved(scope: dict, api: str, path: str, raw_path: bytes) -> dict:
    prefix = f"/_aws/execute-api/{api}"
    return {**scope, "path": prefix + path, "raw_path": prefix.encode() + raw_path}


def allow_many_connections() -> None:
    """Raises the limit of open files: a burst of invocations needs several for every function process."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS names no limit and then refuses to lift it
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def stop_with_parent() -> None:
    """Ends the emulator when whoever started it is gone, even killed: its end of our standard input closes then."""
    while os.read(sys.stdin.fileno(), 1):  # not sys.stdin.read(): its lock, held at the end, would be a fatal error
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--aws-port", type=int, required=True, help="port of the emulator's own API")
    parser.add_argument("--api-port", type=int, required=True, help="port of the deployed API, without a prefix")
    parser.add_argument("--http-api", required=True, help="id and stage of the HTTP API: ID/STAGE")
    parser.add_argument("--websocket-api", required=True, help="id and stage of the WebSocket API: ID/STAGE")
    parser.add_argument("--permissions", type=Path, required=True, help="file for the permissions that are used")
    parser.add_argument("--standstills", type=Path, required=True, help="file for where it stood still, if it did")
    arguments = parser.parse_args()

    send_small_packets_at_once()
    let_idle_functions_sleep()
    poll_streams_on_their_own_threads()
    tell_the_chosen_protocol()
    accept_events_of_aws()
    note_permissions(arguments.permissions)
    sky = let_tables_be_busy()
    allow_many_connections()
    threading.Thread(target=stop_with_parent, daemon=True, name="parent").start()

    config = Config()
    config.bind = [f"127.0.0.1:{arguments.aws_port}", f"127.0.0.1:{arguments.api_port}"]
    config.keep_alive_timeout = 75  # the emulator's own value; the default of 5 s drops clients' idle connections
    front = without_prefix(sky.controls(app), arguments.api_port, arguments.http_api, arguments.websocket_api)
    asyncio.run(_serve_watched(front, config, arguments.standstills))


async def _serve_watched(front, config: Config, standstills: Path) -> None:
    standstill.watch(standstills)
    await serve(front, config)


if __name__ == "__main__":
    main()
