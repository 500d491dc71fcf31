"""The bind matrix: its cells, what must come of each by the rules of kernel and runtimes, docker/README.md's tables.

    python3 tests/support/bind_matrix.py docker/README.md     writes the tables anew
"""

import itertools
import sys
from dataclasses import dataclass, replace
from pathlib import Path

NBS = "NET_BIND_SERVICE"
LEAVING_ROOT = frozenset({"SETUID", "SETGID"})
FILE = frozenset({NBS})  # the capability of the gatekeeper's file
NONE = frozenset()


@dataclass(frozen=True)
class Options:
    granted: frozenset  # of the default set, those that matter here
    asked_for: frozenset


CAPABILITIES = {
    "default": Options(LEAVING_ROOT | {NBS}, NONE),
    "drop ALL": Options(NONE, NONE),
    "drop ALL, add NET_BIND_SERVICE": Options(frozenset({NBS}), frozenset({NBS})),
}
RUNTIMES = {"docker": "Docker (25 and later) and containerd", "podman": "Podman"}
SERVES = "serves"
DROPPED = "77: not in the bounding set"
VOID = "77: no_new_privs"
ROOT = "77: cannot leave root"


@dataclass(frozen=True)
class Row:
    runtime: str
    uid: int
    capabilities: str
    no_new_privs: bool
    exec_between: bool

    def __str__(self):
        nnp, way = "nnp" if self.no_new_privs else "", "through an exec" if self.exec_between else "direct"
        return " ".join(filter(None, (self.runtime, str(self.uid), self.capabilities, nnp, way)))


@dataclass(frozen=True)
class Place:
    port: int
    port_start: int  # net.ipv4.ip_unprivileged_port_start


ROWS = [Row(*values) for values in itertools.product(RUNTIMES, (65532, 0), CAPABILITIES, (False, True), (False, True))]
PLACES = [Place(port, start) for start in (1024, 0) for port in (443, 8443)]


@dataclass(frozen=True)
class Sets:
    bounding: frozenset
    permitted: frozenset
    ambient: frozenset


def before_exec(row):
    """What the runtime leaves. Docker, containerd: the same for every user, and no ambient set. Podman: to a user that
    is not root only what was asked for, as ambient too."""
    options = CAPABILITIES[row.capabilities]
    if row.runtime == "podman" and row.uid != 0:
        return Sets(options.granted, options.asked_for, options.asked_for)
    return Sets(options.granted, options.granted, NONE)


def executed(sets, row, file):
    """execve(2): P' = (bounding & file) | ambient, and root's file has everything; a file that has capabilities cancels
    the ambient set; no_new_privs lets nothing be gained."""
    ambient = NONE if file or row.uid == 0 else sets.ambient
    permitted = sets.bounding if row.uid == 0 else (sets.bounding & file) | ambient
    if row.no_new_privs and not permitted <= sets.permitted:
        permitted &= sets.permitted
    return replace(sets, permitted=permitted, ambient=ambient)


def predicted(row, place):
    sets = before_exec(row)
    if row.exec_between:
        sets = executed(sets, row, NONE)
    sets = executed(sets, row, FILE)
    if place.port < place.port_start and NBS not in sets.permitted:
        return VOID if NBS in sets.bounding else DROPPED
    return SERVES if row.uid != 0 or LEAVING_ROOT <= sets.permitted else ROOT


# The tables

BEGIN, END = "<!-- bind matrix: begin -->\n", "<!-- bind matrix: end -->\n"
HEAD = ["user", "capabilities", "no_new_privs", "started", *(f"port {p.port}, sysctl {p.port_start}" for p in PLACES)]


def table_line(row, outcomes):
    cells = [str(row.uid), row.capabilities, "yes" if row.no_new_privs else "no",
             "through an exec" if row.exec_between else "directly", *outcomes]
    return f"| {' | '.join(cells)} |\n"


def table(runtime):
    lines = [table_line(row, [predicted(row, place) for place in PLACES]) for row in ROWS if row.runtime == runtime]
    return f"\n**{RUNTIMES[runtime]}**\n\n| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}\n{''.join(lines)}"


def tables():
    return "".join(map(table, RUNTIMES)) + "\n"


def tables_in(text):
    return text.split(BEGIN)[1].split(END)[0]


def table_in(text, runtime):
    return tables_in(text).split(f"**{RUNTIMES[runtime]}**")[1].split("**")[0]


if __name__ == "__main__":
    path = Path(sys.argv[1])
    before, after = path.read_text().split(BEGIN)[0], path.read_text().split(END)[1]
    path.write_text(before + BEGIN + tables() + END + after)
