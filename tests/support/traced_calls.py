"""Holds the table of profiles against traces of the test suite: ./run test --traced.

    python3 tests/support/traced_calls.py DIRECTORY build/release/bin/print_profiles

Exit 1 if a process made a call outside its profile, if a row that no trace shows does not say what needs it, or if
docker/seccomp.json lacks a call that anybody made, confined or not; but for `sallyport dev`, which is for no container.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from trace import calls_in

DEV = re.compile(r'sallyport", \["[^"]*"(?:\.\.\.)?, "dev"')
CONTAINER = Path(__file__).resolve().parents[2] / "docker" / "seccomp.json"


def filtered_calls(calls):
    """(executable, call) of each call that was made under a filter of ours and not refused by it."""
    filtered = set()
    for call in calls:
        # A refused call is a probe.
        if call.process in filtered and " = -1 EPERM" not in call.text:
            yield call.executable, call.name
        # libseccomp asks what the kernel can do, with NULL, before it installs.
        if call.name == "seccomp" and "SECCOMP_SET_MODE_FILTER" in call.text and "NULL" not in call.text:
            filtered.add(call.process)


def judge(row, seen):
    """What is wrong with one row of the table, as sentences."""
    listed = {call["name"]: call["unseen"] for call in row["calls"]}
    if not row["permits"]:
        return [f"{row['name']} calls {name}, which it is forbidden" for name in sorted(seen & set(listed))]
    return [
        *(f"{row['name']} calls {name}, which its list lacks" for name in sorted(seen - set(listed))),
        *(f"{row['name']} never calls {name}: the row needs a reason, or is not needed"
          for name, reason in listed.items() if name not in seen and not reason),
    ]


def calls_of_containers():
    return {name for entry in json.loads(CONTAINER.read_text())["syscalls"] for name in entry["names"]}


def main(directory, print_profiles):
    rows = json.loads(subprocess.run([print_profiles], check=True, capture_output=True, text=True).stdout)
    paths = list(Path(directory).iterdir())
    seen, ever = set(), set()
    for path in paths:
        calls = list(calls_in(path))
        seen |= set(filtered_calls(calls))
        if not any(call.name == "execve" and DEV.search(call.text) for call in calls):
            ever |= {call.name for call in calls
                     if call.executable.startswith("sallyport") and " = -1 E" not in call.text}
    troubles = [] if paths else ["there is no trace"]
    troubles += [f"{CONTAINER.name} lacks {name}" for name in sorted(ever - calls_of_containers())]
    for row in rows:
        own = {name for executable, name in seen if executable == row["executable"]}
        troubles += judge(row, own)
        spoken = sorted(call["name"] for call in row["calls"] if call["unseen"] and call["name"] in own)
        print(f"{row['name']}: {len(own)} calls in {len(paths)} traces; seen, though their rows say when: {spoken}")
    print("\n".join(troubles) or "every call is in its list, and every row is needed")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
