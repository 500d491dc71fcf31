"""System calls per operation, counted by strace."""

import re

from harness.counting import DOWN, HANDSHAKE, REQUEST, UP, Tool, per_operation
from harness.proxy import Failure

OUTPUT = "strace.txt"
LINE = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$")
SHOWN = 8  # of a request's calls, the most frequent


def _read(directory):
    found = {}
    for line in (directory / OUTPUT).read_text().splitlines():
        match = LINE.match(line)
        if match and match.group(2) != "total":
            found[match.group(2)] = int(match.group(1))
    return found


STRACE = Tool("strace", lambda directory: ["strace", "-c", "-f", "-o", str(directory / OUTPUT)], _read)


def print_table(site, systems):
    """One line per system; returns the exit code."""
    if not STRACE.is_here():
        raise SystemExit("bench: strace is not installed")
    columns = (HANDSHAKE, REQUEST, DOWN, UP)
    print("| | " + " | ".join(operation.name for operation in columns) + " | of a request |")
    print("| --- |" + " ---: |" * len(columns) + " --- |")
    failed = False
    for system in systems:
        if "tcp" not in system.modes:
            continue
        try:
            counts = [per_operation(site, system, STRACE, operation) for operation in columns]
        except Failure as failure:
            print(f"| {system.name} | {failure} |")
            failed = True
            continue
        totals = " | ".join(f"{sum(count.values()):.1f}" for count in counts)
        print(f"| {system.name} | {totals} | {_breakdown(counts[columns.index(REQUEST)])} |", flush=True)
    return 1 if failed else 0


def _breakdown(count):
    often = sorted(((number, name) for name, number in count.items() if number > 0.05), reverse=True)
    return ", ".join(f"{number:.1f} {name}" for number, name in often[:SHOWN])
