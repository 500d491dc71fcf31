"""One measurement: one system, one scenario, alone on its core. A fresh proxy on fresh ports each time."""

import os
import subprocess
import time

from harness import agreement
from harness.proxy import Failure, Late, Proxy
from harness.scenarios import CPU_PER_GIGABYTE
from harness.site import minimal_environment

SETTLE = 0.5  # seconds that a proxy gets to release what it will release, before its memory is read
CHECKS = 20
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


def check_cost(site, system, scenario):
    """Milliseconds of CPU time that one health check takes, of many."""
    with Proxy(site, system, site.place(scenario.mode, scenario.app_core)) as proxy:
        proxy.await_first_exchange()
        spent = sum(_checked(system.health_command(proxy.place), proxy.place.directory) for _ in range(CHECKS))
    return {"value": spent * 1e3 / CHECKS}


def _checked(command, directory):
    """CPU seconds of one, which must say yes."""
    child = subprocess.Popen(command, cwd=directory, env=minimal_environment(directory), stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise Failure(f"the health check ended with {child.returncode}")
    return used.ru_utime + used.ru_stime


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
        raise Late(f"the rate was not kept: {report['seconds']:.2f} s for {report['operations']} requests")
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
