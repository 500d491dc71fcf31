"""What the figures were measured on, for the JSON file and the footer of each chart."""

import datetime
import os
import platform
import ssl
import subprocess
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


def describe(command, directory):
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{processor()}, {os.cpu_count()} cores, {debian()}, Linux {platform.release()}",
        "openssl": ssl.OPENSSL_VERSION,
        "revision": revision(directory),
        "command": command,
        "load_before": os.getloadavg()[0],
    }
