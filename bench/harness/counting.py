"""Counts per operation: the same run twice, shorter and longer, under a tool that counts; the difference is divided.

Start, first exchange and end are in both runs, so they cancel out. One connection at a time, so that nothing is shared
between operations: what is counted is the quiet case.
"""

import os
import shutil
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass

from harness import tree
from harness.cores import LOAD_CORE
from harness.proxy import Failure, Proxy


PATIENCE = 120  # seconds: under callgrind a start takes long


@dataclass(frozen=True)
class Operation:
    """What bench-load is told, the last word being the option that takes the amount, and how a report is counted."""

    name: str
    load: tuple
    short: int
    long: int
    megabytes: bool = False

    def operations(self, report):
        return report["bytes"] / 1e6 if self.megabytes else report["operations"]


HANDSHAKE = Operation("handshake + request + close",
                      ("churn", "--parallel", "1", "--warm", "4", "--operations"), 50, 250)
RESUMED = Operation("resumed + request + close",
                    ("churn", "--resume", "--parallel", "1", "--warm", "4", "--operations"), 50, 250)
REQUEST = Operation("request", ("saturate", "--connections", "1", "--milliseconds"), 200, 1000)
DOWN = Operation("MB down", ("download", "--connections", "1", "--megabytes"), 20, 100, megabytes=True)
UP = Operation("MB up", ("upload", "--connections", "1", "--megabytes"), 20, 100, megabytes=True)
OPERATIONS = (HANDSHAKE, RESUMED, REQUEST, DOWN, UP)


@dataclass(frozen=True)
class Tool:
    """`command(directory)` is put before the proxy's own; `read(directory)` gives a Counter once all has ended."""

    package: str
    command: object
    read: object

    def is_here(self):
        return shutil.which(self.package) is not None


def per_operation(site, system, tool, operation, mode="tcp"):
    """A Counter of calls (or instructions) per operation. Raises Failure if a run does not come to a good end."""
    few, count_few = _run(site, system, tool, operation, operation.short, mode)
    many, count_many = _run(site, system, tool, operation, operation.long, mode)
    if count_many <= count_few:
        raise Failure("the longer run did no more than the shorter one")
    return {name: (many[name] - few[name]) / (count_many - count_few) for name in many}


def _run(site, system, tool, operation, amount, mode):
    place = site.place(mode, LOAD_CORE)
    with Proxy(site, system, place, wrapper=tool.command(place.directory)) as proxy:
        # One attempt: a handshake that was given up would be in one run and not in the other.
        proxy.await_first_exchange(PATIENCE, attempt=PATIENCE)
        with proxy.load([*operation.load, str(amount), "--limit", str(PATIENCE)]) as load:
            if not load.await_ready():
                raise Failure(f"{load.complaint()}; {proxy.last_words()}")
            load.go()
            report = load.report()
            if report is None or report["errors"]:
                raise Failure(f"operations failed; {proxy.last_words()}")
        _end_in_good_order(proxy)
    return Counter(tool.read(place.directory)), operation.operations(report)


def _end_in_good_order(proxy):
    """The tool writes its figures when the proxy itself ends, so it is the proxy that is asked to."""
    pids = tree.members(proxy.process.pid)
    # strace is the proxy's parent; valgrind is the same process as what it runs.
    asked = pids[1] if tree.name(pids[0]) == "strace" else pids[0]
    os.kill(asked, signal.SIGTERM)
    try:
        proxy.process.wait(PATIENCE)
    except subprocess.TimeoutExpired as late:
        raise Failure("it does not end when asked to") from late
