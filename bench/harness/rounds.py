"""The order of measurements: rounds, in which every scenario is run by all systems one after the other."""

import sys

from harness.measure import measure
from harness.proxy import Failure

CLEAR = "\r\033[K"  # the terminal's line


def rotated(items, by):
    """A B C, B C A, C A B: nobody is always first, and each is beside the others in time."""
    by %= len(items)
    return items[by:] + items[:by]


def systems_for(scenario, systems):
    return [system for system in systems if scenario.mode in system.modes]


def run_rounds(site, systems, scenarios, rounds, scale, say):
    """scenario name → system name → one entry per round: {"value": …, …} or {"failure": why}."""
    results = {s.name: {system.name: [] for system in systems_for(s, systems)} for s in scenarios}
    for number in range(rounds):
        for scenario in scenarios:
            if scenario.rounds and number >= scenario.rounds:
                continue
            for system in rotated(systems_for(scenario, systems), number):
                entry = _measure_once(site, system, scenario, scale)
                results[scenario.name][system.name].append(entry)
                say(number, scenario, system, entry)
    return results


def _measure_once(site, system, scenario, scale):
    try:
        value, extras = measure(site, system, scenario, scale)
    except Failure as failure:
        return {"failure": str(failure)}
    return {"value": value} | extras


class Progress:
    """One line on the terminal that is written over, or nothing if there is no terminal; failures always stay."""

    def __init__(self, rounds):
        self._rounds = rounds
        self._live = sys.stderr.isatty()

    def __call__(self, number, scenario, system, entry):
        here = f"round {number + 1}/{self._rounds}  {scenario.name}  {system.name}"
        if "failure" in entry:
            print(f"{CLEAR if self._live else ''}{here}: {entry['failure']}", file=sys.stderr)
        elif self._live:
            print(f"{CLEAR}{here}: {entry['value']:.1f} {scenario.unit}", end="", file=sys.stderr, flush=True)

    def end(self):
        if self._live:
            print(CLEAR, end="", file=sys.stderr)
