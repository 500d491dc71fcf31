"""From rounds to figures: medians, ratios within rounds, and whether a goal holds."""

from dataclasses import dataclass
from itertools import zip_longest
from statistics import median

from harness.scenarios import ABSOLUTE

METHOD_ERROR = 0.02  # a row holds when its median is at most goal + this (shared/goals.md)


@dataclass
class Row:
    """One system in one scenario."""

    system: str
    kind: str
    median: float
    least: float
    most: float
    to_best_peer: float | None
    to_floor: float | None
    goal: float | None
    holds: bool | None
    p99_us: float | None
    rounds: int
    failures: list


def values(entries):
    return [entry["value"] for entry in entries if "value" in entry]


def ratio(entries, others):
    """The median over rounds of the ratio within a round; rounds in which either failed do not count."""
    pairs = [(a["value"], b["value"]) for a, b in zip(entries, others) if "value" in a and "value" in b]
    return median(a / b for a, b in pairs if b > 0) if any(b > 0 for _, b in pairs) else None


def best_peer(by_system, kinds):
    """The cheapest of those that did all of the work."""
    medians = {
        name: median(values(entries))
        for name, entries in by_system.items()
        if kinds[name] == "peer" and values(entries) and not any("remark" in entry for entry in entries)
    }
    return min(medians, key=medians.get) if medians else None


def rows(scenario, by_system, kinds):
    """One Row per system that has a figure, the best first."""
    best = best_peer(by_system, kinds)
    found = []
    for name, entries in by_system.items():
        numbers = values(entries)
        failures = [entry["failure"] for entry in entries if "failure" in entry]
        if not numbers:
            continue
        to_best = ratio(entries, by_system[best]) if best else None
        goal = scenario.goals.get(name)
        found.append(Row(
            system=name, kind=kinds[name], median=median(numbers), least=min(numbers), most=max(numbers),
            to_best_peer=to_best, to_floor=ratio(entries, by_system["floor"]) if "floor" in by_system else None,
            goal=goal, holds=_holds(scenario, goal, median(numbers), to_best), p99_us=_p99(entries),
            rounds=len(numbers), failures=failures,
        ))
    return sorted(found, key=lambda row: row.median)


def _holds(scenario, goal, middle, to_best):
    if goal is None:
        return None
    if scenario.unit in ABSOLUTE:
        return middle <= goal
    return None if to_best is None else to_best <= goal + METHOD_ERROR


def _p99(entries):
    known = [entry["latency_us"]["p99"] for entry in entries if "latency_us" in entry]
    return median(known) if known else None


def has_failed(entries, witness=()):
    """A turn went wrong; or more than half of them were late, for which a busy machine is no excuse, unless the witness,
    another system with the same turns, was late in them too."""
    failures = [entry for entry in entries if "failure" in entry]
    late = [entry for entry in failures if entry.get("late")]
    alone = [mine for mine, other in zip_longest(entries, witness, fillvalue={}) if mine.get("late") and not other.get("late")]
    return len(late) < len(failures) or 2 * len(alone) > len(entries)
