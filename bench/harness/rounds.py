"""The order of measurements: rounds of all scenarios, in which the systems take turns."""

import sys
from contextlib import ExitStack

from harness import measure
from harness.proxy import Failure, Late, Proxy
from harness.scenarios import CHECK, MEMORY, TIME

# CPU time is read in turns of about a tenth of a second: all systems of a round are up and warm, one works, the others
# wait. The machine's mood changes more slowly than that, so a ratio within a turn hardly shows it.
TURNS = 8
ALONE = {TIME: measure.start_time, MEMORY: measure.memory, CHECK: measure.check_cost}

CLEAR = "\r\033[K"  # the terminal's line


def rotated(items, by):
    """A B C, B C A, C A B: nobody is always first, and each is beside the others in time."""
    by %= len(items)
    return items[by:] + items[:by]


def systems_for(scenario, systems):
    return [system for system in systems if scenario.mode in system.modes]


def run_rounds(site, systems, scenarios, rounds, scale, say):
    """scenario name → system name → one entry per turn (per round, where there are no turns): {"value": …, …} or
    {"failure": why}. The n-th entries of two systems are of the same turn."""
    results = {s.name: {system.name: [] for system in systems_for(s, systems)} for s in scenarios}
    for number in range(rounds):
        for scenario in scenarios:
            if scenario.rounds and number >= scenario.rounds:
                continue
            order = rotated(systems_for(scenario, systems), number)
            for name, entries in run_round(site, order, scenario, scale).items():
                results[scenario.name][name].extend(entries)
                say(number, scenario, name, entries)
    return results


def run_round(site, systems, scenario, scale):
    """system name → its entries of this round."""
    if scenario.unit in ALONE:
        return {system.name: [_or_failure(ALONE[scenario.unit], site, system, scenario)] for system in systems}
    with ExitStack() as stack:
        runners = [stack.enter_context(Runner(site, system, scenario, scale / TURNS)) for system in systems]
        for turn in range(TURNS):
            for runner in rotated(runners, turn):
                runner.take_turn()
    return {runner.system.name: runner.entries for runner in runners}


def _or_failure(measurement, *arguments):
    try:
        return measurement(*arguments)
    except Failure as failure:
        return {"failure": str(failure), "late": isinstance(failure, Late)}


class Runner:
    """One system in a round: its proxy and its load, open and warm. Once it has failed it is out of the round."""

    def __init__(self, site, system, scenario, scale):
        self.system, self.entries = system, []
        self._site, self._scenario, self._scale = site, scenario, scale
        self._out = None

    def __enter__(self):
        self._stack = ExitStack()
        try:
            place = self._site.place(self._scenario.mode, self._scenario.app_core)
            self._proxy = self._stack.enter_context(Proxy(self._site, self.system, place))
            self._proxy.await_first_exchange()
            self._load = self._stack.enter_context(measure.opened(self._proxy, self._scenario, self._scale))
        except Failure as failure:
            self._out = {"failure": str(failure)}
        return self

    def __exit__(self, *_):
        self._stack.close()

    def take_turn(self):
        entry = self._out or _or_failure(
            measure.cpu, self._site, self.system, self._scenario, self._proxy, self._load)
        if "failure" in entry and not self._load_lives():
            self._out = entry
        self.entries.append(entry)

    def _load_lives(self):
        return self._out is None and self._load.lives()


class Progress:
    """One line on the terminal that is written over, or nothing if there is no terminal; failures always stay."""

    def __init__(self, rounds):
        self._rounds = rounds
        self._live = sys.stderr.isatty()

    def __call__(self, number, scenario, name, entries):
        here = f"round {number + 1}/{self._rounds}  {scenario.name}  {name}"
        failures = [entry["failure"] for entry in entries if "failure" in entry]
        if failures:
            print(f"{CLEAR if self._live else ''}{here}: {failures[0]}", file=sys.stderr)
        elif self._live:
            print(f"{CLEAR}{here}: {entries[-1]['value']:.1f} {scenario.unit}", end="", file=sys.stderr, flush=True)

    def end(self):
        if self._live:
            print(CLEAR, end="", file=sys.stderr)
