"""One measurement: one system, one scenario, alone on its core. A fresh proxy on fresh ports each time."""

import time

from harness import agreement
from harness.proxy import Failure, Proxy
from harness.scenarios import CPU_PER_GIGABYTE

SETTLE = 0.5  # seconds that a proxy gets to release what it will release, before its memory is read
LATE = 1.2  # a fixed rate whose run takes so much longer than planned was not kept


def start_time(site, system, scenario):
    """Milliseconds until the end of the first exchange."""
    with Proxy(site, system, site.place(scenario.mode, scenario.app_core)) as proxy:
        return {"value": (proxy.await_first_exchange() - proxy.started) * 1e3}


def memory(site, system, scenario):
    """KiB that a held connection adds to the tree."""
    with Proxy(site, system, site.place(scenario.mode, scenario.app_core)) as proxy:
        proxy.await_first_exchange()
        before = proxy.memory_kib()
        with opened(proxy, scenario, 1) as load:
            time.sleep(SETTLE)
            after = proxy.memory_kib()
            report = ran(proxy, load)
    check(site, system, scenario, report)
    return {"value": (after - before) / report["operations"], "before_kib": before, "after_kib": after}


def cpu(site, system, scenario, proxy, load):
    """CPU time per operation or gigabyte of one run of `load`. Raises Failure if it does not count."""
    before = proxy.cpu_seconds()
    report = ran(proxy, load)
    spent = proxy.cpu_seconds() - before
    check(site, system, scenario, report)
    entry = {"seconds": report["seconds"], "latency_us": report["latency_us"], "operations": report["operations"]}
    if system.speaks_tls:
        entry |= agreement.remarks(report["tls"], scenario.tls, scenario.resumes, report["operations"])
    per_gigabyte = scenario.unit == CPU_PER_GIGABYTE
    entry["value"] = spent * 1e3 / (report["bytes"] / 1e9) if per_gigabyte else spent * 1e6 / report["operations"]
    return entry


def opened(proxy, scenario, scale):
    """A load whose connections are open and warm."""
    load = proxy.load(scenario.arguments(scale), scenario.tls)
    if load.await_ready():
        return load
    with load:
        raise Failure(f"{load.complaint()}; {proxy.last_words()}")


def ran(proxy, load):
    load.go()
    report = load.report()
    if report is None:
        raise Failure(f"{load.complaint()}; {proxy.last_words()}")
    return report


def check(site, system, scenario, report):
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
