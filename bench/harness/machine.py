"""What the figures were measured on, for the JSON file and the footer of each chart."""

import datetime
import os
import platform
import ssl
import subprocess
import time
from pathlib import Path


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def debian():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return "unknown"


def revision(directory):
    said = subprocess.run(
        ["git", "-C", directory, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unversioned"


def busy_share(seconds=1.0):
    """The share of all cores' time that anything takes while we wait; what the hypervisor takes counts too."""
    def ticks():
        values = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(values), sum(values) - values[3] - values[4]  # less idle and iowait

    total, busy = ticks()
    time.sleep(seconds)
    total_then, busy_then = ticks()
    return (busy_then - busy) / max(1, total_then - total)


def describe(command, directory):
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{processor()}, {os.cpu_count()} cores, {debian()}, Linux {platform.release()}",
        "openssl": ssl.OPENSSL_VERSION,
        "revision": revision(directory),
        "command": command,
        "busy_before": round(busy_share(), 3),
    }
