"""Asks a deployed stack whatever its description allows, and some that it does not: `test.py openapi_fuzz.py 20`.

Every answer must be one that the document has, of the type and the shape it says, and no failure of ours. Once without
a credential, once as a workspace, once as the admin. The seed is fixed: a failure comes again, and schemathesis prints
the request as a curl command.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

CHECKS = "no_failure_of_ours,status_code_conformance,content_type_conformance,response_schema_conformance"
SEED = 20261128
# How many of the operations must succeed for somebody: else nothing but refusals was looked at.
SUCCEED = 0.3
SCHEDULE = {"name": "Yearly", "cron_expr": "0 0 1 1 *", "prompt": "A happy new year"}
MESSAGE = {"method": "message/send", "params": {"message": {"role": "user", "parts": [{"kind": "text", "text": "hi"}]}}}

BASE = os.environ["BASE_URL"]
ADMIN = os.environ["ADMIN_TOKEN"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", type=int, help="how many requests per operation and caller, at most")
    examples = parser.parse_args().examples
    alice, bob, spare = (_workspace(name) for name in ("Alice", "Bob", "Spare"))
    found = {
        "FUZZ_WORKSPACES": f"{alice['id']},{bob['id']}",
        "FUZZ_SPARE": spare["id"],
        "FUZZ_SCHEDULE": _post(f"/workspaces/{alice['id']}/schedules", SCHEDULE)["id"],
        "FUZZ_REQUEST": _post(f"/workspaces/{alice['id']}/a2a", MESSAGE)["queue_id"],
    }
    callers = (
        ("nobody", None, max(1, examples // 5)),
        ("a workspace", alice["connection"]["auth_token"], examples),
        ("the admin", ADMIN, examples),
    )
    answers = collections.defaultdict(collections.Counter)
    failed = [who for who, token, most in callers if not _passes(who, token, most, found, answers)]
    good = {name for name, statuses in answers.items() if any(status[0] == "2" for status in statuses)}
    print(f"Of {len(answers)} operations these never succeeded: {', '.join(sorted(set(answers) - good)) or 'none'}.")
    if len(good) < len(answers) * SUCCEED:
        print("That is too many: the requests are not what people send.", file=sys.stderr)
        return 1
    if failed:
        print(f"Answers that docs/openapi.json does not have, to: {', '.join(failed)}.", file=sys.stderr)
    return len(failed)


def _passes(who: str, token: str | None, examples: int, found: dict[str, str], answers: dict) -> bool:
    print(f"\nAsking as {who}:", flush=True)
    here = Path(__file__).parent
    command = [str(Path(sys.executable).absolute().parent / "schemathesis"), "run", f"{BASE}/openapi.json"]
    command += [
        "--checks",
        CHECKS,
        "--phases",
        os.environ.get("FUZZ_PHASES", "examples,fuzzing"),
        "--max-examples",
        str(examples),
    ]
    command += ["--seed", str(SEED), "--continue-on-failure", "--no-shrink", "--suppress-health-check", "all"]
    # One after the other: a failure comes again, and Python 3.11 breaks when two threads parse at a time.
    command += ["--request-timeout", "30", "--warnings", "off", "--workers", "1"]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "answers.json"
        hooks = {"SCHEMATHESIS_HOOKS": "openapi_hooks", "PYTHONPATH": str(here), "FUZZ_REPORT": str(report)}
        # It keeps notes where it runs.
        code = subprocess.run(command, env=os.environ | found | hooks, cwd=folder, check=False).returncode
        for name, statuses in json.loads(report.read_text()).items():
            answers[name].update(statuses)
    return code == 0


def _workspace(name: str) -> dict:
    """One that fetches its messages, registered."""
    made = _post("/workspaces", {"name": name, "external": True})
    card = {"id": made["id"], "delivery_mode": "poll", "agent_card": {"name": name}}
    _post("/registry/register", card, made["connection"]["auth_token"])
    return made


def _post(path: str, body: dict, token: str = ADMIN) -> dict:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(BASE + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
