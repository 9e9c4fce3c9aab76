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
import typing
from pathlib import Path

import openapi_things as things

CHECKS = "no_failure_of_ours,status_code_conformance,content_type_conformance,response_schema_conformance"
SEED = 20261128
# An example is sent once, about what is there: not again with each id that some answer had.
CONFIG = "[phases.examples.extra-data-sources]\nresponses = false\n"
# How many of the operations must succeed for somebody: else nothing but refusals was looked at.
SUCCEED = 0.95
# Those of which no caller here can make a success.
NEVER = {"bootstrap_exchange": "only a machine can sign for its role; tests/it/fleet/exchange.rs has it"}


class Caller(typing.NamedTuple):
    name: str
    token: str | None
    examples: int
    phases: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", type=int, help="how many requests per operation and caller, at most")
    examples = parser.parse_args().examples
    known = things.things()
    phases = os.environ.get("FUZZ_PHASES", "examples,fuzzing")
    callers = (
        # Refused as a rule, so it is enough to see that they are.
        Caller("nobody", None, max(1, examples // 5), "fuzzing"),
        Caller("a workspace", known["token"], examples, phases),
        Caller("the admin", things.ADMIN, examples, phases),
    )
    answers = collections.defaultdict(collections.Counter)
    failed = [caller.name for caller in callers if not _passes(caller, known, answers)]
    good = {name for name, statuses in answers.items() if any(status[0] == "2" for status in statuses)}
    print(f"{len(good)} of {len(answers)} operations succeeded for somebody. All others:")
    for name in sorted(set(answers) - good):
        told = ", ".join(f"{often} x {status}" for status, often in answers[name].most_common())
        print(f"  {name}: {told}" + (f" ({NEVER[name]})" if name in NEVER else ""))
    if len(good) < len(answers) * SUCCEED:
        print("That is too few: the requests are not what people send.", file=sys.stderr)
        return 1
    if failed:
        print(f"Answers that docs/openapi.json does not have, to: {', '.join(failed)}.", file=sys.stderr)
    return len(failed)


def _passes(caller: Caller, known: dict[str, str], answers: dict) -> bool:
    print(f"\nAsking as {caller.name}:", flush=True)
    here = Path(__file__).parent
    command = [str(Path(sys.executable).absolute().parent / "schemathesis"), "run", f"{things.BASE}/openapi.json"]
    command += [
        "--checks",
        CHECKS,
        "--phases",
        caller.phases,
        "--max-examples",
        str(caller.examples),
    ]
    command += ["--seed", str(SEED), "--continue-on-failure", "--no-shrink", "--suppress-health-check", "all"]
    # One after the other: a failure comes again, and Python 3.11 breaks when two threads parse at a time.
    command += ["--request-timeout", "30", "--warnings", "off", "--workers", "1"]
    if caller.token:
        command += ["--header", f"Authorization: Bearer {caller.token}"]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "answers.json"
        hooks = {"SCHEMATHESIS_HOOKS": "openapi_hooks", "PYTHONPATH": str(here), "FUZZ_REPORT": str(report)}
        hooks |= {"FUZZ_KNOWN": json.dumps(known), "FUZZ_TOKEN": caller.token or ""}
        # Where it runs it looks for its settings and keeps notes.
        Path(folder, "schemathesis.toml").write_text(CONFIG)
        code = subprocess.run(command, env=os.environ | hooks, cwd=folder, check=False).returncode
        for name, statuses in json.loads(report.read_text()).items():
            answers[name].update(statuses)
    return code == 0


if __name__ == "__main__":
    sys.exit(main())
