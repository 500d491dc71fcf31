"""One measurement: one system, one scenario, once. A fresh proxy on fresh ports each time."""

import time

from harness import agreement
from harness.proxy import Failure, Proxy
from harness.scenarios import CPU_PER_GIGABYTE, MEMORY, TIME

SETTLE = 0.5  # seconds that a proxy gets to release what it will release, before its memory is read
LATE = 1.1  # a fixed rate whose run takes so much longer than planned was not kept


def measure(site, system, scenario, scale):
    """The figure, in the scenario's unit, and what else is worth keeping. Raises Failure if it does not count."""
    place = site.place(scenario.mode, scenario.app_core)
    if scenario.unit == TIME:
        return _start_time(site, system, place)
    with Proxy(site, system, place) as proxy:
        proxy.await_first_exchange()
        if scenario.unit == MEMORY:
            return _memory(site, system, scenario, proxy)
        return _cpu(site, system, scenario, proxy, scale)


def _cpu(site, system, scenario, proxy, scale):
    with proxy.load(scenario.arguments(scale), scenario.tls) as load:
        if not load.await_ready():
            raise Failure(f"{load.complaint()}; {proxy.last_words()}")
        before = proxy.cpu_seconds()
        load.go()
        report = load.report()
        spent = proxy.cpu_seconds() - before
        if report is None:
            raise Failure(f"{load.complaint()}; {proxy.last_words()}")
    _check(site, system, scenario, report)
    extras = {}
    if system.speaks_tls:
        extras = agreement.remarks(report["tls"], scenario.tls, scenario.resumes, report["operations"])
    extras |= {"seconds": report["seconds"], "latency_us": report["latency_us"], "operations": report["operations"]}
    if scenario.unit == CPU_PER_GIGABYTE:
        return spent * 1e3 / (report["bytes"] / 1e9), extras
    return spent * 1e6 / report["operations"], extras


def _memory(site, system, scenario, proxy):
    before = proxy.memory_kib()
    with proxy.load(scenario.arguments(1)) as load:
        if not load.await_ready():
            raise Failure(f"{load.complaint()}; {proxy.last_words()}")
        time.sleep(SETTLE)
        after = proxy.memory_kib()
        load.go()
        report = load.report()
    if report is None:
        raise Failure(proxy.last_words())
    _check(site, system, scenario, report)
    return (after - before) / report["operations"], {"before_kib": before, "after_kib": after}


def _start_time(site, system, place):
    with Proxy(site, system, place) as proxy:
        return (proxy.await_first_exchange() - proxy.started) * 1e3, {}


def _check(site, system, scenario, report):
    if report["errors"]:
        raise Failure(f"{report['errors']} of {report['operations']} operations failed")
    if scenario.load[0] == "pace" and report["seconds"] > LATE * _planned(scenario, report):
        raise Failure(f"the rate was not kept: {report['seconds']:.2f} s for {report['operations']} requests")
    if not system.speaks_tls:
        return
    found = agreement.differences(
        report["tls"], scenario.tls, site.certificate.fingerprint(), scenario.resumes, report["operations"]
    )
    if found:
        raise Failure("not the same work: " + "; ".join(found))


def _planned(scenario, report):
    rate = int(scenario.load[scenario.load.index("--rate") + 1])
    return report["operations"] / rate
