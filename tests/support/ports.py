"""Ports for the tests: free ones, a range for each pytest worker, and the one and only 443."""

import fcntl
import itertools
import os
import re
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path

_worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0)
# Below the kernel's ephemeral range (32768), or a client's own port could be in the way.
_candidates = itertools.cycle(range(11_000 + _worker * 2_000 + os.getpid() % 1_000, 13_000 + _worker * 2_000))


def is_free(port):
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((host, port))
        except OSError as error:
            if error.errno not in (97, 99):  # no IPv6 here
                return False
    return True


def free_port():
    """Not in use, not handed out before by this process."""
    return next(port for port in _candidates if is_free(port))


def refuses(address):
    try:
        socket.create_connection(address, timeout=1).close()
        return False
    except (ConnectionResetError, TimeoutError):  # it was in the queue of a socket that closed; or the machine is slow
        return False
    except ConnectionRefusedError:
        return True


@contextmanager
def port_443():
    """Port 443 for one test at a time, whoever else runs these tests on this machine."""
    with open(Path(tempfile.gettempdir()) / "sallyport-tests-443.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_free(443), "port 443 is taken by another program: see ss -ltnp"
        yield 443


def unprivileged_port_start():
    return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
