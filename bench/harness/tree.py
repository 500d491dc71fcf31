"""A process with all that it started: found in /proc, stopped by pid, its memory and CPU time added up."""

import os
import signal
import time
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def _stat_fields(pid):
    """The fields of /proc/PID/stat after the name, which may hold spaces: [0] is the state, [1] the parent."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def name(pid):
    return Path(f"/proc/{pid}/comm").read_text().strip()


def parents():
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                found[int(entry)] = int(_stat_fields(entry)[1])
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


def members(root):
    """The pids of `root` and all its descendants, root first."""
    parent_of = parents()
    found = [root] if root in parent_of else []
    for pid in found:
        found.extend(child for child, parent in parent_of.items() if parent == pid)
    return found


def _rollup(pid, name):
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has ended since it was found
        return 0
    for line in text.splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def memory_kib(root):
    """The proportional set size of the whole tree."""
    return sum(_rollup(pid, "Pss") for pid in members(root))


def cpu_seconds_by_ticks(root):
    """utime + stime with those of waited-for children: all that /proc has, rounded to a tick per process."""
    return sum(sum(map(int, _stat_fields(pid)[11:15])) for pid in members(root)) / TICKS_PER_SECOND


def is_running(pid):
    try:
        return _stat_fields(pid)[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def stop(process, patience=1.0):
    """Asks `process` (a Popen) to end, then kills what is left of its tree, each by its pid."""
    pids = members(process.pid)
    process.terminate()
    give_up = time.monotonic() + patience
    while any(map(is_running, pids)) and time.monotonic() < give_up:
        process.poll()
        time.sleep(0.01)
    for pid in pids:
        if is_running(pid):
            kill(pid)
    process.wait()
