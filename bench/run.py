"""./run bench: every system under the same load, in interleaved rounds; one table and one chart per scenario.

README.md beside this file says how the figures come about and what makes one invalid.
"""

import argparse
import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH))
from harness import figures, instructions, packages, syscalls  # noqa: E402
from harness.charts import write_charts  # noqa: E402
from harness.cores import LOAD_CORE  # noqa: E402
from harness.machine import describe  # noqa: E402
from harness.rounds import Progress, run_rounds, systems_for  # noqa: E402
from harness.scenarios import SCENARIOS, choose  # noqa: E402
from harness.site import Site  # noqa: E402
from harness.tables import comparisons, table  # noqa: E402
from peers import SYSTEMS  # noqa: E402

BY_DEFAULT = [name for name in SYSTEMS if name not in ("no-tls", "sallyport-two-shards")]
RESULTS = BENCH.parent / "build/bench"
QUIET = 0.1
QUICK = {"rounds": 3, "scale": 0.5, "scenarios": "tcp-*[!0-9]", "systems": "haproxy,nginx,hitch,floor,sallyport"}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a stopped run leaves nothing running either
    options = parse_options()
    if options.from_json:
        return print_from(options.from_json, options.charts)
    systems = choose_systems(options)
    if options.instructions:
        return instructions.check(options.bin, systems, options.update)
    with Site(options.bin) as site:
        if options.syscalls:
            return syscalls.print_table(site, systems)
        document = measure_all(site, systems, options)
    report(document, options)
    return 1 if has_failures(document) else 0


def parse_options():
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__.splitlines()[0])
    programs = BENCH.parent / "build/release/bin"
    parser.add_argument("--bin", type=Path, default=programs, help="where the executables are")
    parser.add_argument("--quick", action="store_true", help="about 3 minutes: fewer rounds, peers and scenarios")
    parser.add_argument("--systems", help=f"comma-separated, of: {' '.join(SYSTEMS)}")
    names = " ".join(scenario.name for scenario in SCENARIOS)
    parser.add_argument("--scenarios", help=f"comma-separated, with * and ?, of: {names}")
    parser.add_argument("--rounds", type=int, help="9 or more give ratios good to 5 %% (default: 9)")
    parser.add_argument("--json", type=Path, metavar="FILE", default=RESULTS / "bench.json",
                        help="where every single figure is written (default: build/bench/bench.json)")
    parser.add_argument("--charts", type=Path, metavar="DIR", default=RESULTS / "charts",
                        help="where one SVG per scenario is written (default: build/bench/charts)")
    parser.add_argument("--from-json", type=Path, metavar="FILE", help="measure nothing: show that file again")
    parser.add_argument("--syscalls", action="store_true", help="instead: system calls per operation, by strace")
    parser.add_argument("--instructions", action="store_true", help="instead: instructions per operation, by callgrind")
    parser.add_argument("--update", action="store_true", help="with --instructions: what is counted becomes the gate")
    options = parser.parse_args()
    options.scale = QUICK["scale"] if options.quick else 1
    options.rounds = options.rounds or (QUICK["rounds"] if options.quick else 9)
    options.scenarios = options.scenarios or (QUICK["scenarios"] if options.quick else None)
    return options


def choose_systems(options):
    """Those asked for that can be had here; the packages of the peers among them are installed."""
    named = options.systems or default_systems(options)
    unknown = [name for name in named.split(",") if name not in SYSTEMS]
    if unknown:
        raise SystemExit(f"bench: no system {' '.join(unknown)}; there are {' '.join(SYSTEMS)}")
    systems = [SYSTEMS[name] for name in named.split(",")]
    packages.install(systems, tools_for(options))
    here = [system for system in systems if system.is_here(options.bin)]
    for system in systems:
        if system not in here:
            print(f"bench: {system.name} is not here and is left out")
    return here


def tools_for(options):
    return ["openssl", *["strace"] * options.syscalls, *["valgrind"] * options.instructions]


def default_systems(options):
    if options.instructions:
        return "floor,sallyport"
    return QUICK["systems"] if options.quick else ",".join(BY_DEFAULT)


def measure_all(site, systems, options):
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("bench: needs two cores, one for the proxy and one for the load")
    os.sched_setaffinity(0, {LOAD_CORE})
    scenarios = choose(options.scenarios)
    document = {"meta": describe("./run bench " + shlex.join(sys.argv[1:]), BENCH), "systems": {}}
    for system in systems:
        document["systems"][system.name] = {"kind": system.kind, "version": system.version(options.bin)}
    document["meta"]["cpu_account"] = site.accounts.kind
    began = time.monotonic()
    progress = Progress(options.rounds)
    document["results"] = run_rounds(
        site, systems, [s for s in scenarios if systems_for(s, systems)], options.rounds, options.scale, progress
    )
    progress.end()
    document["meta"]["minutes"] = round((time.monotonic() - began) / 60, 1)
    return document


def report(document, options):
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1) + "\n")
    show(document)
    draw(document, options.charts)


def print_from(path, charts):
    document = json.loads(path.read_text())
    show(document)
    draw(document, charts)
    return 0


def kinds_of(document):
    return {name: system["kind"] for name, system in document["systems"].items()}


def measured(document):
    return [scenario for scenario in SCENARIOS if scenario.name in document["results"]]


def show(document):
    meta = document["meta"]
    print(f"{meta['date']}, {meta['machine']}, {meta['openssl']}")
    print(f"{meta['command']}; {meta['minutes']} minutes; CPU time from {meta['cpu_account']}; "
          f"others took {meta['busy_before']:.0%} of it before")
    if meta["busy_before"] > QUIET:
        print("THE MACHINE WAS BUSY WITH SOMETHING ELSE: these figures prove nothing (README.md)")
    for name, system in document["systems"].items():
        print(f"  {name}: {system['version']}")
    for scenario in measured(document):
        print("\n" + table(scenario, document["results"][scenario.name], kinds_of(document)))
    for line in comparisons(document["results"]):
        print("\n" + line)


def draw(document, directory):
    written = write_charts(directory, measured(document), document["results"], kinds_of(document), document["meta"])
    print(f"\nbench: {len(written)} charts in {directory}")


def has_failures(document):
    """A peer may fail, as Caddy does at 15,000 requests a second: the table says so. Ours and the floor may not; each is
    the other's witness of a busy machine."""
    kinds = kinds_of(document)
    witness = {"ours": "floor", "floor": "sallyport"}
    return any(
        figures.has_failed(entries, by_system.get(witness[kinds[name]], ()))
        for by_system in document["results"].values()
        for name, entries in by_system.items() if kinds[name] in witness
    )


if __name__ == "__main__":
    sys.exit(main())
