"""A small network of hosts with addresses of their own: network namespaces on one bridge, gone when the test ends."""

import os
import subprocess
from dataclasses import dataclass

from support.programs import run


@dataclass(frozen=True)
class Host:
    name: str  # of its network namespace
    address: str

    def command(self, *words):
        """These words, run on this host."""
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def start(self, *words, **options):
        return subprocess.Popen(self.command(*words), **options)


def _ip(*words):
    done = run("ip", *words)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


class Lan:
    """Use as a context manager; whoever runs on a host has to be ended before."""

    def __init__(self):
        self._prefix = f"sallyport-{os.getpid()}"
        self._switch = f"{self._prefix}-switch"
        self._names = []

    def __enter__(self):
        self._add(self._switch)
        _ip("-n", self._switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self._switch, "link", "set", "bridge", "up")
        return self

    def __exit__(self, *_):
        for name in self._names:
            run("ip", "netns", "del", name)

    def host(self, name):
        host = Host(f"{self._prefix}-{name}", f"10.77.66.{len(self._names)}")
        self._add(host.name)
        port = f"port{len(self._names)}"
        _ip("-n", self._switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", host.name)
        _ip("-n", self._switch, "link", "set", port, "master", "bridge", "up")
        _ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", "eth0")
        _ip("-n", host.name, "link", "set", "eth0", "up")
        return host

    def _add(self, name):
        _ip("netns", "add", name)
        self._names.append(name)
        _ip("-n", name, "link", "set", "lo", "up")
