"""A control group with a memory limit, as a container has one."""

import os
from pathlib import Path

from support.waiting import until

V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")


class MemoryGroup:
    """Use as a context manager; the processes must have ended before. Needs root and a memory controller."""

    def __init__(self, limit):
        self._path = (V1 if V1.exists() else V2) / f"sallyport-test-{os.getpid()}"
        self._limit = limit

    def __enter__(self):
        if not V1.exists():
            (V2 / "cgroup.subtree_control").write_text("+memory")
        self._path.mkdir()
        (self._path / ("memory.limit_in_bytes" if V1.exists() else "memory.max")).write_text(str(self._limit))
        return self

    def __exit__(self, *_):
        until(lambda: not (self._path / "cgroup.procs").read_text(), 5, "the control group is empty")
        self._path.rmdir()

    @property
    def wrapper(self):
        """The words before a command that is to run inside."""
        return ("sh", "-c", f'echo $$ > {self._path}/cgroup.procs && exec "$@"', "sh")
