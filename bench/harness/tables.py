"""The figures as text."""

from harness import figures
from harness.scenarios import CPU_PER_OPERATION, TIME


def _number(value, digits=1):
    return "–" if value is None else f"{value:,.{digits}f}"


def _verdict(row):
    return {None: "", True: "holds", False: "MISSED"}[row.holds]


HEAD = ("", "median", "min", "max", "÷ best peer", "÷ floor", "goal", "", "p99 µs", "rounds")


def _cells(scenario, row):
    return (
        row.system, _number(row.median), _number(row.least), _number(row.most), _number(row.to_best_peer, 2),
        _number(row.to_floor, 2), "" if row.goal is None else ("≤ " + _number(row.goal, 0 if scenario.unit == TIME else 2)),
        _verdict(row), _number(row.p99_us, 0) if scenario.unit == CPU_PER_OPERATION else "", str(row.rounds),
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
            text.append(f"  {name}: {len(failures)} of {len(entries)} rounds do not count: {failures[0]}")
    return "\n".join(text)
