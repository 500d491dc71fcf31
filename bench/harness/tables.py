"""The figures as text."""

from harness import figures
from harness.scenarios import ABSOLUTE, CPU_PER_OPERATION


def _number(value, digits=1):
    return "–" if value is None else f"{value:,.{digits}f}"


def _verdict(row):
    return {None: "", True: "holds", False: "MISSED"}[row.holds]


TWO_SHARDS_LIMIT = 1.05
CROWD_LIMIT = 1.15
# Keyholder and sandbox together: per full handshake, and per request and byte. Of a resumed handshake nothing is asked.
CONFINEMENT_LIMITS = {"full": 1.08, "saturated": 1.02, "rate": 1.02, "download": 1.02, "upload": 1.02}


def _sides(results):
    """(what, entries, those they are compared with, limit): what was not measured is None."""
    for name, by_system in results.items():
        ours = by_system.get("sallyport")
        if name != "tcp-start":
            yield f"{name}: two shards cost, of one", by_system.get("sallyport-two-shards"), ours, TWO_SHARDS_LIMIT
        limit = CONFINEMENT_LIMITS.get(name.partition("-")[2])
        if limit is not None:
            yield f"{name}: keyholder and sandbox cost, of neither", ours, by_system.get("sallyport-unconfined"), limit
    few, many = results.get("tcp-crowd-100", {}), results.get("tcp-crowd-8000", {})
    for name in many:
        if name.startswith("sallyport"):
            yield (f"{name}: a request among 8,000 open connections costs, of one among 100", many[name],
                   few.get(name), CROWD_LIMIT)


def comparisons(results):
    """The goals that compare a system with itself, as far as their two sides were measured: a line for each."""
    for what, entries, others, limit in _sides(results):
        found = figures.ratio(entries, others) if entries and others else None
        if found is not None:
            holds = found <= limit + figures.METHOD_ERROR
            yield f"{what}: {found:.2f} (limit {limit}, {'holds' if holds else 'MISSED'})"


HEAD = ("", "median", "min", "max", "÷ best peer", "÷ floor", "goal", "", "p99 µs", "times")


def _cells(scenario, row):
    goal = "" if row.goal is None else "≤ " + _number(row.goal, 0 if scenario.unit in ABSOLUTE else 2)
    p99 = _number(row.p99_us, 0) if scenario.unit == CPU_PER_OPERATION else ""
    return (
        row.system, _number(row.median), _number(row.least), _number(row.most), _number(row.to_best_peer, 2),
        _number(row.to_floor, 2), goal, _verdict(row), p99, str(row.rounds),
    )


def table(scenario, by_system, kinds):
    """A heading, one line per system, and what failed."""
    found = figures.rows(scenario, by_system, kinds)
    lines = [HEAD, *(_cells(scenario, row) for row in found)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    text = [f"{scenario.name}: {scenario.title} ({scenario.unit})"]
    for line in lines:
        first = line[0].ljust(widths[0])
        rest = "  ".join(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))
        text.append(f"  {first}  {rest}".rstrip())
    for name, entries in by_system.items():
        text.extend(f"  {name}: {remark}" for remark in sorted({e["remark"] for e in entries if "remark" in e})[:1])
        failures = [entry["failure"] for entry in entries if "failure" in entry]
        if failures:
            text.append(f"  {name}: {len(failures)} of {len(entries)} do not count: {failures[0]}")
    return "\n".join(text)
