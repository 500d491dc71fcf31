"""What the kernel says of a process, read from /proc."""

import os
import signal
import socket
from fcntl import ioctl
from pathlib import Path
from struct import unpack

from support.waiting import until

SIOCOUTQ = 0x5411
CAP_NET_BIND_SERVICE = 1 << 10
CAPABILITY_SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def _status_fields(path):
    return dict(line.split(":\t", 1) for line in Path(path).read_text().splitlines() if ":\t" in line)


class Process:
    """One process by its id. Reading one that is gone raises FileNotFoundError or ProcessLookupError."""

    def __init__(self, pid):
        self.pid = pid
        self._root = Path("/proc") / str(pid)

    def __repr__(self):
        return f"Process({self.pid}, {self.name()})" if self.is_alive() else f"Process({self.pid}, gone)"

    def is_alive(self):
        """Runs: a zombie does not."""
        try:
            return self.status()["State"][0] not in "ZX"
        except (FileNotFoundError, ProcessLookupError, KeyError):
            return False

    def name(self):
        return self.status()["Name"]

    def status(self):
        return _status_fields(self._root / "status")

    def thread_statuses(self):
        return [_status_fields(task / "status") for task in (self._root / "task").iterdir()]

    def thread(self, name):
        """The id of the one of this name, which it gives itself when it runs."""
        return until(lambda: {s["Name"]: int(s["Pid"]) for s in self.thread_statuses()}.get(name), what=f"{name} runs")

    def suspend(self):
        """SIGSTOP; returns once every thread has stopped (t: under strace): until then one may still accept or read."""
        os.kill(self.pid, signal.SIGSTOP)
        until(lambda: all(status["State"][0] in "Tt" for status in self.thread_statuses()), 5, f"{self.pid} is stopped")

    def capabilities(self, status=None):
        """The five sets as numbers."""
        status = status or self.status()
        return {name: int(status[name], 16) for name in CAPABILITY_SETS}

    def children(self):
        return [Process(pid) for pid in children_of(self.pid)]

    def descriptors(self):
        """Number → what it is: "/dev/null", "socket:[123]", "anon_inode:[eventpoll]"."""
        found = {}
        for entry in (self._root / "fd").iterdir():
            try:
                found[int(entry.name)] = os.readlink(entry)
            except FileNotFoundError:
                pass
        return found

    def environment(self):
        return (self._root / "environ").read_bytes()

    def limits(self):
        """Name → (soft, hard), as text."""
        rows = (self._root / "limits").read_text().splitlines()[1:]
        return {row[:26].strip(): tuple(row[26:].split()[:2]) for row in rows}

    def resident_bytes(self):
        return int(self.status()["VmRSS"].split()[0]) * 1024

    def cpu_seconds(self):
        fields = self._stat()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def start_time(self):
        """Clock ticks since the machine's boot."""
        return int(self._stat()[19])

    def _stat(self):
        """The fields behind the name (proc(5)): the third is the first here."""
        return (self._root / "stat").read_text().rsplit(")", 1)[1].split()

    def readable_memory(self):
        """Every readable mapping as (name, bytes); but not a sanitizer's shadow, which is terabytes of nothing."""
        with open(self._root / "mem", "rb", buffering=0) as memory:
            for line in (self._root / "maps").read_text().splitlines():
                span, rights, _, _, _, *name = line.split(None, 5)
                if "r" not in rights or name in (["[vvar]"], ["[vsyscall]"], ["[vvar_vclock]"]):
                    continue
                start, end = (int(edge, 16) for edge in span.split("-"))
                if end - start > SHADOW_BYTES:
                    continue
                yield name[0] if name else "", _read_span(memory, start, end)


# No process of ours maps so much at once; AddressSanitizer and ThreadSanitizer do, for their shadow.
SHADOW_BYTES = 4 << 30


def _read_span(memory, start, end):
    """What can be read of it: holes (guard pages, sanitizers' shadow) are left out, in steps of at most 16 MiB."""
    parts = []
    while start < end:
        size = min(end - start, 16 << 20)
        memory.seek(start)
        try:
            parts.append(memory.read(size))
        except OSError:
            parts.append(b"")
        start += size
    return b"".join(parts)


def has_read_all(connection):
    """Whether the other end of a TCP connection over IPv4 and loopback has read what was sent to it."""
    if unpack("i", ioctl(connection, SIOCOUTQ, bytes(4)))[0]:
        return False  # some of it has not even arrived
    ours, theirs = ("%08X:%04X" % (unpack("=I", socket.inet_aton(host))[0], port)
                    for host, port in (connection.getsockname(), connection.getpeername()))
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return not any(row[1:3] == [theirs, ours] and int(row[4].split(":")[1], 16) for row in rows)


def children_of(pid):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                pass
    return sorted(found)
