"""What is measured: one row of the table per scenario."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from harness.cores import LOAD_CORE, PROXY_CORE

CPU_PER_OPERATION = "CPU µs"
CPU_PER_GIGABYTE = "CPU ms per GB"
MEMORY = "KiB PSS per connection"
TIME = "ms"
CHECK = "CPU ms per check"
ABSOLUTE = (TIME, CHECK)  # goals in the unit itself, not beside the best peer


@dataclass(frozen=True)
class Scenario:
    """`load` is what bench-load is told; `amount` names its option for how long or how much, which --quick halves."""

    name: str
    title: str
    mode: str
    unit: str
    load: tuple
    amount: tuple = ()
    app_core: int = LOAD_CORE
    tls: str = "1.3"
    resumes: bool = False
    by_default: bool = True
    rounds: int = 0  # 0: as many as the run has; else at most so many, as the figure hardly varies
    goals: dict = field(default_factory=dict)  # system → the ratio to the best peer that must be reached, or of an ABSOLUTE unit

    def arguments(self, scale):
        if not self.amount:
            return list(self.load)
        option, number = self.amount
        return [*self.load, option, str(max(1, round(number * scale)))]


def both(inworker, keyholder=None):
    return {"sallyport-inworker": inworker, "sallyport": keyholder if keyholder is not None else inworker}


def _rows(mode, goals):
    """The rows that both modes have."""
    cost = CPU_PER_OPERATION
    return [
        Scenario(f"{mode}-full", "full handshake + exchange + close", mode, cost,
                 ("churn",), ("--operations", 800), goals=goals["full"]),
        Scenario(f"{mode}-resumed", "resumed handshake + exchange + close", mode, cost,
                 ("churn", "--resume"), ("--operations", 1000), resumes=True, goals=goals["resumed"]),
        # The app shares the proxy's core, as a sidecar's does.
        Scenario(f"{mode}-saturated", "keep-alive request, saturated", mode, cost,
                 ("saturate",), ("--milliseconds", 1000), app_core=PROXY_CORE, goals=goals["saturated"]),
        Scenario(f"{mode}-rate", "request at 15,000/s", mode, cost,
                 ("pace", "--rate", "15000"), ("--milliseconds", 1200), goals=goals["rate"]),
        Scenario(f"{mode}-download", "download", mode, CPU_PER_GIGABYTE,
                 ("download",), ("--megabytes", 600), goals=goals["download"]),
        Scenario(f"{mode}-upload", "upload", mode, CPU_PER_GIGABYTE,
                 ("upload",), ("--megabytes", 600), goals=goals["upload"]),
        Scenario(f"{mode}-idle", "idle connection, 5,000 held", mode, MEMORY,
                 ("hold", "--connections", "5000"), rounds=2, goals=goals["idle"]),
    ]


TCP_GOALS = {
    "full": both(0.93, keyholder=1.00), "resumed": both(1.02), "saturated": both(0.92), "rate": both(0.95),
    "download": both(0.60), "upload": both(0.88), "idle": both(0.88),
}
HTTP_GOALS = {
    # The keyholder's share is that of mode tcp.
    "full": both(0.92, keyholder=0.99), "resumed": both(0.95), "saturated": both(0.82), "rate": both(0.87),
    "download": both(0.80), "upload": both(0.94), "idle": both(1.00),
}

SCENARIOS = [
    *_rows("tcp", TCP_GOALS),
    Scenario("tcp-start", "start to first exchange", "tcp", TIME, ("first",), goals=both(50)),
    # Every few seconds, for as long as the container lives; no peer has such a command.
    Scenario("health-check", "sallyport health", "health", CHECK, ("check",), rounds=3, goals={"sallyport": 10}),
    *_rows("http", HTTP_GOALS),
    # Cheaper than the best peer: 1.00 with the error of the method.
    Scenario("h2-saturated", "HTTP/2 request, 100 streams, saturated", "h2", CPU_PER_OPERATION,
             ("h2load", "-c", "2", "-m", "100"), ("-n", 40_000), app_core=PROXY_CORE, goals=both(0.98)),
    Scenario("tcp-full-tls12", "full handshake, TLS 1.2", "tcp", CPU_PER_OPERATION,
             ("churn",), ("--operations", 800), tls="1.2", by_default=False),
    Scenario("tcp-resumed-tls12", "resumed handshake, TLS 1.2", "tcp", CPU_PER_OPERATION,
             ("churn", "--resume"), ("--operations", 1000), tls="1.2", resumes=True, by_default=False),
    Scenario("tcp-crowd-100", "keep-alive request, 100 open connections", "tcp", CPU_PER_OPERATION,
             ("saturate", "--idle", "36"), ("--milliseconds", 700), app_core=PROXY_CORE, by_default=False),
    Scenario("tcp-crowd-8000", "keep-alive request, 8,000 open connections", "tcp", CPU_PER_OPERATION,
             ("saturate", "--idle", "7936"), ("--milliseconds", 700), app_core=PROXY_CORE, by_default=False),
]


def choose(patterns):
    """The scenarios that a comma-separated list names, with * and ? as in the shell; without one, the default ones."""
    if not patterns:
        return [scenario for scenario in SCENARIOS if scenario.by_default]
    chosen = []
    for pattern in patterns.split(","):
        found = [s for s in SCENARIOS if fnmatchcase(s.name, pattern)]
        if not found:
            raise SystemExit(f"bench: no scenario {pattern}; there are {' '.join(s.name for s in SCENARIOS)}")
        chosen.extend(s for s in found if s not in chosen)
    return chosen
