"""Holds the table of profiles against traces of the integration suite.

    SALLYPORT_TRACE=DIR ./run test
    python3 tests/support/traced_calls.py DIR build/release/bin/print_profiles

Exit 1 if a process made a call outside its profile, or if a row that no trace shows does not say what needs it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(\(| resumed)")
EXECUTED = re.compile(r'^(\d+) +execve\("[^"]*/(sallyport[\w-]*)"')
STARTED = re.compile(r"^(\d+) +(?:<\.\.\. )?(?:clone3?|fork|vfork)\b.*= (\d+)$")


class Trace:
    """One file: who is which process, from when on it is under its filter, and what it called since."""

    def __init__(self, path):
        self.name_of, self.process_of, self.filtered, self.calls = {}, {}, set(), {}
        for line in path.read_text(errors="replace").splitlines():
            self._read(line)

    def _read(self, line):
        call = CALL.match(line)
        if not call:
            return
        thread, name, form = call.groups()
        if executed := EXECUTED.match(line):
            self.process_of[thread] = thread
            self.name_of[thread] = executed[2]
        if started := STARTED.match(line):
            is_thread = "CLONE_THREAD" in line or "clone3" not in name
            if self.process_of.get(thread) in self.filtered and is_thread:
                self.process_of[started[2]] = self.process_of[thread]
        process = self.process_of.get(thread)
        # Refused calls are probes.
        if process in self.filtered and form == "(" and " = -1 EPERM" not in line:
            self.calls.setdefault(self.name_of[process], set()).add(name)
        # libseccomp asks what the kernel can do, with NULL, before it installs.
        if name == "seccomp" and "SECCOMP_SET_MODE_FILTER" in line and "NULL" not in line and process:
            self.filtered.add(process)


def main(directory, print_profiles):
    shown = {}
    for path in Path(directory).iterdir():
        for name, calls in Trace(path).calls.items():
            shown.setdefault(name, set()).update(calls)
    wrong = False
    for row in json.loads(subprocess.run([print_profiles], check=True, capture_output=True, text=True).stdout):
        calls, listed = shown.get(row["executable"], set()), {call["name"]: call for call in row["calls"]}
        outside = calls - set(listed) if row["permits"] else calls & set(listed)
        silent = [name for name, call in listed.items() if name not in calls and not call["unseen"] and row["permits"]]
        spoken = [name for name, call in listed.items() if name in calls and call["unseen"]]
        print(f"{row['name']}: {len(calls)} calls seen; outside: {sorted(outside)}; "
              f"never seen, without a reason: {silent}; seen, though said to be unseen: {spoken}")
        wrong = wrong or bool(outside) or bool(silent)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
