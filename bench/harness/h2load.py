"""h2load (nghttp2) as the runner drives it: the same words as those of the load generator, a process for each run.

Its handshakes are inside the measured time: two for thousands of requests.
"""

import re
import subprocess
import tempfile
import time
from pathlib import Path

from harness.cores import LOAD_CORE

# What the generator offers in TLS 1.3, and nothing else.
OFFER = ("--tls13-ciphers", "TLS_AES_128_GCM_SHA256", "--groups", "X25519", "--npn-list", "h2")


class H2Load:
    """Use as a context manager."""

    def __init__(self, port, arguments):
        self._command = ["taskset", "-c", str(LOAD_CORE), "h2load", *OFFER, *arguments]
        self._url = f"https://127.0.0.1:{port}/"
        self._run, self._complaint = None, ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._run is not None and self._run.poll() is None:
            self._run.kill()
            self._run.wait()

    def await_ready(self):
        return True

    def go(self):
        self._directory = tempfile.TemporaryDirectory(prefix="sallyport-h2load-")
        self._log = Path(self._directory.name) / "requests"
        self._started = time.monotonic()
        self._run = subprocess.Popen([*self._command, "--log-file", str(self._log), self._url],
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def report(self):
        """What the runner needs of its summary, or nothing if it made none."""
        try:
            said = self._run.communicate(timeout=60)[0]
            seconds = time.monotonic() - self._started
            found = re.search(r"(\d+) total, \d+ started, \d+ done, (\d+) succeeded", said)
            if not found or "Application protocol: h2" not in said:
                self._complaint = "HTTP/2 was not agreed on" if found else " ".join(said.split())[-200:]
                return None
            total, succeeded = map(int, found.groups())
            return {"operations": total, "errors": total - succeeded, "seconds": seconds, "latency_us": self._latency(),
                    "tls": _agreed(said)}
        except subprocess.TimeoutExpired:
            self._complaint = "h2load did not end within 60 s"
            return None
        finally:
            self._directory.cleanup()

    def lives(self):
        return self._complaint == ""

    def complaint(self):
        return f"h2load: {self._complaint}"

    def _latency(self):
        times = sorted(int(line.split("\t")[2]) for line in self._log.read_text().splitlines())
        return {"p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100], "max": times[-1]}


def _agreed(said):
    """What it tells of TLS; of the certificate it tells nothing, and it resumes no session."""
    def word(name):
        return re.search(rf"^{name}: (\S+)", said, re.M).group(1)

    return {"version": word("TLS Protocol"), "cipher": word("Cipher"), "curve": word("Server Temp Key"), "strays": 0,
            "resumed": 0}
