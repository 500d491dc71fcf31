"""The load generator as the runner drives it: ready, go, the report, end (bench/load/run.hpp)."""

import json
import subprocess

from harness.cores import LOAD_CORE


class Load:
    """Use as a context manager: leaving it lets the generator close its connections and waits for its end."""

    def __init__(self, programs, port, arguments, tls):
        command = [str(programs / "bench-load"), arguments[0], "--port", str(port), "--core", str(LOAD_CORE),
                   "--tls", tls, *arguments[1:]]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()

    def await_ready(self):
        return self._process.stdout.readline() == "ready\n"

    def go(self):
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def report(self):
        """The report once the run is over, or nothing if the generator failed."""
        line = self._process.stdout.readline()
        return json.loads(line) if line else None

    def lives(self):
        return not self._process.stdin.closed and self._process.poll() is None

    def complaint(self):
        self._process.stdin.close()
        self._process.wait(10)
        return self._process.stderr.read().strip() or f"the load generator ended with {self._process.returncode}"
