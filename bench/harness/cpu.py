"""The CPU time that a process tree has used: from a control group if we may make one, else from /proc."""

import os
import time
from pathlib import Path

from harness import tree


class GroupAccount:
    """A control group of its own; it also counts threads and processes that have ended. Nanosecond resolution."""

    def __init__(self, parent, name, read):
        self._path = parent / name
        self._read = read
        self._path.mkdir()

    def join(self):
        """Called in the child before it becomes the proxy."""
        (self._path / "cgroup.procs").write_text("0")

    def seconds(self, _root):
        return self._read(self._path)

    def close(self, patience=5):
        """Ends whatever of the proxy is still there: only what was started in the group is in it."""
        give_up = time.monotonic() + patience
        while True:
            for pid in map(int, (self._path / "cgroup.procs").read_text().split()):
                tree.kill(pid)
            try:
                return self._path.rmdir()
            except OSError:  # busy: a process that was killed is not quite gone
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.01)


class TickAccount:
    """Without a control group: clock ticks, good to 10 ms per process."""

    def join(self):
        pass

    def seconds(self, root):
        return tree.cpu_seconds_by_ticks(root)

    def close(self):
        pass


def _read_v1(path):
    return int((path / "cpuacct.usage").read_text()) / 1e9


def _read_v2(path):
    return int((path / "cpu.stat").read_text().split()[1]) / 1e6


HIERARCHIES = (
    (Path("/sys/fs/cgroup/cpuacct"), "cpuacct.usage", _read_v1),
    (Path("/sys/fs/cgroup"), "cpu.stat", _read_v2),
)


class Accounts:
    """Opens an account per proxy, of the best kind that this machine allows; `kind` says which."""

    def __init__(self):
        self._parent = None
        self.kind = "clock ticks of /proc"
        self._opened = 0
        for hierarchy, file, read in HIERARCHIES:
            if (hierarchy / file).exists() and self._make_parent(hierarchy):
                self.kind = f"control group, {file}"
                self._read = read
                return

    def _make_parent(self, hierarchy):
        path = hierarchy / f"sallyport-bench-{os.getpid()}"
        try:
            path.mkdir()
        except OSError:
            return False
        self._parent = path
        return True

    def open(self):
        if self._parent is None:
            return TickAccount()
        self._opened += 1
        return GroupAccount(self._parent, str(self._opened), self._read)

    def close(self):
        if self._parent is not None:
            self._parent.rmdir()
