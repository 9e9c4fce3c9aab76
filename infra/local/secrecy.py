"""Looks for what must not be there in the logs of all functions: tokens, secrets, texts of messages.

Tests note what they send (tests/src/notes.rs). A token is also known by its form: a platform token is 43 characters of
base64url, with letters of both cases and digits.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

TOKEN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
FIELD = re.compile(r"(?P<name>\w+)=(?P<value>\"[^\"]*\"|\S+)")
FORMS = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"))


def leaks(events: Iterable[tuple[int, str, str]], sent: Path, tokens: Iterable[str]) -> list[str]:
    """A sentence for each function and field that shows something secret: never the secret itself.

    >>> shown = [(1, "Get", '{"fields": {"message": "it is tops3cret, again"}}'), (2, "List", "Bearer " + "aB3" + 40 * "x")]
    >>> leaks(shown, Path("/nowhere"), ["tops3cret"])  # doctest: +NORMALIZE_WHITESPACE
    ['Get: its log shows a token, in fields.message',
     'List: its log shows a text in the form of a token, in the line']
    >>> leaks([(1, "Get", '{"workspace_id": "0a1b2c3d-0000-4000-8000-00000000000f"}')], Path("/nowhere"), ["tops3cret"])
    []
    """
    secrets = dict(_noted(sent)) | {token: "token" for token in tokens}
    found = set()
    for _, function, line in events:
        for field, text in _fields(line):
            for kind in _kinds(text, secrets):
                found.add(f"{function}: its log shows a {kind}, in {field}")
    return sorted(found)


def _noted(sent: Path) -> Iterator[tuple[str, str]]:
    lines = sent.read_text().splitlines() if sent.exists() else []
    for line in lines:
        note = json.loads(line)
        yield note["text"], note["kind"]


def _kinds(text: str, secrets: dict[str, str]) -> Iterator[str]:
    yield from {kind for secret, kind in secrets.items() if secret in text}
    for match in TOKEN.finditer(text):
        if all(form.search(match.group()) for form in FORMS):
            yield "text in the form of a token"


def _fields(line: str) -> Iterator[tuple[str, str]]:
    """The fields of a line of JSON with their texts; a line of anything else is one."""
    try:
        whole = json.loads(line)
    except ValueError:
        for match in FIELD.finditer(line):
            yield match["name"], match["value"]
        yield "the line", line
        return
    yield from _leaves("", whole)


def _leaves(name: str, value) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"the names in {name or 'the line'}", str(key)
            yield from _leaves(f"{name}.{key}".removeprefix("."), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(name, inner)
    else:
        yield name or "the line", str(value)
