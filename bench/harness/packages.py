"""Installs the peers from Debian's packages without starting a single one of them."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")


def is_installed(package):
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status}", package], capture_output=True, text=True, check=False
    )
    return asked.stdout == "installed"


def is_available(package):
    asked = subprocess.run(["apt-cache", "show", package], capture_output=True, text=True, check=False)
    return asked.returncode == 0 and asked.stdout.strip() != ""


@contextmanager
def services_held():
    """While this lasts, no package starts what it installs (invoke-rc.d asks the policy; 101: forbidden)."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def disable_units(packages):
    """Nor does anything of it start at the next boot."""
    if not Path("/run/systemd/system").exists():
        return
    for package in packages:
        listed = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, check=False).stdout
        units = [Path(line).name for line in listed.splitlines() if line.endswith((".service", ".target"))]
        if units:
            subprocess.run(["systemctl", "disable", "--now", "--quiet", *units], check=False)


def install(systems, tools):
    """Installs what these systems and the runner itself need and says what that is."""
    wanted = {*tools, *(package for system in systems for package in system.packages)}
    missing = sorted(package for package in wanted if not is_installed(package))
    if not missing:
        return
    if os.geteuid() != 0:
        raise SystemExit(f"bench: not installed, and only root can: {' '.join(missing)}")
    subprocess.run(["apt-get", "-q", "update"], stdout=subprocess.DEVNULL, check=True)
    for package in [package for package in missing if not is_available(package)]:
        print(f"bench: Debian has no package {package} here; its system is left out")
        missing.remove(package)
    if not missing:
        return
    print(f"bench: installing by apt: {' '.join(missing)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    with services_held():
        subprocess.run(
            ["apt-get", "-qy", "--no-install-recommends", "install", *missing],
            env=environment, stdout=subprocess.DEVNULL, check=True,
        )
    disable_units(missing)
