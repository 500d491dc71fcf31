"""Instructions per operation, counted by callgrind: they do not depend on the machine's mood, so CI can gate on them.

The whole process tree counts, but for a gatekeeper that was started as root: it may no longer write its figures, and
has no part in any operation. valgrind shows programs a processor without the newest extensions, so the crypto in these
figures is not what the real processor runs; two figures of one OpenSSL version compare well.
"""

import json
import ssl
from pathlib import Path

from harness.counting import OPERATIONS, Tool, per_operation
from harness.proxy import Failure
from harness.site import Site

GATE = Path(__file__).resolve().parent.parent / "instructions.json"
TOLERANCE = 0.05


def _read(directory):
    total = 0
    for path in directory.glob("callgrind.*"):
        for line in path.read_text().splitlines():
            if line.startswith(("summary:", "totals:")):
                total += int(line.split()[1])
                break
    return {"instructions": total}


CALLGRIND = Tool(
    "valgrind",
    lambda directory: ["valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes", "--vgdb=no",
                       f"--callgrind-out-file={directory}/callgrind.%p"],
    _read,
)


def crypto():
    """What decides which instructions a handshake takes: the library, and the widest vectors that valgrind shows it."""
    flags = Path("/proc/cpuinfo").read_text()
    vectors = "avx2" if " avx2" in flags else "avx" if " avx" in flags else "sse"
    return "OpenSSL %d.%d, %s" % (*ssl.OPENSSL_VERSION_INFO[:2], vectors)


def check(programs, systems, update):
    """Prints what is counted beside the gate; returns 1 if one is more than 5 % off, or writes a new gate."""
    if not CALLGRIND.is_here():
        raise SystemExit("bench: valgrind is not installed")
    gates = json.loads(GATE.read_text()) if GATE.exists() else {}
    gate = gates.setdefault(crypto(), {})
    counted, good = {}, True
    with Site(programs) as site:
        for system in systems:
            for operation in OPERATIONS:
                key = f"{system.name}: {operation.name}"
                try:
                    counted[key] = round(per_operation(site, system, CALLGRIND, operation)["instructions"])
                except Failure as failure:
                    print(f"{key}: {failure}")
                    good = False
                    continue
                good &= compare(key, counted[key], gate.get(key), update)
    if update and good:
        gate |= counted
        GATE.write_text(json.dumps(gates, indent=1, sort_keys=True) + "\n")
    return 0 if good else 1


def compare(key, count, expected, update):
    if expected is None:
        print(f"{key}: {count:,} (nothing to compare with)", flush=True)
        return True
    change = count / expected - 1
    good = update or abs(change) <= TOLERANCE
    print(f"{key}: {count:,}, {change:+.1%} of {expected:,}{'' if good else ': MORE THAN 5 % OFF'}", flush=True)
    return good
